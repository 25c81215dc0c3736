//! How long pairs wait.

use std::{io, time::Duration};

use mio_core::{EventLoop, Key, proxy::Cause};

use super::{CLOSES_PER_TURN, IDLE, On, Server, seen::Hooked};

impl<H: Hooked> Server<H> {
    /// A pair waits in this queue from now on.
    #[inline(always)]
    pub(super) fn wait<L>(&mut self, event_loop: &mut EventLoop<L, On>, queue: usize, key: Key) {
        self.waits.start(queue, key.index(), event_loop.now_ns());
        let (_, is_set) = self.alarms[queue];
        if !is_set {
            self.set_alarm(event_loop, queue);
        }
    }

    /// Sets the timer of a queue to when the time of its first pair is up. Those that come later do not change that.
    #[cold]
    pub(super) fn set_alarm<L>(&mut self, event_loop: &mut EventLoop<L, On>, queue: usize) {
        let now = event_loop.now_ns();
        let left = self.waits.next_deadline(queue).map(|deadline| deadline.saturating_sub(now));
        let (timer, is_set) = &mut self.alarms[queue];
        *is_set = left.is_some();
        event_loop.reschedule(*timer, left.map_or(Duration::MAX, Duration::from_nanos));
    }

    /// Closes the pairs whose time is up, unless there is another upstream to try.
    pub(super) fn close_late<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        queue: usize,
    ) -> io::Result<()> {
        let now = event_loop.now_ns();
        for _ in 0..CLOSES_PER_TURN {
            let Some(index) = self.waits.first_due(queue, now) else { break };
            let Some(key) = self.pairs.key_at(index) else { break };
            if queue == IDLE {
                self.close(event_loop, key, Cause::IdleTimeout)?;
            } else {
                self.try_another(event_loop, key, Cause::ConnectTimeout)?;
            }
        }
        Ok(())
    }
}
