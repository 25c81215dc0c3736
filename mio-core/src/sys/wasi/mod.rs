//! What belongs to WASI rather than to its way of waiting.
//!
//! There are descriptors, but few that a program can open by itself: the standard streams, and the sockets that the
//! host hands over, listeners and connections. They are `std`'s types, made from their numbers. No pipes, no signals, no
//! processes, no threads, and nothing to bind or to connect: what asks for those is `Unsupported`.

#[path = "../none/child.rs"]
pub(crate) mod child;
mod ffi;
#[path = "../names.rs"]
pub(crate) mod names;
pub(crate) mod pipe;
#[path = "../none/signal.rs"]
pub(crate) mod signal;
pub(crate) mod socket;

use std::{io, os::fd::AsFd};

/// No other program is executed that could inherit a descriptor.
#[expect(clippy::unnecessary_wraps, reason = "the platforms' contract")]
pub(crate) fn set_cloexec(_fd: &impl AsFd) -> io::Result<()> {
    Ok(())
}
