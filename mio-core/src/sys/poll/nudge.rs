//! Ending another thread's wait: a pipe, of which the reading end is always polled.

#[path = "../unix/nudge/ffi.rs"]
mod ffi;

use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd, RawFd},
};

use crate::sys::unix::{fork, pipe};

/// Without it a wait can end by a source or by its timeout alone.
pub(super) const ENDS_WAITS: bool = true;

#[derive(Debug)]
pub(super) struct Nudge {
    reader: OwnedFd,
    writer: OwnedFd,
    /// The process that it belongs to: a forked child has another generation.
    generation: usize,
}

impl Nudge {
    pub(super) fn new() -> io::Result<Nudge> {
        let (reader, writer) = pipe::open()?;
        Ok(Nudge { reader, writer, generation: fork::watch()? })
    }

    /// What to poll besides the sources; readable after [`send`](Nudge::send).
    pub(super) fn number(&self) -> RawFd {
        self.reader.as_raw_fd()
    }

    /// May be called from a signal handler. A full pipe is as good: it is readable.
    pub(super) fn send(&self) -> io::Result<()> {
        match ffi::write_one(self.writer.as_fd()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            result => result,
        }
    }

    /// Whether one came that polling does not tell of.
    #[inline]
    #[expect(clippy::unused_self, reason = "the interface of the other one")]
    pub(super) fn is_pending(&self) -> bool {
        false
    }

    pub(super) fn clear(&self) {
        while ffi::read_some(self.reader.as_fd()).is_ok_and(|read| read == 512) {}
    }

    /// `Unsupported` in a forked child: the pipe is the parent's too, who would read what it wrote.
    #[inline]
    pub(super) fn check_process(&self) -> io::Result<()> {
        fork::check(self.generation)
    }
}
