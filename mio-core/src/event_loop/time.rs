//! What callbacks may do with time.

use std::{
    io,
    time::{Duration, Instant},
};

use super::EventLoop;
use crate::{clock::nanoseconds, sys, timer::Timeout, token::In};

/// Time.
impl<M, S> EventLoop<M, S> {
    /// The time of this turn: read when first asked for in a turn, the same until its end. Between two
    /// turns, and before the first, likewise: read when first asked for, the same until the next
    /// turn begins or an outer loop asks for [`next_deadline`](EventLoop::next_deadline);
    /// [`update_now`](EventLoop::update_now) reads it again.
    ///
    /// Portability: it is [`Instant`]'s clock, which on Linux stands still while the machine is suspended, and
    /// timers with it. Where there is none (wasm32-unknown-unknown, where [`Instant::now`] panics) it stands still and
    /// timers are `Unsupported`, except with [virtual time](crate::Config::virtual_time): that is how a host which has a
    /// clock brings it along. The time moves by no more than the timeout of each
    /// [`run_once`](EventLoop::run_once):
    ///
    /// ```
    /// # use mio_core::{Config, EventLoop, Expiry, Handler};
    /// # use std::time::Duration;
    /// /// What the host calls: so much time has passed since the last call.
    /// fn advance(event_loop: &mut EventLoop, handler: &mut impl Handler, passed: Duration) -> std::io::Result<()> {
    ///     let end = event_loop.now() + passed;
    ///     while event_loop.now() < end {
    ///         let left = end - event_loop.now();
    ///         if !event_loop.run_once(&mut *handler, Some(left))? {
    ///             break;
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// # struct Fired(u32);
    /// # impl Handler for Fired {
    /// #     fn timeout(&mut self, _: &mut EventLoop, _: u64, _: Expiry) { self.0 += 1 }
    /// # }
    /// let config = Config { virtual_time: Some(0), ..Config::default() };
    /// let mut event_loop = EventLoop::with_config(config)?;
    /// let mut fired = Fired(0);
    /// event_loop.interval(1u64, Duration::from_millis(10))?;
    /// advance(&mut event_loop, &mut fired, Duration::from_millis(16))?;
    /// advance(&mut event_loop, &mut fired, Duration::from_millis(16))?;
    /// assert_eq!(fired.0, 3);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn now(&mut self) -> Instant {
        let now = self.inner.clock().now();
        self.inner.clock.instant(now)
    }

    /// [`now`](EventLoop::now) as nanoseconds since the loop was built, which is cheaper to take and to compare.
    #[inline]
    pub fn now_ns(&mut self) -> u64 {
        self.inner.clock().now()
    }

    /// Reads the clock again, for a callback that took long, or in the midst of a long preparation
    /// before the first turn. What is due in this turn stays the same. With
    /// [virtual time](crate::Config::virtual_time) it does nothing.
    pub fn update_now(&mut self) {
        self.inner.clock().read();
    }

    /// Calls [`timeout`](crate::Handler::timeout) with `token` once, `delay` from [`now`](EventLoop::now), or
    /// later as [`Precision`](crate::Precision) says. Never in this turn, even if `delay` is zero.
    ///
    /// # Errors
    ///
    /// `QuotaExceeded` ([`Full`](crate::Full)) if [`Config::timers`](crate::Config::timers) timers are armed; `InvalidInput` for a
    /// token that is not for timers, or that [`register`](EventLoop::register) would refuse; `Unsupported`
    /// where there is no clock and time is not virtual.
    #[inline]
    pub fn timeout<T: In<S>>(&mut self, token: T, delay: Duration) -> io::Result<Timeout> {
        let token = self.timer_bits(token)?;
        let deadline = self.inner.clock().after(delay);
        Ok(self.inner.timers.insert(deadline, 0, token)?)
    }

    /// Like [`timeout`](EventLoop::timeout), at `instant`, or in the next turn if that is past.
    ///
    /// # Errors
    ///
    /// As `timeout`.
    pub fn timeout_at<T: In<S>>(&mut self, token: T, instant: Instant) -> io::Result<Timeout> {
        let token = self.timer_bits(token)?;
        let deadline = self.inner.clock().at(instant);
        Ok(self.inner.timers.insert(deadline, 0, token)?)
    }

    /// Calls [`timeout`](crate::Handler::timeout) with `token` every `period`, first a `period` from now. It
    /// keeps its phase; if whole periods were missed, it fires once and says how many.
    ///
    /// # Errors
    ///
    /// As [`timeout`](EventLoop::timeout); and `InvalidInput` for a period of zero.
    pub fn interval<T: In<S>>(&mut self, token: T, period: Duration) -> io::Result<Timeout> {
        let token = self.timer_bits(token)?;
        if period.is_zero() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let deadline = self.inner.clock().after(period);
        Ok(self.inner.timers.insert(deadline, nanoseconds(period), token)?)
    }

    /// Disarms a timer. Answers whether it was armed: not if it has fired or was cancelled before.
    #[inline]
    pub fn cancel(&mut self, timeout: Timeout) -> bool {
        self.inner.timers.cancel(timeout)
    }

    /// Moves an armed timer to `delay` from now. Answers whether it was armed.
    ///
    /// Moving a timer back, the hot path of idle timeouts, is a single store: it takes its new
    /// place in the order only when its former deadline comes up.
    #[inline]
    pub fn reschedule(&mut self, timeout: Timeout, delay: Duration) -> bool {
        let deadline = self.inner.clock().after(delay);
        self.inner.timers.reschedule(timeout, deadline)
    }

    /// Like [`reschedule`](EventLoop::reschedule), to `instant`, or to the next turn if that is past.
    pub fn reschedule_at(&mut self, timeout: Timeout, instant: Instant) -> bool {
        let deadline = self.inner.clock().at(instant);
        self.inner.timers.reschedule(timeout, deadline)
    }

    /// When the timer is due; `None` if it is not armed.
    #[must_use]
    pub fn deadline(&self, timeout: Timeout) -> Option<Instant> {
        self.inner.timers.deadline(timeout).map(|deadline| self.inner.clock.instant(deadline))
    }

    /// As [`bits`](EventLoop::bits), of a timer.
    #[inline]
    fn timer_bits<T: In<S>>(&self, token: T) -> io::Result<u64> {
        if !sys::HAS_CLOCK && !self.inner.clock.is_virtual() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.bits(token, token.kind().is_timer())
    }
}
