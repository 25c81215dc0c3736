//! No timers at all: what the workload itself costs, to be taken off the others' counts.

use std::time::Duration;

use super::{Fired, Timers};

pub struct Loop;

impl Timers for Loop {
    type Handle = ();

    fn new(_capacity: usize) -> Self {
        Self
    }

    fn insert(&mut self, _slot: usize, _delay: Duration) {}

    fn cancel(&mut self, _slot: usize) {}

    fn handle(&self, _slot: usize) {}

    fn push_back(&mut self, _handle: (), _delay: Duration) {}

    fn turn(&mut self) {}

    fn fire(&mut self, _fired: &mut Fired) {}
}
