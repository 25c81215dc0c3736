//! Diagnostics of the derives, as the user sees them: see `tests/ui.rs`.
//!
//! The library is a user's crate that denies much, clippy's pedantry too.
#![deny(missing_docs, warnings, unsafe_code, clippy::all, clippy::pedantic)]
#![deny(missing_debug_implementations, unreachable_pub, rust_2018_idioms, unused_qualifications)]
#![deny(unused_results, single_use_lifetimes, trivial_casts, trivial_numeric_casts)]
#![deny(explicit_outlives_requirements, let_underscore_drop, private_bounds, private_interfaces)]

use std::io;

use mio_core::{Any, ChildExit, EventLoop, Expiry, Handler, Key, SignalInfo, Slab, TokenField};

/// A side.
#[derive(Clone, Copy, Debug, TokenField)]
pub enum Side {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

/// The state.
#[derive(Debug)]
pub struct Server {
    inner: inner::Inner,
    table: Slab<Raw, 8, 8>,
}

/// A handler written by hand.
#[derive(Debug)]
pub struct Raw;

impl<L> Handler<(), L> for Raw {}

/// A component.
pub mod inner {
    use std::io;

    use mio_core::{EventLoop, Handler};

    /// The state.
    #[derive(Debug)]
    pub struct Inner;

    /// The sources.
    #[derive(Clone, Copy, Debug, Handler)]
    #[handler(state = Inner, message = u8)]
    pub enum On {
        /// A timer.
        #[timer]
        Timer,
    }

    impl<L> OnHandler<L> for Inner {
        fn timer(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
            Ok(())
        }
    }
}

/// The sources.
#[derive(Clone, Copy, Debug, Handler)]
#[handler(state = Server)]
pub enum On {
    /// A client.
    #[io(readable, writable, priority, closed)]
    Client(Key),
    /// A client was idle.
    #[timer]
    Idle {
        /// Of which side.
        side: Side,
        /// How often.
        times: u8,
    },
    /// Another second is over.
    #[timer(expiry)]
    Second,
    /// End.
    #[signal(INT)]
    Stop,
    /// A child.
    #[child]
    Child,
    /// A component.
    #[nested(inner)]
    Inner(inner::On),
    /// One of many components.
    #[nested(table)]
    Row(Key<8, 8>, Any),
    /// More than clippy likes to see.
    #[timer]
    Many(bool, bool, bool, bool, bool, bool, bool, u8),
}

impl OnHandler for Server {
    fn client_readable(&mut self, _: &mut EventLoop<(), On>, _: Key) -> io::Result<()> {
        Ok(())
    }

    fn client_writable(&mut self, _: &mut EventLoop<(), On>, _: Key) -> io::Result<()> {
        Ok(())
    }

    fn client_priority(&mut self, _: &mut EventLoop<(), On>, _: Key) -> io::Result<()> {
        Ok(())
    }

    fn client_closed(&mut self, _: &mut EventLoop<(), On>, _: Key) -> io::Result<()> {
        Ok(())
    }

    fn idle(&mut self, _: &mut EventLoop<(), On>, _: Side, _: u8) -> io::Result<()> {
        Ok(())
    }

    fn second(&mut self, _: &mut EventLoop<(), On>, _: Expiry) -> io::Result<()> {
        Ok(())
    }

    fn stop(&mut self, _: &mut EventLoop<(), On>, _: SignalInfo) -> io::Result<()> {
        Ok(())
    }

    fn child(&mut self, _: &mut EventLoop<(), On>, _: ChildExit) -> io::Result<()> {
        Ok(())
    }

    #[rustfmt::skip]
    fn many(
        &mut self, _: &mut EventLoop<(), On>,
        _: bool, _: bool, _: bool, _: bool, _: bool, _: bool, _: bool, _: u8,
    ) -> io::Result<()> {
        Ok(())
    }
}
