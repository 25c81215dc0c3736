//! Handlers: one that writes down what it is called with, one that is a closure; and something for it to do.

use std::time::Instant;

use mio_core::{ChildExit, EventLoop, Expiry, Handler, Readiness, SignalInfo};
use tests::{Stream, pair, settle};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    Ready(u64, Readiness),
    Timeout(u64, u64),
    Message(u32),
    Signal(u64),
    Child(u64),
    Tick,
}

#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) calls: Vec<Call>,
    pub(crate) late: Vec<(Instant, Instant)>,
    pub(crate) ticks: bool,
}

impl Recorder {
    pub(crate) fn tokens(&self) -> Vec<u64> {
        self.calls
            .iter()
            .filter_map(|call| match call {
                Call::Ready(token, _) | Call::Timeout(token, _) => Some(*token),
                _ => None,
            })
            .collect()
    }
}

impl Handler<u32> for Recorder {
    fn ready(&mut self, _: &mut EventLoop<u32>, token: u64, readiness: Readiness) {
        self.calls.push(Call::Ready(token, readiness));
    }

    fn timeout(&mut self, event_loop: &mut EventLoop<u32>, token: u64, expiry: Expiry) {
        self.late.push((expiry.deadline(), event_loop.now()));
        self.calls.push(Call::Timeout(token, expiry.missed));
    }

    fn message(&mut self, _: &mut EventLoop<u32>, message: u32) {
        self.calls.push(Call::Message(message));
    }

    fn signal(&mut self, _: &mut EventLoop<u32>, token: u64, _: SignalInfo) {
        self.calls.push(Call::Signal(token));
    }

    fn child(&mut self, _: &mut EventLoop<u32>, token: u64, _: ChildExit) {
        self.calls.push(Call::Child(token));
    }

    fn tick(&mut self, _: &mut EventLoop<u32>) {
        if self.ticks {
            self.calls.push(Call::Tick);
        }
    }
}

/// Calls a closure for each event.
pub(crate) struct Do<F>(pub(crate) F);

impl<F: FnMut(&mut EventLoop, u64)> Handler for Do<F> {
    fn ready(&mut self, event_loop: &mut EventLoop, token: u64, _: Readiness) {
        (self.0)(event_loop, token);
    }
}

/// A loop with `count` sources that are all ready to be written, tokens from 0.
pub(crate) fn ready_loop(count: u64) -> (EventLoop, Vec<(Stream, Stream)>) {
    let mut event_loop = EventLoop::new().unwrap();
    let pairs: Vec<_> = (0..count).map(|_| pair()).collect();
    for (token, (a, _)) in pairs.iter().enumerate() {
        event_loop.register(a, token as u64).unwrap();
    }
    settle();
    (event_loop, pairs)
}
