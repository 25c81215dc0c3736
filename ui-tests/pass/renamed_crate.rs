//! The crate under another name, and something else under its own.
#![deny(warnings)]

extern crate core as mio_core;
pub extern crate mio_core as events;

use std::{io, time::Duration};

#[derive(Clone, Copy, events::TokenField)]
#[token_field(crate = events)]
enum Side {
    Left,
    Right,
}

#[derive(Clone, Copy, events::Handler)]
#[handler(crate = events, state = Server)]
enum On {
    #[timer]
    Timer(Side),
    #[io(readable, priority)]
    Input,
    #[signal(INT)]
    Signal,
    #[child]
    Child,
    #[nested(inner)]
    Inner(inner::On),
}

/// By a path, as one has it who re-exports the crate.
mod inner {
    pub mod prelude {
        pub use events as io;
    }

    #[derive(Clone, Copy, prelude::io::Handler)]
    #[handler(crate = prelude::io, state = Inner)]
    pub enum On {
        #[timer]
        Timer,
    }

    pub struct Inner;

    impl<L> OnHandler<L> for Inner {
        fn timer(&mut self, event_loop: &mut events::EventLoop<L, On>) -> std::io::Result<()> {
            event_loop.shutdown();
            Ok(())
        }
    }
}

struct Server {
    inner: inner::Inner,
}

type Loop = events::EventLoop<(), On>;

impl OnHandler for Server {
    fn timer(&mut self, _: &mut Loop, _: Side) -> io::Result<()> {
        Ok(())
    }

    fn input_readable(&mut self, _: &mut Loop) -> io::Result<()> {
        Ok(())
    }

    fn input_priority(&mut self, _: &mut Loop) -> io::Result<()> {
        Ok(())
    }

    fn signal(&mut self, _: &mut Loop, _: events::SignalInfo) -> io::Result<()> {
        Ok(())
    }

    fn child(&mut self, _: &mut Loop, _: events::ChildExit) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    let mut event_loop = events::EventLoop::new().unwrap();
    event_loop.timeout(On::Timer(Side::Left), Duration::ZERO).unwrap();
    event_loop.timeout(On::Timer(Side::Right), Duration::ZERO).unwrap();
    event_loop.nested(On::INNER).timeout(inner::On::Timer, Duration::ZERO).unwrap();
    event_loop.run(Server { inner: inner::Inner }).unwrap();
    let _ = mio_core::mem::size_of::<On>();
}
