//! Wherever and however an enum is written, it derives: with nothing of the prelude in scope, inside
//! functions, with keywords for names, with a generic state, and under lints that are errors.
#![deny(missing_docs, warnings, unsafe_code, clippy::all, clippy::pedantic)]

use std::io;

use mio_core::{EventLoop, Handler, Token, TokenField};

use crate::{SECOND, virtual_loop};

/// What a user may have in scope: nothing that the derives rely on.
pub(crate) mod bare {
    #![no_implicit_prelude]
    #![allow(dead_code, unreachable_pub, reason = "names to be in the way of others")]

    /// Not what it usually is.
    #[derive(::core::fmt::Debug)]
    pub struct Option;
    /// Not what it usually is.
    #[derive(::core::fmt::Debug)]
    pub struct Result;
    /// Not what it usually is.
    #[derive(::core::fmt::Debug)]
    pub struct Some;
    /// Not what it usually is.
    pub mod std {}
    /// Not what it usually is.
    pub mod core {}
    /// Not what it usually is.
    pub mod mio_core {}

    /// The state.
    #[derive(::core::fmt::Debug)]
    pub struct State(
        /// A component.
        pub super::Raw,
        /// How often its timer was due.
        pub u32,
    );

    /// The sources.
    #[derive(
        ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::mio_core::Handler,
    )]
    #[handler(state = State, message = Option)]
    pub enum On {
        /// A timer.
        #[timer]
        Timer(u8),
        /// A connection.
        #[io(readable, writable, priority, closed, oneshot)]
        Client {
            /// Which.
            side: Side,
            /// Where.
            r#type: (),
        },
        /// Signals.
        #[signal(USR2)]
        Signal,
        /// A child.
        #[child]
        Child(u8, u16),
        /// A component.
        #[nested(0)]
        Nested(::mio_core::Any),
    }

    /// The side.
    #[derive(
        ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::mio_core::TokenField,
    )]
    pub enum Side {
        /// The one.
        Left,
        /// The other.
        Right,
    }

    type Loop = ::mio_core::EventLoop<Option, On>;
    type Done = ::std::io::Result<()>;

    impl OnHandler for State {
        fn timer(&mut self, event_loop: &mut Loop, _: u8) -> Done {
            event_loop.shutdown();
            self.1 += 1;
            Done::Ok(())
        }

        fn client_readable(&mut self, _: &mut Loop, _: Side, (): ()) -> Done {
            Done::Ok(())
        }

        fn client_writable(&mut self, _: &mut Loop, _: Side, (): ()) -> Done {
            Done::Ok(())
        }

        fn client_priority(&mut self, _: &mut Loop, _: Side, (): ()) -> Done {
            Done::Ok(())
        }

        fn client_closed(&mut self, _: &mut Loop, _: Side, (): ()) -> Done {
            Done::Ok(())
        }

        fn signal(&mut self, _: &mut Loop, _: ::mio_core::SignalInfo) -> Done {
            Done::Ok(())
        }

        fn child(&mut self, _: &mut Loop, _: u8, _: u16, _: ::mio_core::ChildExit) -> Done {
            Done::Ok(())
        }
    }
}

/// Does nothing.
#[derive(Debug)]
pub(crate) struct Raw;

impl<L> Handler<(), L> for Raw {}

#[test]
fn with_nothing_of_the_prelude_in_scope() {
    let mut event_loop = virtual_loop();
    event_loop.timeout(bare::On::Timer(1), SECOND).unwrap();
    assert_eq!(event_loop.run(bare::State(Raw, 0)).unwrap().1, 1);
    assert_eq!(bare::Side::unpack(1).map(TokenField::pack), Some(1));
}

#[test]
fn in_a_function_for_a_state_with_parameters_and_a_message_that_has_them() {
    #[derive(Clone, Copy, Debug, Handler)]
    #[handler(
        state = State<'a, T, N>,
        message = [T; N],
        trait = Callbacks,
        generics(<'a, T: Copy, const N: usize> where T: Into<u64>),
    )]
    enum On {
        #[timer(method = later)]
        Timer,
        #[io(readable = accept, writable)]
        Listener { event_loop: u8, token: u8, readiness: bool, self_: u8 },
    }

    struct State<'a, T, const N: usize> {
        sum: &'a mut u64,
        seen: Vec<[T; N]>,
    }

    impl<'a, T: Copy + Into<u64>, const N: usize> Callbacks<'a, T, N> for State<'a, T, N> {
        fn later(&mut self, event_loop: &mut EventLoop<[T; N], On>) -> io::Result<()> {
            *self.sum += 1;
            event_loop.shutdown();
            Ok(())
        }

        fn accept(
            &mut self,
            _: &mut EventLoop<[T; N], On>,
            _: u8,
            _: u8,
            _: bool,
            _: u8,
        ) -> io::Result<()> {
            Ok(())
        }

        fn listener_writable(
            &mut self,
            _: &mut EventLoop<[T; N], On>,
            _: u8,
            _: u8,
            _: bool,
            _: u8,
        ) -> io::Result<()> {
            Ok(())
        }

        fn message(&mut self, _: &mut EventLoop<[T; N], On>, message: [T; N]) -> io::Result<()> {
            *self.sum += message.iter().map(|&number| number.into()).sum::<u64>();
            self.seen.push(message);
            Ok(())
        }
    }

    let listener = On::Listener { event_loop: 1, token: 2, readiness: true, self_: 3 };
    assert_eq!(On::unpack(listener.bits()).map(Token::bits), Some(listener.bits()));
    let mut sum = 0;
    let mut event_loop = virtual_loop::<[u32; 2]>();
    event_loop.sender().send([3, 4]).unwrap();
    event_loop.timeout(On::Timer, SECOND).unwrap();
    let state = event_loop.run(State { sum: &mut sum, seen: Vec::new() }).unwrap();
    assert_eq!(state.seen, [[3, 4]]);
    assert_eq!(sum, 8);
}

#[test]
fn for_a_state_whose_parameters_are_not_the_messages() {
    trait Count {
        fn count(&mut self) -> u32;
    }

    struct Once;

    impl Count for Once {
        fn count(&mut self) -> u32 {
            1
        }
    }

    /// Generic over a component, which has to run in whatever loop this one does.
    #[derive(Clone, Copy, Debug, Handler)]
    #[handler(
        state = Owner<C, H>,
        message = u32,
        generics(<C: Count, H> where H: Handler<(), L>),
    )]
    enum On {
        #[timer]
        Timer,
        #[nested(component)]
        Component(mio_core::Any),
    }

    struct Owner<C, H> {
        count: C,
        total: u32,
        component: H,
    }

    impl<C: Count, H> OnHandler for Owner<C, H> {
        fn timer(&mut self, event_loop: &mut EventLoop<u32, On>) -> io::Result<()> {
            self.total += self.count.count();
            event_loop.shutdown();
            Ok(())
        }
    }

    let mut event_loop = virtual_loop();
    event_loop.timeout(On::Timer, SECOND).unwrap();
    let owner = Owner { count: Once, total: 0, component: Raw };
    assert_eq!(event_loop.run(owner).unwrap().total, 1);
}

#[test]
fn with_keywords_for_names() {
    #[allow(non_camel_case_types)]
    #[derive(Clone, Copy, Debug, PartialEq, Handler)]
    #[handler(state = r#struct, trait = Keywords)]
    enum r#enum {
        #[timer]
        r#match { r#in: u8 },
        #[timer]
        Type(u8),
        #[timer]
        Super,
        #[timer(method = r#yield)]
        HTTPTimeout2,
        #[nested(r#mod)]
        Mod(mio_core::Any),
    }

    #[allow(non_camel_case_types)]
    struct r#struct {
        calls: Vec<&'static str>,
        r#mod: Raw,
    }

    impl Keywords for r#struct {
        fn r#match(&mut self, _: &mut EventLoop<(), r#enum>, _: u8) -> io::Result<()> {
            self.calls.push("match");
            Ok(())
        }

        fn r#type(&mut self, _: &mut EventLoop<(), r#enum>, _: u8) -> io::Result<()> {
            self.calls.push("type");
            Ok(())
        }

        fn super_(&mut self, _: &mut EventLoop<(), r#enum>) -> io::Result<()> {
            self.calls.push("super");
            Ok(())
        }

        fn r#yield(&mut self, event_loop: &mut EventLoop<(), r#enum>) -> io::Result<()> {
            self.calls.push("yield");
            event_loop.shutdown();
            Ok(())
        }
    }

    let mut event_loop = virtual_loop();
    event_loop.timeout(r#enum::r#match { r#in: 1 }, SECOND).unwrap();
    event_loop.timeout(r#enum::Type(1), SECOND).unwrap();
    event_loop.timeout(r#enum::Super, SECOND).unwrap();
    event_loop.timeout(r#enum::HTTPTimeout2, SECOND).unwrap();
    let state = event_loop.run(r#struct { calls: Vec::new(), r#mod: Raw }).unwrap();
    assert_eq!(state.calls, ["match", "type", "super", "yield"]);
    assert_eq!((r#enum::TABLE[0].name, r#enum::TABLE[0].columns[0].name), ("match", "in"));
}

/// The crate under another name.
mod renamed {
    pub(super) use mio_core as events;
}

#[test]
fn with_the_crate_under_another_name() {
    #[derive(Clone, Copy, Debug, Handler)]
    #[handler(crate = renamed::events, state = L)]
    enum On {
        #[timer]
        Timer(Side),
    }

    #[derive(Clone, Copy, Debug, TokenField)]
    #[token_field(crate = renamed::events)]
    enum Side {
        Left,
        Right,
    }

    /// The name that the type of the loop's messages usually has.
    struct L(Vec<Side>);

    impl OnHandler for L {
        fn timer(&mut self, event_loop: &mut EventLoop<(), On>, side: Side) -> io::Result<()> {
            self.0.push(side);
            if self.0.len() == 2 {
                event_loop.shutdown();
            }
            Ok(())
        }
    }

    let mut event_loop = virtual_loop();
    event_loop.timeout(On::Timer(Side::Left), SECOND).unwrap();
    event_loop.timeout(On::Timer(Side::Right), SECOND).unwrap();
    let state = event_loop.run(L(Vec::new())).unwrap();
    assert!(matches!(state.0[..], [Side::Left, Side::Right]));
}
