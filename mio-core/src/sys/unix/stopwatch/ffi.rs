//! The clock of [`Instant`], read without the arithmetic of `Instant`: a fifth of the instructions.
#![allow(unsafe_code)]

use std::{mem::MaybeUninit, time::Instant};

/// Counts nanoseconds from when it was started.
#[derive(Debug)]
pub(crate) struct Stopwatch(u64);

impl Stopwatch {
    /// Starts one, at the instant answered or a little later.
    pub(crate) fn start() -> (Instant, Stopwatch) {
        (Instant::now(), Stopwatch(monotonic()))
    }

    #[inline]
    pub(crate) fn elapsed(&self) -> u64 {
        monotonic().saturating_sub(self.0)
    }
}

#[inline]
fn monotonic() -> u64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `time` is room for what the kernel writes.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr()) };
    // SAFETY: there is such a clock on every Linux, and `time` is writable, so the call cannot have failed.
    let time = unsafe { time.assume_init() };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_runs_with_the_clock_of_instants_and_never_ahead_of_it() {
        let (start, stopwatch) = Stopwatch::start();
        for _ in 0..1_000 {
            let before = start.elapsed();
            let elapsed = Duration::from_nanos(stopwatch.elapsed());
            assert!(elapsed <= start.elapsed());
            // What lies between the two readings of `start`.
            assert!(elapsed + Duration::from_millis(100) >= before);
        }
    }
}
