//! Without threads, signals and forks nobody is there to end a wait: who nudges does so before it begins.

use std::{io, os::fd::RawFd};

use crate::sync::global::{AtomicBool, Ordering};

/// A wait can end by a source or by its timeout alone.
pub(super) const ENDS_WAITS: bool = false;

#[derive(Debug)]
pub(super) struct Nudge {
    // Relaxed: there is one thread.
    pending: AtomicBool,
}

#[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "the interface of the other one")]
impl Nudge {
    pub(super) fn new() -> io::Result<Nudge> {
        Ok(Nudge { pending: AtomicBool::new(false) })
    }

    /// Nothing: poll(2) passes over negative numbers.
    pub(super) fn number(&self) -> RawFd {
        -1
    }

    pub(super) fn send(&self) -> io::Result<()> {
        self.pending.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.pending.store(false, Ordering::Relaxed);
    }

    pub(super) fn check_process(&self) -> io::Result<()> {
        Ok(())
    }
}
