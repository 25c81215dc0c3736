//! A state with parameters of every kind, that the message has or has not; a name that is chosen.
#![deny(warnings)]

use std::{fmt::Debug, io, marker::PhantomData, time::Duration};

use mio_core::{Any, EventLoop, Handler};

mod of_the_message {
    use super::*;

    pub struct State<'a, T, const N: usize> {
        pub sum: &'a mut u64,
        pub last: Option<[T; N]>,
    }

    #[derive(Clone, Copy, Debug, Handler)]
    #[handler(
        trait = Callbacks,
        state = State<'a, T, N>,
        message = [T; N],
        generics(<'a, T: Copy + Debug, const N: usize> where T: Into<u64>),
    )]
    pub enum On {
        #[timer]
        Timer,
    }

    impl<'a, T: Copy + Debug + Into<u64>, const N: usize> Callbacks<'a, T, N> for State<'a, T, N> {
        fn timer(&mut self, event_loop: &mut EventLoop<[T; N], On>) -> io::Result<()> {
            event_loop.shutdown();
            Ok(())
        }

        fn message(&mut self, _: &mut EventLoop<[T; N], On>, message: [T; N]) -> io::Result<()> {
            *self.sum += message.into_iter().map(Into::into).sum::<u64>();
            self.last = Some(message);
            Ok(())
        }
    }
}

mod of_a_component {
    use super::*;

    /// Its parameter is a component that runs in whatever loop this one does.
    pub struct State<H, P: ?Sized>(pub H, pub PhantomData<P>);

    #[derive(Clone, Copy, Debug, Handler)]
    #[handler(state = State<H, P>, generics(<H, P: ?Sized> where H: Handler<(), L>))]
    pub enum On {
        #[timer]
        Timer(u16),
        #[nested(0)]
        Component(Any),
    }

    impl<L, H, P: ?Sized> OnHandler<L> for State<H, P>
    where
        H: Handler<(), L>,
    {
        fn timer(&mut self, event_loop: &mut EventLoop<L, On>, _: u16) -> io::Result<()> {
            event_loop.shutdown();
            Ok(())
        }
    }
}

struct Raw(u32);

impl<L> Handler<(), L> for Raw {
    fn timeout(&mut self, _: &mut EventLoop<L>, token: u64, _: mio_core::Expiry) {
        assert_eq!(token, 3);
        self.0 += 1;
    }
}

fn main() {
    let mut sum = 0;
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.sender().send([1_u32, 2, 3]).unwrap();
    event_loop.timeout(of_the_message::On::Timer, Duration::from_millis(1)).unwrap();
    let state = of_the_message::State { sum: &mut sum, last: None };
    assert_eq!(event_loop.run(state).unwrap().last, Some([1, 2, 3]));
    assert_eq!(sum, 6);

    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop.nested(of_a_component::On::COMPONENT).timeout(3, Duration::ZERO).unwrap();
    event_loop.timeout(of_a_component::On::Timer(1), Duration::from_millis(1)).unwrap();
    let state = of_a_component::State::<_, str>(Raw(0), PhantomData);
    assert_eq!(event_loop.run(state).unwrap().0.0, 1);
}
