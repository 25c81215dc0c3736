//! Inside functions and modules, more than once in each, and with keywords and the names that the
//! derives use themselves.
#![deny(warnings)]

use std::{io, time::Duration};

use mio_core::{Any, EventLoop, Handler, Token};

struct Raw;

impl<L> Handler<(), L> for Raw {}

mod module {
    pub(crate) mod deeper {
        use mio_core::Handler;

        #[derive(Clone, Copy, Handler)]
        #[handler(state = super::super::First)]
        pub(in crate::module) enum On {
            #[timer]
            Timer,
        }

        impl OnHandler for super::super::First {
            fn timer(&mut self, _: &mut mio_core::EventLoop<(), On>) -> std::io::Result<()> {
                Ok(())
            }
        }

        pub(crate) fn tag() -> u64 {
            mio_core::Token::bits(On::Timer)
        }
    }
}

struct First;

fn function() {
    struct State {
        due: bool,
    }

    #[derive(Clone, Copy, Handler)]
    #[handler(state = State)]
    enum On {
        #[timer]
        Timer,
    }

    impl OnHandler for State {
        fn timer(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
            self.due = true;
            event_loop.shutdown();
            Ok(())
        }
    }

    let mut event_loop = EventLoop::new().unwrap();
    event_loop.timeout(On::Timer, Duration::ZERO).unwrap();
    assert!(event_loop.run(State { due: false }).unwrap().due);
}

fn names() {
    #[allow(non_camel_case_types)]
    struct r#type {
        r#match: Raw,
    }

    #[allow(non_camel_case_types)]
    #[derive(Clone, Copy, Debug, PartialEq, Handler)]
    #[handler(state = r#type, trait = Keywords)]
    enum r#enum {
        #[io(readable = r#fn, writable = r#while)]
        r#struct { r#in: u8, event_loop: bool, token: bool, readiness: bool, error: bool },
        #[timer(expiry)]
        Loop { expiry: u8, bits: u8, own: u8, payload: u8 },
        #[signal(INT)]
        Super { info: u8, source: u8, result: u8, component: u8 },
        #[child]
        Crate(u8),
        #[nested(r#match)]
        Match { own: Any },
    }

    #[rustfmt::skip]
    impl Keywords for r#type {
        fn r#fn(
            &mut self, _: &mut EventLoop<(), r#enum>, _: u8, _: bool, _: bool, _: bool, _: bool,
        ) -> io::Result<()> { Ok(()) }

        fn r#while(
            &mut self, _: &mut EventLoop<(), r#enum>, _: u8, _: bool, _: bool, _: bool, _: bool,
        ) -> io::Result<()> { Ok(()) }

        fn r#loop(
            &mut self, event_loop: &mut EventLoop<(), r#enum>,
            expiry: u8, bits: u8, own: u8, payload: u8, _: mio_core::Expiry,
        ) -> io::Result<()> {
            assert_eq!([expiry, bits, own, payload], [1, 2, 3, 4]);
            event_loop.shutdown();
            Ok(())
        }

        fn super_(
            &mut self, _: &mut EventLoop<(), r#enum>,
            _: u8, _: u8, _: u8, _: u8, _: mio_core::SignalInfo,
        ) -> io::Result<()> { Ok(()) }

        fn crate_(
            &mut self, _: &mut EventLoop<(), r#enum>, _: u8, _: mio_core::ChildExit,
        ) -> io::Result<()> { Ok(()) }
    }

    let all = [
        r#enum::r#struct { r#in: 9, event_loop: true, token: false, readiness: true, error: true },
        r#enum::Loop { expiry: 1, bits: 2, own: 3, payload: 4 },
        r#enum::Super { info: 5, source: 6, result: 7, component: 8 },
        r#enum::Crate(7),
        r#enum::Match { own: Any(77) },
    ];
    for source in all {
        assert_eq!(r#enum::unpack(source.bits()), Some(source));
    }
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.timeout(all[1], Duration::ZERO).unwrap();
    event_loop.run(r#type { r#match: Raw }).unwrap();
}

fn main() {
    assert_eq!(module::deeper::tag(), 0);
    function();
    names();
    let _ = First;
}
