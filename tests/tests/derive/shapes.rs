//! Wherever and however an enum is written, it derives: here it compiles, and does as it should.
#![deny(missing_docs, warnings, unsafe_code, clippy::all, clippy::pedantic)]
#![allow(clippy::module_inception, reason = "the name of the file")]

use std::io;

use mio_core::{EventLoop, Handler};

use crate::{SECOND, virtual_loop};

/// What a user may have in scope: nothing that the derives rely on.
pub mod bare {
    #![no_implicit_prelude]

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

    /// The state.
    #[derive(::core::fmt::Debug)]
    pub struct State {
        /// How often its timer was due.
        pub count: u32,
    }

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
}
