//! The clock of [`Instant`], read without the arithmetic of `Instant`: a fifth of the instructions.
#![allow(unsafe_code)]

use std::{
    mem::{self, MaybeUninit},
    time::Instant,
};

/// Counts nanoseconds from when it was started.
#[derive(Debug)]
pub(crate) struct Stopwatch(u64);

impl Stopwatch {
    /// Starts one, at the instant answered or some 20 ns later, never earlier.
    pub(crate) fn start() -> (Instant, Stopwatch) {
        let (start, count) = tightest(Instant::now, monotonic);
        (start, Stopwatch(count))
    }

    #[inline]
    pub(crate) fn elapsed(&self) -> u64 {
        monotonic().saturating_sub(self.0)
    }
}

/// How often both clocks are read to start a stopwatch.
const READINGS: usize = 4;

/// A moment on both clocks, on the second one a little too late. If the thread is interrupted in between, it is late by
/// as long, and so is the stopwatch for ever: of several pairs the one is taken that lies in the shortest time.
fn tightest<T>(mut first: impl FnMut() -> T, mut second: impl FnMut() -> u64) -> (T, u64) {
    let mut before = second();
    let mut pair = || {
        let (at, after) = (first(), second());
        (after.saturating_sub(mem::replace(&mut before, after)), at, after)
    };
    let mut best = pair();
    for _ in 1..READINGS {
        let next = pair();
        if next.0 < best.0 {
            best = next;
        }
    }
    (best.1, best.2)
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
    use std::{cell::Cell, time::Duration};

    /// Where both are the same clock, which each reading moves on by the next of `steps`.
    fn started_after(steps: [u64; 2 * READINGS + 1]) -> (u64, u64) {
        let (now, read) = (Cell::new(0), Cell::new(0));
        let read = || {
            now.set(now.get() + steps[read.replace(read.get() + 1)]);
            now.get()
        };
        tightest(read, read)
    }

    #[test]
    fn it_starts_at_the_closest_readings_and_never_before_the_instant() {
        assert_eq!(started_after([20; 9]), (40, 60));
        // Interrupted before a count, before an instant, and everywhere but within one pair.
        assert_eq!(started_after([20, 20, 9_000, 20, 20, 20, 20, 20, 20]), (9_060, 9_080));
        assert_eq!(started_after([20, 9_000, 20, 20, 20, 20, 20, 20, 20]), (9_060, 9_080));
        for quiet in 0..READINGS {
            let mut steps = [9_000; 2 * READINGS + 1];
            steps[2 * quiet + 1..][..2].fill(20);
            let instant = 9_000 * (2 * quiet as u64 + 1) + 20;
            assert_eq!(started_after(steps), (instant, instant + 20));
        }
    }

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
