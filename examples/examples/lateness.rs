//! How late timers are on this machine, and how many waits they take, with either precision.
//!
//! `cargo run --release --example lateness` takes about half a minute. A timer is never early; how late it is, is up to
//! the kernel: the timer slack of the thread, 50 µs unless it was changed, and on Linux 0.1 % of the wait besides. With
//! `Precision::Exact` the loop wakes a little before a far deadline and waits again, which costs one wait more.

use std::{
    io,
    time::{Duration, Instant},
};

use mio_core::{Config, EventLoop, Expiry, Handler, Precision};

/// Delays and how often each is measured.
const DELAYS: [(Duration, usize); 7] = [
    (Duration::from_micros(50), 200),
    (Duration::from_micros(500), 200),
    (Duration::from_millis(5), 100),
    (Duration::from_millis(50), 20),
    (Duration::from_millis(200), 8),
    (Duration::from_secs(1), 5),
    (Duration::from_secs(3), 3),
];

/// Sets one timer after the other and notes how late each was.
struct Measure {
    delay: Duration,
    left: usize,
    late: Vec<Duration>,
    /// Turns, each of which waits once.
    waits: usize,
}

impl Handler for Measure {
    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
        self.late.push(Instant::now() - expiry.deadline());
        self.left -= 1;
        if self.left == 0 {
            return event_loop.shutdown();
        }
        event_loop.update_now();
        if let Err(error) = event_loop.timeout(token, self.delay) {
            event_loop.fail(error);
        }
    }

    fn tick(&mut self, _: &mut EventLoop) {
        self.waits += 1;
    }
}

fn measure(precision: Precision, delay: Duration, count: usize) -> io::Result<Measure> {
    let mut event_loop = EventLoop::with_config(Config { precision, ..Config::default() })?;
    event_loop.timeout(0u64, delay)?;
    // The turn that ends the run does not tick.
    let measure = Measure { delay, left: count, late: Vec::with_capacity(count), waits: 1 };
    let mut measured = event_loop.run(measure)?;
    measured.late.sort_unstable();
    Ok(measured)
}

fn main() -> io::Result<()> {
    println!("{:>10} {:>10} {:>10} {:>10} {:>8}", "precision", "delay", "median", "worst", "waits");
    for precision in [Precision::Cheap, Precision::Exact] {
        for (delay, count) in DELAYS {
            let Measure { late, waits, .. } = measure(precision, delay, count)?;
            let [median, worst] = [late[late.len() / 2], late[late.len() - 1]];
            let waits = waits as f64 / count as f64;
            println!(
                "{:>10} {:>10} {:>7} µs {:>7} µs {waits:>8.2}",
                format!("{precision:?}"),
                format!("{delay:?}"),
                median.as_micros(),
                worst.as_micros(),
            );
        }
    }
    Ok(())
}
