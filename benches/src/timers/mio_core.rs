//! mio-core's timers, through the event loop as everybody uses them.

use std::os::fd::OwnedFd;
use std::time::Duration;

use mio_core::{Config, EventLoop, Expiry, Handler, Interest, Timeout, Trigger};

use super::{Fired, Timers, put};
use crate::os;

const READY: u64 = 1 << 33;

pub struct Loop {
    event_loop: EventLoop,
    timeouts: Vec<Timeout>,
    _ready: OwnedFd,
}

/// Nothing is due in a turn.
struct Quiet;

impl Handler for Quiet {
    fn timeout(&mut self, _event_loop: &mut EventLoop, _token: u64, _expiry: Expiry) {
        panic!("not yet");
    }
}

struct Due<'a>(&'a mut Fired);

impl Handler for Due<'_> {
    #[inline(always)]
    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, _expiry: Expiry) {
        if self.0.on(token as usize) {
            event_loop.shutdown();
        }
    }
}

impl Timers for Loop {
    type Handle = Timeout;

    fn new(capacity: usize) -> Self {
        let config = Config { timers: capacity, ..Config::default() };
        let mut event_loop = EventLoop::with_config(config).expect("loop");
        let ready = os::eventfd(1);
        event_loop
            .register_with(&ready, READY, Interest::READABLE, Trigger::Level)
            .expect("register");
        Self { event_loop, timeouts: Vec::with_capacity(capacity), _ready: ready }
    }

    fn insert(&mut self, slot: usize, delay: Duration) {
        let timeout = self.event_loop.timeout(slot as u64, delay).expect("room");
        put(&mut self.timeouts, slot, timeout);
    }

    fn cancel(&mut self, slot: usize) {
        assert!(self.event_loop.cancel(self.timeouts[slot]));
    }

    #[inline(always)]
    fn handle(&self, slot: usize) -> Timeout {
        self.timeouts[slot]
    }

    fn push_back(&mut self, handle: Timeout, delay: Duration) {
        assert!(self.event_loop.reschedule(handle, delay));
    }

    fn turn(&mut self) {
        self.event_loop.run_once(&mut Quiet, None).expect("turn");
    }

    fn fire(&mut self, fired: &mut Fired) {
        self.event_loop.run(Due(fired)).expect("run");
        assert!(fired.is_over());
    }
}
