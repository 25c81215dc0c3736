//! A small, fast, readiness-based event loop: one thread waits for any mix of descriptors, messages from
//! other threads, timers, signals and child processes. Nothing is allocated once a loop is built.
//!
//! ```
//! use std::io::{self, Write};
//! use mio_core::{EventLoop, Handler, pipe};
//!
//! struct Hello;
//!
//! impl Handler for Hello {
//!     fn readable(&mut self, event_loop: &mut EventLoop, token: u64) {
//!         println!("readable: {token}");
//!         event_loop.shutdown();
//!     }
//! }
//!
//! let mut event_loop = EventLoop::new()?;
//! let (reader, mut writer) = pipe::new()?;
//! event_loop.register(&reader, 1u64)?;
//! writer.write_all(b"hello")?;
//! event_loop.run(Hello)?;
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # Where to look
//!
//! - [`EventLoop`] says what a turn does, in which order and within which bounds; [`Handler`] is what it calls,
//!   and [`Config`] has every bound.
//! - [`Slab`] and [`Key`] are for whatever belongs to a connection: a key fits into a token, and one that is
//!   stale finds nothing.
//! - [`Sender`] sends messages; [`Timeout`] and [`Expiry`] are about timers, [`SignalSet`] and [`SignalInfo`] about
//!   signals, [`ChildExit`] about children. [`TimeoutQueues`] is for many timeouts of equal length.
//! - [`net`], `unix` and [`pipe`] have `std`'s types in a form that never blocks; any other [`Source`] registers as
//!   well. [`buf`] has a ring of bytes. [`relay`] carries bytes from one stream to another.
//! - [`Selector`], [`Events`] and [`Waker`] are the layer below, for authors of other loops and runtimes.
//!
//! # Edge triggered
//!
//! A plain `u64` token registers a source for both directions, edge triggered, which costs the fewest system
//! calls: a report comes when something changes, so read, write or accept until `WouldBlock` before you expect
//! another, or until a read into a buffer that is not empty answers 0, which is the end.
//! [`Trigger`] has the alternatives.
//!
//! # Errors
//!
//! Errors are [`io::Error`](std::io::Error)s of a kind or with the system's number, never with a payload, which
//! would be allocated. A table that is full is [`Full`], as an `io::Error` of the kind
//! [`QuotaExceeded`](std::io::ErrorKind::QuotaExceeded), except that of the sources, which mostly is the kernel's:
//! [`StorageFull`](std::io::ErrorKind::StorageFull).
//!
//! # Portability
//!
//! Rust 1.85, and
//!
//! - Linux and Android, by epoll;
//! - macOS, iOS and their like, FreeBSD, NetBSD, OpenBSD and DragonFly, by kqueue;
//! - Windows, by a completion port and polls of AFD;
//! - every other Unix, by poll(2);
//! - WASI without threads, by poll(2): the standard streams, and sockets that the host has opened. A wait without a
//!   timeout for no source could never end: it is [`Deadlock`](std::io::ErrorKind::Deadlock);
//! - the Web (wasm32-unknown-unknown) and WASI with threads, where nothing can be waited for: messages and timers, on
//!   the Web in [virtual time](Config::virtual_time). Only a nightly compiler tells that there are threads; with another
//!   one wasm32-wasip1-threads is WASI without, where a message from another thread is seen when the wait ends by
//!   something else.
//!
//! On the last two whatever would open a socket or a pipe, signals and children are
//! [`Unsupported`](std::io::ErrorKind::Unsupported).
//!
//! Whatever a kernel lacks is emulated or an error at the call that asks for it. "Portability" in the documentation of an
//! item says what differs.
#![deny(unsafe_code)]

pub mod buf;

#[cfg(all(test, any(unix, windows)))]
mod awaited;
#[cfg(test)]
mod cases;
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
mod lull;
mod nested;
pub mod net;
mod newtype;
pub mod pipe;
pub mod proxy;
mod queue;
pub mod relay;
mod run;
mod running;
mod selector;
mod sender;
mod signal;
mod slab;
mod sleep;
mod source;
mod sync;
mod sys;
mod timeout_queues;
mod timer;
mod token;
#[cfg(unix)]
pub mod unix;

pub use child::ChildExit;
pub use clock::Expiry;
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
pub use timeout_queues::TimeoutQueues;
pub use timer::Timeout;
pub use token::{
    Any, Described, In, RESERVED, Scope, SourceKind, Token, TokenColumn, TokenField, TokenRow,
    describe,
};

#[cfg(feature = "derive")]
pub use mio_derive::{Handler, Proxy, TokenField};

/// What the derives' code needs besides; no part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::{nested::component, token::private::*};
}
