//! mio-core by the raw `Handler` trait, with a match on the token. Its queue and its signals are on,
//! as they would be in a server.

use std::time::Duration;

use mio_core::{EventLoop, Expiry, Handler, Interest, Sender, Signal, SignalSet, Timeout, Trigger};

use crate::chain::Chain;
use crate::echo::{Echo, LISTENER};
use crate::measure::{Cost, measure};
use crate::os::Fd;

const SIGNALS: u64 = 1 << 34;
const IDLE: Duration = Duration::from_secs(60);

/// A loop with its queue in use and two signals asked for.
fn new_loop() -> (EventLoop<u64>, Sender<u64>) {
    let mut event_loop = EventLoop::new().expect("loop");
    let sender = event_loop.sender();
    let signals = SignalSet::from_iter([Signal::TERM, Signal::USR1]);
    event_loop.signals_with(signals, SIGNALS).expect("signals");
    (event_loop, sender)
}

struct Pipes<'a>(&'a mut Chain);

impl Handler<u64> for Pipes<'_> {
    // Part of the loop, as in the others: which unit of this crate the compiler puts it in is chance.
    #[inline(always)]
    fn readable(&mut self, event_loop: &mut EventLoop<u64>, token: u64) {
        if self.0.readable(token as usize) {
            event_loop.shutdown();
        }
    }

    fn message(&mut self, event_loop: &mut EventLoop<u64>, _stop: u64) {
        event_loop.shutdown();
    }
}

pub fn pipes(chain: &mut Chain) -> Cost {
    let (mut event_loop, _sender) = new_loop();
    for (token, &reader) in chain.readers().iter().enumerate() {
        event_loop
            .register_with(&Fd(reader), token as u64, Interest::READABLE, Trigger::Edge)
            .expect("register");
    }
    measure(|| {
        chain.start();
        event_loop.run(Pipes(chain)).expect("run");
    })
}

struct Server<'a>(&'a mut Echo);

impl Handler<u64> for Server<'_> {
    // Two loops here run it; inlined into each, as it is in a program that has one.
    #[inline(always)]
    fn readable(&mut self, event_loop: &mut EventLoop<u64>, token: u64) {
        match token {
            LISTENER => self.0.accept(),
            token => {
                if self.0.readable(token as usize) {
                    event_loop.shutdown();
                }
            }
        }
    }

    #[inline(always)]
    fn writable(&mut self, event_loop: &mut EventLoop<u64>, token: u64) {
        if self.0.writable(token as usize) {
            event_loop.shutdown();
        }
    }

    fn message(&mut self, event_loop: &mut EventLoop<u64>, _stop: u64) {
        event_loop.shutdown();
    }
}

pub fn echo(echo: &mut Echo) -> Cost {
    let (mut event_loop, _sender) = new_loop();
    register(&mut event_loop, echo);
    measure(|| {
        event_loop.run(Server(echo)).expect("run");
    })
}

/// The same with an idle timeout for each connection, pushed back whenever it is read from.
struct Patient<'a> {
    server: Server<'a>,
    idle: Vec<Timeout>,
}

impl Handler<u64> for Patient<'_> {
    #[inline(always)]
    fn readable(&mut self, event_loop: &mut EventLoop<u64>, token: u64) {
        if let Some(&idle) = self.idle.get(token as usize) {
            event_loop.reschedule(idle, IDLE);
        }
        self.server.readable(event_loop, token);
    }

    fn writable(&mut self, event_loop: &mut EventLoop<u64>, token: u64) {
        self.server.writable(event_loop, token);
    }

    fn timeout(&mut self, _event_loop: &mut EventLoop<u64>, _token: u64, _expiry: Expiry) {
        panic!("nobody is idle for a minute");
    }
}

pub fn echo_with_timeouts(echo: &mut Echo) -> Cost {
    let (mut event_loop, _sender) = new_loop();
    register(&mut event_loop, echo);
    let tokens = 0..echo.connections.len() as u64;
    let idle = tokens.map(|token| event_loop.timeout(token, IDLE).expect("room")).collect();
    measure(|| {
        event_loop.run(Patient { server: Server(echo), idle }).expect("run");
    })
}

fn register(event_loop: &mut EventLoop<u64>, echo: &Echo) {
    event_loop
        .register_with(&echo.listener, LISTENER, Interest::READABLE, Trigger::Level)
        .expect("register");
    for (token, connection) in echo.connections.iter().enumerate() {
        event_loop.register(&connection.stream, token as u64).expect("register");
    }
}
