//! The moment from which a loop counts its time.

use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(Instant);

impl Epoch {
    pub(crate) fn at(instant: Instant) -> Epoch {
        Epoch(instant)
    }

    pub(crate) fn until(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.0)
    }

    #[inline]
    pub(crate) fn after(&self, time: Duration) -> Instant {
        // It does not overflow.
        self.0.checked_add(time).unwrap_or(self.0)
    }
}
