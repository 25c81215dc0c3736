//! An event loop inside another one: what the outer loop waits for.

#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use crate::{event_loop::EventLoop, timer::Next};

impl<M, S> EventLoop<M, S> {
    /// How long an outer loop, in which this one lives, may wait before it calls
    /// [`run_once`](EventLoop::run_once): until then if this answers an instant, for ever if `None`; in both
    /// cases only as long as the loop's descriptor is not readable. An instant in the past means
    /// that work is left.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        if self.inner.has_work() {
            return Some(self.now());
        }
        match self.inner.timers.next(self.inner.repairs_per_turn) {
            Next::Never => None,
            Next::At(deadline) => Some(self.inner.clock.instant(deadline)),
            Next::Unsettled => Some(self.now()),
        }
    }
}

#[cfg(unix)]
impl<M, S> AsFd for EventLoop<M, S> {
    /// Readable when a turn would find an event or a message: so that the loop can live inside
    /// another one. See [`next_deadline`](EventLoop::next_deadline).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.selector.as_fd()
    }
}
