//! No order: a table of deadlines whose handles are checked, and somebody has told what is due when. What any store has to
//! do as well whose handles find no later timer, so what none can be ahead of by much.

use std::time::{Duration, Instant};

use super::{Fired, Timers, put};

pub struct Loop {
    /// By slot.
    handles: Vec<Handle>,
    timers: Vec<Timer>,
    /// Of the latest timer.
    sequence: u64,
    epoch: Instant,
    /// Nanoseconds since `epoch`.
    now: u64,
}

#[derive(Clone, Copy)]
pub struct Handle {
    index: u32,
    sequence: u64,
}

struct Timer {
    sequence: u64,
    deadline: u64,
}

/// Of no timer.
const VACANT: u64 = 0;

impl Loop {
    #[inline(always)]
    fn timer(&mut self, Handle { index, sequence }: Handle) -> &mut Timer {
        let timer = &mut self.timers[index as usize];
        assert_eq!(timer.sequence, sequence);
        timer
    }
}

impl Timers for Loop {
    type Handle = Handle;

    fn new(capacity: usize) -> Self {
        let (handles, timers) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity));
        Self { handles, timers, sequence: VACANT, epoch: Instant::now(), now: 0 }
    }

    fn insert(&mut self, slot: usize, delay: Duration) {
        self.sequence += 1;
        let sequence = self.sequence;
        put(&mut self.handles, slot, Handle { index: slot as u32, sequence });
        let deadline = self.now + delay.as_nanos() as u64;
        put(&mut self.timers, slot, Timer { sequence, deadline });
    }

    fn cancel(&mut self, slot: usize) {
        self.timer(self.handles[slot]).sequence = VACANT;
    }

    #[inline(always)]
    fn handle(&self, slot: usize) -> Handle {
        self.handles[slot]
    }

    fn push_back(&mut self, handle: Handle, delay: Duration) {
        let deadline = self.now + delay.as_nanos() as u64;
        self.timer(handle).deadline = deadline;
    }

    fn turn(&mut self) {
        self.now = self.epoch.elapsed().as_nanos() as u64;
    }

    fn fire(&mut self, fired: &mut Fired) {
        for index in 0..fired.order.len() {
            let slot = fired.order[index] as usize;
            self.timers[slot].sequence = VACANT;
            fired.on(slot);
        }
    }
}
