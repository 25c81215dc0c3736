//! Time by `std`'s clock.

use std::time::Instant;

/// Counts nanoseconds from when it was started.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts one, at the instant answered.
    pub(crate) fn start() -> (Instant, Stopwatch) {
        let now = Instant::now();
        (now, Stopwatch(now))
    }

    /// Saturates after 584 years.
    #[inline]
    pub(crate) fn elapsed(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
