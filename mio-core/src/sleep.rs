//! Phases 1 to 3 of a turn: how long to sleep, the wait itself, the new clock.

use std::{hint, io, time::Duration};

use crate::{
    clock::nanoseconds,
    config::Precision,
    event_loop::{Inner, Work},
    sys,
    timer::Next,
    token::WAKE,
};

impl<M> Inner<M> {
    /// Whether there is nothing to do, now or later, but to handle events.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.work.is_empty()
    }

    /// Waits for events, for `limit` at most, and not at all if there is work to do.
    #[inline(never)]
    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> io::Result<()> {
        self.work.remove(Work::CLOCK);
        self.work.set(Work::TIMERS, !self.timers.is_empty());
        self.clock.expire();
        if self.work == Work::TIMERS && limit.is_none() && self.precision == Precision::Cheap {
            // Nothing but timers; of messages and signals the doorbell tells.
            let now = self.clock.read();
            if let Some(deadline) = self.timers.glance(now) {
                return self.sleep(Some(Duration::from_nanos(deadline - now)));
            }
        }
        self.wait_with_care(limit)
    }

    #[inline(never)]
    fn wait_with_care(&mut self, limit: Option<Duration>) -> io::Result<()> {
        self.selector.sys().check_process()?;
        if self.work.contains(Work::BURST) && limit != Some(Duration::ZERO) && !self.has_work() {
            self.work.remove(Work::BURST);
            self.linger();
        }
        if self.work.contains(Work::STOP) {
            return Ok(());
        }
        if self.work.contains(Work::EVENTS) {
            self.work.remove(Work::EVENTS);
            self.events.unpark();
            return Ok(());
        }
        self.more = false;
        self.wait_somehow(limit)?;
        self.repeat();
        Ok(())
    }

    /// Gives senders of many messages a moment in which nobody has to wake the loop. It does not look before that is over:
    /// each look takes the memory that senders write from them, and the more come at once the less each costs.
    fn linger(&mut self) {
        const MOMENT: u64 = 1_000;
        if !sys::HAS_CLOCK
            || self.work.contains(Work::UNUSUAL)
            || self.had_io()
            || !self.lull.is_worth_a_moment()
        {
            return;
        }
        let start = self.clock.read();
        while self.clock.read() - start < MOMENT {
            hint::spin_loop();
        }
        let brought = self.has_mail();
        self.work.set(Work::MAIL, brought);
        self.lull.learn(brought);
    }

    /// Whether the last wait reported more than a wake-up.
    fn had_io(&self) -> bool {
        match self.events.len() {
            0 => false,
            1 => self.events.current() != Some(WAKE),
            _ => true,
        }
    }

    /// Adds the first of what `again` asked for, no more than events are taken at a time.
    fn repeat(&mut self) {
        for _ in 0..self.events.capacity() {
            let Some(&event) = self.again.front() else { break };
            if !self.events.push(event) {
                break;
            }
            self.again.pop_front();
        }
        self.work.set(Work::AGAIN, !self.again.is_empty());
    }

    fn wait_somehow(&mut self, limit: Option<Duration>) -> io::Result<()> {
        if self.permutation.is_some() {
            return self.wait_virtually(limit);
        }
        match self.patience(limit) {
            Some(Duration::ZERO) => self.poll(),
            timeout if self.spin.is_zero() => self.sleep(timeout),
            timeout => self.spin_then_sleep(timeout),
        }
    }

    /// How long to wait if nothing happens: until the next deadline, `limit` at most.
    fn patience(&mut self, limit: Option<Duration>) -> Option<Duration> {
        if limit == Some(Duration::ZERO) || self.has_work() {
            return Some(Duration::ZERO);
        }
        if !self.work.contains(Work::TIMERS) {
            return limit;
        }
        // Not the turn's clock: callbacks took their time since it was read.
        let now = self.clock.read();
        let glance =
            if self.precision == Precision::Cheap { self.timers.glance(now) } else { None };
        let next = glance.map_or_else(|| self.timers.next(self.repairs_per_turn), Next::At);
        let deadline = match next {
            Next::Never => return limit,
            Next::At(deadline) => deadline,
            Next::Unsettled => return Some(Duration::ZERO),
        };
        let wait = match self.precision {
            Precision::Cheap => Duration::from_nanos(deadline.saturating_sub(now)),
            Precision::Exact => self.one_of_two_waits(deadline, now),
        };
        Some(limit.map_or(wait, |limit| limit.min(wait)))
    }

    /// A wait ends too late by as much as 0.1 % of it, or 0.5 % in a niced thread, 100 ms at most
    /// (fs/select.c: `__estimate_accuracy`): so a long one ends a little before the deadline, and another
    /// one, the last, is for the rest. A first wait that something else ended does not count.
    fn one_of_two_waits(&mut self, deadline: u64, now: u64) -> Duration {
        const SLACK_MAX: Duration = Duration::from_millis(100);
        const WORTH_IT: Duration = Duration::from_millis(16);
        let left = Duration::from_nanos(deadline.saturating_sub(now));
        let (early_for, early_until) = self.early_wake;
        if left < WORTH_IT || (early_for == deadline && early_until <= now) {
            return left;
        }
        let wait = left - (left / 160).min(SLACK_MAX + SLACK_MAX / 10);
        self.early_wake = (deadline, now + nanoseconds(wait));
        wait
    }

    /// Looks for events, messages and signals for a while. Nobody has to wake the loop meanwhile.
    fn spin_then_sleep(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let start = self.clock.read();
        let (timeout, patience) = (timeout.map(nanoseconds), nanoseconds(self.spin));
        loop {
            self.poll()?;
            let spun = self.clock.read() - start;
            if self.has_work() || timeout.is_some_and(|t| t <= spun) {
                return Ok(());
            }
            if spun >= patience {
                let left = timeout.map(|timeout| Duration::from_nanos(timeout - spun));
                return self.sleep(left);
            }
        }
    }

    /// Tells senders that they have to wake the loop, makes sure that nothing came before they were
    /// told, and waits. A signal wakes the loop in any case.
    #[inline(always)]
    pub(crate) fn sleep(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let Inner { selector, events, receiver, .. } = self;
        selector.sys().check_process()?;
        let doorbell = receiver.doorbell();
        if !receiver.sleep_begin() {
            return self.poll();
        }
        selector.sys().select(events, timeout)?;
        doorbell.sleep_end();
        Ok(())
    }

    /// Looks for events without waiting.
    #[inline(never)]
    fn poll(&mut self) -> io::Result<()> {
        self.receiver.doorbell().stay_awake();
        if !self.work.contains(Work::MAIL) && self.has_mail() {
            self.work |= Work::MAIL;
        }
        self.selector.sys().select(&mut self.events, Some(Duration::ZERO))
    }

    /// When nothing is ready, the clock jumps to where a wait would have ended.
    fn wait_virtually(&mut self, limit: Option<Duration>) -> io::Result<()> {
        self.poll()?;
        if !self.has_work() {
            let now = self.clock().now();
            let limit = limit.map_or(u64::MAX, |limit| now.saturating_add(nanoseconds(limit)));
            match self.timers.next(self.repairs_per_turn) {
                Next::Unsettled => {}
                Next::At(deadline) => self.clock.jump_to(deadline.min(limit)),
                Next::Never if limit < u64::MAX => self.clock.jump_to(limit),
                Next::Never => self.sleep(None)?,
            }
        }
        let state = self.permutation.get_or_insert(0);
        self.events.permute(|last| (next_random(state) % (last as u64 + 1)) as usize);
        Ok(())
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{
        config::Config, event_loop::EventLoop, handler::Handler, interest::Readiness, lull::Lull,
    };

    #[test]
    fn an_exact_wait_that_is_interrupted_still_ends_before_the_deadline_and_once_only() {
        const SECOND: u64 = 1_000_000_000;
        let config = Config { precision: Precision::Exact, ..Config::default() };
        let mut inner = EventLoop::<()>::with_config(config).unwrap().inner;
        let mut end_of_wait = |now| now + nanoseconds(inner.one_of_two_waits(SECOND, now));
        // Three waits that I/O ends before their time.
        for now in [0, SECOND / 3, SECOND / 2] {
            assert!(end_of_wait(now) < SECOND);
        }
        let early = end_of_wait(SECOND / 2);
        assert!((SECOND * 99 / 100..SECOND).contains(&early));
        for now in [early, early + 1, SECOND - 1, SECOND, SECOND + 1] {
            assert_eq!(end_of_wait(now), SECOND.max(now));
        }
        // Also if there is still so much left that it might be worth it.
        let mut end_of_wait = |now| now + nanoseconds(inner.one_of_two_waits(3600 * SECOND, now));
        let early = end_of_wait(0);
        assert!(3600 * SECOND - early > SECOND / 20);
        assert_eq!(end_of_wait(early), 3600 * SECOND);
    }

    #[test]
    fn an_exact_wait_ends_early_by_a_part_of_it_and_by_a_tenth_of_a_second_at_most() {
        let config = Config { precision: Precision::Exact, ..Config::default() };
        let mut inner = EventLoop::<()>::with_config(config).unwrap().inner;
        for (left_ms, early_us) in [(5, 0), (15, 0), (16, 100), (800, 5_000), (3_600_000, 110_000)]
        {
            let left = Duration::from_millis(left_ms);
            let early = left - inner.one_of_two_waits(nanoseconds(left), 0);
            assert_eq!(early, Duration::from_micros(early_us));
        }
    }

    #[test]
    fn an_exact_loop_sleeps_towards_the_least_deadline_also_if_timers_were_pushed_back() {
        const LEAST: Duration = Duration::from_micros(10_000_500);
        // In virtual time, which stands still here.
        let patience = |precision| {
            let config = Config { precision, virtual_time: Some(0), ..Config::default() };
            let mut event_loop = EventLoop::<()>::with_config(config).unwrap();
            let first = event_loop.timeout(1u64, Duration::from_secs(10)).unwrap();
            event_loop.timeout(2u64, LEAST).unwrap();
            assert!(event_loop.reschedule(first, Duration::from_millis(10_001)));
            event_loop.inner.work |= Work::TIMERS;
            event_loop.inner.patience(None).unwrap()
        };
        assert_eq!(patience(Precision::Exact), LEAST - LEAST / 160);
        assert!((LEAST..=LEAST + LEAST / 4096).contains(&patience(Precision::Cheap)));
    }

    #[test]
    fn an_exact_loop_does_not_sleep_before_its_repairs_tell_how_long() {
        let config = Config {
            precision: Precision::Exact,
            repairs_per_turn: 1,
            virtual_time: Some(0),
            ..Config::default()
        };
        let mut event_loop = EventLoop::<()>::with_config(config).unwrap();
        for index in 1..=8 {
            let timeout = event_loop.timeout(index, Duration::from_millis(index)).unwrap();
            assert!(event_loop.reschedule(timeout, Duration::from_secs(index)));
        }
        event_loop.inner.work |= Work::TIMERS;
        let mut patience = || event_loop.inner.patience(None);
        assert_eq!(patience(), Some(Duration::ZERO));
        let waits = (0..100).map_while(|_| (patience() == Some(Duration::ZERO)).then_some(()));
        assert!(waits.count() < 100);
        let wait = patience().unwrap();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
    }

    #[test]
    fn a_loop_lingers_before_a_sleep_after_several_messages_and_at_no_other_time() {
        struct Nothing;
        impl Handler<u8> for Nothing {}
        const SLEEP: Duration = Duration::from_millis(1);
        let lingers = |config, messages, others, limit| {
            let mut event_loop = EventLoop::with_config(config).unwrap();
            for message in 0..messages {
                event_loop.sender().send(message).unwrap();
            }
            for other in 0..others {
                event_loop.again(other, Readiness::READABLE).unwrap();
            }
            for limit in [Duration::ZERO, limit] {
                event_loop.run_once(&mut Nothing, Some(limit)).unwrap();
            }
            event_loop.inner.lull != Lull::default()
        };
        let usual = Config::default();
        assert_eq!(lingers(usual, 2, 0, SLEEP), sys::HAS_CLOCK);
        assert!(!lingers(usual, 1, 0, SLEEP), "one message");
        assert!(!lingers(usual, 2, 1, SLEEP), "an event beside");
        assert!(!lingers(usual, 2, 0, Duration::ZERO), "no sleep");
        let virtually = Config { virtual_time: Some(0), ..usual };
        assert!(!lingers(virtually, 2, 0, SLEEP), "virtual time");
        if sys::HAS_CLOCK {
            let spinning = Config { spin: Duration::from_nanos(1), ..usual };
            assert!(!lingers(spinning, 2, 0, SLEEP), "it spins anyway");
        }
    }

    #[test]
    fn random_numbers_are_those_of_splitmix64() {
        let mut state = 1_234_567;
        let numbers = [(); 3].map(|()| next_random(&mut state));
        let published =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(numbers, published);
    }
}
