//! A handler that writes down what it is called with.

use std::time::Instant;

use mio_core::{ChildExit, EventLoop, Expiry, Handler, Readiness};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    Ready(u64, Readiness),
    Timeout(u64, u64),
    Message(u32),
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

    fn child(&mut self, _: &mut EventLoop<u32>, token: u64, _: ChildExit) {
        self.calls.push(Call::Child(token));
    }

    fn tick(&mut self, _: &mut EventLoop<u32>) {
        if self.ticks {
            self.calls.push(Call::Tick);
        }
    }
}
