//! A small, fast, readiness-based event loop.
#![deny(unsafe_code)]

pub mod buf;

mod child;
mod clock;
mod config;
mod doorbell;
mod embed;
mod event;
mod event_loop;
mod full;
mod handler;
mod interest;
mod nested;
pub mod net;
mod newtype;
pub mod pipe;
mod queue;
mod run;
mod selector;
mod sender;
mod signal;
mod slab;
mod sleep;
mod source;
mod sync;
mod sys;
mod timer;
mod token;
#[cfg(unix)]
pub mod unix;

pub use child::ChildExit;
pub use config::{Config, Precision};
pub use event::Event;
pub use event_loop::EventLoop;
pub use full::Full;
pub use handler::Handler;
pub use interest::{Interest, Readiness, Trigger};
pub use nested::Nested;
pub use selector::{Events, Selector, Waker};
pub use sender::{MappedSender, Outbox, SendError, Sender};
pub use signal::{Signal, SignalInfo, SignalSet};
pub use slab::{Key, Slab, VacantEntry};
pub use source::Source;
pub use timer::{Expiry, Timeout};
pub use token::{
    Any, Described, In, RESERVED, Scope, SourceKind, Token, TokenColumn, TokenField, TokenRow,
    describe,
};

#[cfg(feature = "derive")]
pub use mio_derive::{Handler, TokenField};

/// What the derives' code needs besides; no part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::token::private::*;
}
