//! A small, fast, readiness-based event loop.
#![deny(unsafe_code)]

pub mod buf;

mod child;
mod event;
mod full;
mod interest;
pub mod net;
mod newtype;
pub mod pipe;
mod selector;
mod signal;
mod slab;
mod source;
mod sync;
mod sys;
#[expect(dead_code)]
mod timer;
mod token;
#[cfg(unix)]
pub mod unix;

pub use child::ChildExit;
pub use event::Event;
pub use full::Full;
pub use interest::{Interest, Readiness, Trigger};
pub use selector::{Events, Selector, Waker};
pub use signal::{Signal, SignalInfo, SignalSet};
pub use slab::{Key, Slab, VacantEntry};
pub use source::Source;
pub use timer::{Expiry, Timeout};
pub use token::{Any, In, RESERVED, Token};
