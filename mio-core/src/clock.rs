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

    /// Later than everything that is due in this turn.
    #[inline]
    pub(crate) fn after(&self, delay: Duration) -> u64 {
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
    const SECOND: u64 = 1_000_000_000;
    // One comparison instead of two sums that saturate: this is half of pushing a timer back.
    if duration.as_secs() < u64::MAX / SECOND {
        duration.as_secs() * SECOND + u64::from(duration.subsec_nanos())
    } else {
        u64::MAX
    }
}
