//! Timers: one that fires once, one that repeats, one that is cancelled, and one that is pushed
//! back, as servers do with an idle timeout on each read.
//!
//!     cargo run --example timers

use std::{
    io,
    time::{Duration, Instant},
};

use mio_core::{Config, EventLoop, Expiry, Handler, Precision, Timeout};

const ONCE: u64 = 1;
const CANCELLED: u64 = 2;
const HEARTBEAT: u64 = 3;
const IDLE: u64 = 4;

const IDLE_TIMEOUT: Duration = Duration::from_millis(300);

struct Timers {
    began: Instant,
    idle: Timeout,
    beats: u32,
}

impl Handler for Timers {
    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
        let name = ["", "once", "cancelled", "heartbeat", "idle"][token as usize];
        let now = event_loop.now();
        let late = now - expiry.deadline();
        println!("{:>10.3?}  {name:<9}  late by {late:?}", now - self.began);
        match token {
            HEARTBEAT => {
                self.beats += 1;
                if self.beats < 5 {
                    // A sign of life. Pushing a timer back costs a store: do it as often as you
                    // like.
                    event_loop.reschedule(self.idle, IDLE_TIMEOUT);
                } else {
                    event_loop.cancel(expiry.timeout);
                }
            }
            IDLE => event_loop.shutdown(),
            _ => {}
        }
    }
}

fn main() -> io::Result<()> {
    // For lateness that is the kernel's timer slack alone, at the price of a second wait for each.
    let config = Config { timers: 4, precision: Precision::Exact, ..Config::default() };
    let mut event_loop = EventLoop::with_config(config)?;
    let began = event_loop.now();

    event_loop.timeout(ONCE, Duration::from_millis(150))?;
    event_loop.interval(HEARTBEAT, Duration::from_millis(100))?;
    let idle = event_loop.timeout(IDLE, IDLE_TIMEOUT)?;
    let cancelled = event_loop.timeout(CANCELLED, Duration::from_millis(50))?;
    assert!(event_loop.cancel(cancelled));

    let timers = event_loop.run(Timers { began, idle, beats: 0 })?;
    // It has fired: its handle finds nothing any more, and no later timer either.
    assert!(!event_loop.cancel(timers.idle));
    Ok(())
}
