//! Where there is no clock: time is virtual, or stands still.
#![allow(unsafe_code)]

use std::{
    mem,
    time::{Duration, Instant},
};

/// The moment from which a loop counts its time: one that comes before all others, since none can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(Instant);

impl Epoch {
    pub(crate) fn at(epoch: Epoch) -> Epoch {
        epoch
    }

    pub(crate) fn until(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.0)
    }

    pub(crate) fn after(&self, time: Duration) -> Instant {
        self.0.checked_add(time).unwrap_or(self.0)
    }
}

#[derive(Debug)]
pub(crate) struct Stopwatch;

#[expect(clippy::unused_self, reason = "the interface of the other ones")]
impl Stopwatch {
    pub(crate) fn start() -> (Epoch, Stopwatch) {
        // `Instant::now` panics there, and nothing else makes one.
        // SAFETY: where std has no clock, an `Instant` is a `Duration` (std/src/sys/time/unsupported.rs), which may be
        // zero. If that should change so that zeros are invalid, `zeroed` panics.
        let epoch = unsafe { mem::zeroed::<Instant>() };
        (Epoch(epoch), Stopwatch)
    }

    #[inline]
    pub(crate) fn elapsed(&self) -> u64 {
        0
    }
}

const _: () = assert!(size_of::<Instant>() == size_of::<Duration>());
