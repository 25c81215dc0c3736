//! The turn's clock: real, or virtual for tests; and what it makes of a timer that is due.

use std::time::{Duration, Instant};

use crate::{
    sys::{Epoch, Stopwatch},
    timer::{Due, Timeout},
};

/// What a handler is told of a timer that fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// The timer. An interval is already set again, so it may be cancelled or rescheduled.
    pub timeout: Timeout,
    /// How many further times an interval was due by now. It fires once for all of them, and the
    /// next one keeps the phase. Zero for a timer that fires once.
    pub missed: u64,
    // As an `Instant` it would have to be worked out for everybody, and few ask.
    deadline: u64,
    epoch: Epoch,
}

impl Expiry {
    /// When the timer was due, which is never after the loop's `now()`. Of an interval that is overdue by
    /// several periods, the earliest.
    #[inline]
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.epoch.after(Duration::from_nanos(self.deadline))
    }
}

/// Nanoseconds since the loop was built, read at most once a turn and only when asked.
#[derive(Debug)]
pub(crate) struct Clock {
    epoch: Epoch,
    since_epoch: Stopwatch,
    /// The first reading of this turn, which decides what is due.
    turn: u64,
    /// The latest reading, which callbacks see.
    now: u64,
    /// Whether `turn` and `now` belong to this turn.
    current: bool,
    jumps: bool,
}

const SECOND: u64 = 1_000_000_000;

/// 63 years in seconds: a number so small that processors compare with it at once. Only a matter of speed.
const SOON: u64 = 2_000_000_000;

impl Clock {
    pub(crate) fn new(jumps: bool) -> Clock {
        let (epoch, since_epoch) = Stopwatch::start();
        Clock { epoch: Epoch::at(epoch), since_epoch, turn: 0, now: 0, current: false, jumps }
    }

    /// A turn begins or ends: the next question reads the clock.
    #[inline]
    pub(crate) fn expire(&mut self) {
        self.current = false;
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.jumps
    }

    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.current
    }

    /// The first reading of a turn.
    pub(crate) fn start(&mut self) {
        self.turn = self.read();
        self.current = true;
    }

    /// The latest reading of this turn, which has to be current.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        debug_assert!(self.current);
        self.now
    }

    /// What timers are due by: this turn's first reading, however often it was refreshed.
    #[inline]
    pub(crate) fn turn(&self) -> u64 {
        debug_assert!(self.current);
        self.turn
    }

    /// Reads the clock whatever was read before.
    #[inline]
    pub(crate) fn read(&mut self) -> u64 {
        if !self.jumps {
            self.now = self.since_epoch.elapsed();
        }
        self.now
    }

    /// Virtual time only: it is `deadline` now.
    pub(crate) fn jump_to(&mut self, deadline: u64) {
        debug_assert!(self.jumps && deadline >= self.now);
        self.now = deadline;
        self.current = false;
    }

    /// Later than everything that is due in this turn; saturates.
    #[inline]
    pub(crate) fn after(&self, delay: Duration) -> u64 {
        // Of a delay that fits, one comparison tells both whether it is zero and whether the sum has to saturate: this is
        // half of pushing a timer back.
        if delay.as_secs() <= SOON {
            let sum = self.now().wrapping_add(nanoseconds(delay));
            if sum > self.now() {
                return sum;
            }
        }
        self.after_in_any_case(delay)
    }

    #[cold]
    fn after_in_any_case(&self, delay: Duration) -> u64 {
        self.now().saturating_add(nanoseconds(delay).max(1))
    }

    pub(crate) fn at(&self, instant: Instant) -> u64 {
        let at = nanoseconds(self.epoch.until(instant));
        at.max(self.now().saturating_add(1))
    }

    #[inline(always)]
    pub(crate) fn expiry(&self, Due { timeout, deadline, missed, .. }: Due) -> Expiry {
        Expiry { timeout, missed, deadline, epoch: self.epoch }
    }

    #[inline]
    pub(crate) fn instant(&self, at: u64) -> Instant {
        self.epoch.after(Duration::from_nanos(at))
    }
}

/// Saturates after 584 years.
#[inline]
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    // One comparison instead of two sums that saturate.
    if duration.as_secs() < u64::MAX / SECOND {
        duration.as_secs() * SECOND + u64::from(duration.subsec_nanos())
    } else {
        u64::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: [Duration; 10] = [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::new(60, 999_999_999),
        Duration::new(SOON, 999_999_999),
        Duration::from_secs(SOON + 1),
        Duration::from_secs(u64::MAX / SECOND - 1),
        Duration::from_nanos(u64::MAX),
        Duration::from_secs(1 << 55), // A power of two that as nanoseconds is zero in 64 bits.
        Duration::from_secs(u64::MAX),
        Duration::MAX,
    ];

    #[test]
    fn a_deadline_is_later_than_now_and_saturates() {
        for now in [0, 1, u64::MAX / 2, u64::MAX - 60_000_000_000, u64::MAX - 2, u64::MAX - 1] {
            let mut clock = Clock::new(true);
            clock.jump_to(now);
            clock.start();
            for delay in DELAYS {
                let exact = u128::from(now) + delay.as_nanos().max(1);
                let deadline = u64::try_from(exact).unwrap_or(u64::MAX);
                assert_eq!(clock.after(delay), deadline);
            }
        }
    }
}
