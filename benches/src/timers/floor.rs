//! No store at all: each deadline is a word of an array, and somebody has told the order. What any store has to do as well,
//! so what no store can be ahead of by much.

use std::time::{Duration, Instant};

use super::{Fired, Timers, put};

pub struct Loop {
    /// By slot, nanoseconds since `epoch`.
    deadlines: Vec<u64>,
    epoch: Instant,
    now: u64,
}

impl Timers for Loop {
    fn new(capacity: usize) -> Self {
        Self { deadlines: Vec::with_capacity(capacity), epoch: Instant::now(), now: 0 }
    }

    fn insert(&mut self, slot: usize, delay: Duration) {
        let deadline = self.now + delay.as_nanos() as u64;
        put(&mut self.deadlines, slot, deadline);
    }

    fn cancel(&mut self, slot: usize) {
        self.deadlines[slot] = u64::MAX;
    }

    fn push_back(&mut self, slot: usize, delay: Duration) {
        self.deadlines[slot] = self.now + delay.as_nanos() as u64;
    }

    fn turn(&mut self) {
        self.now = self.epoch.elapsed().as_nanos() as u64;
    }

    fn fire(&mut self, fired: &mut Fired) {
        for index in 0..fired.order.len() {
            let slot = fired.order[index] as usize;
            self.deadlines[slot] = u64::MAX;
            fired.on(slot);
        }
    }
}
