//! Messages into the loop: from other threads, to a loop that is busy with them or asleep, and from
//! the loop's own thread, which is where instructions can be counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Cost, measure};
use crate::os;

mod array_queue;
mod mio_core;
mod std_mpsc;
mod tokio_mpsc;

/// How many messages fit, for every peer.
pub const CAPACITY: usize = 1024;
/// How many a loop takes in a turn before it looks at its descriptors again, where it is its choice.
pub const PER_TURN: usize = 1024;
/// Messages that are sent and then received, in the single-threaded count.
pub const BATCH: u64 = 256;
/// What a sender waits between two messages to a sleeping loop, before it looks whether it sleeps.
const PAUSE: Duration = Duration::from_micros(200);

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub senders: u64,
    pub messages: u64,
    /// Wait before each message until the loop sleeps.
    pub asleep: bool,
}

/// What came of a run.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    pub cost: Cost,
    /// From before the send until the message was in hand, added up; only for a sleeping loop.
    pub latency: Duration,
}

pub type Threads = fn(&Plan) -> Delivery;
pub type Alone = fn(messages: u64) -> Cost;

/// Across threads.
pub const THREADS: &[(&str, Threads)] = &[
    ("mio-core", mio_core::threads),
    ("ArrayQueue, flag, mio Waker", array_queue::with_flag),
    ("ArrayQueue, mio Waker", array_queue::plain),
    ("std mpsc, mio Waker", std_mpsc::threads),
    ("tokio mpsc", tokio_mpsc::threads),
];

/// On one thread.
pub const ALONE: &[(&str, Alone)] = &[
    ("mio-core", mio_core::alone),
    ("ArrayQueue", array_queue::alone),
    ("std sync_channel", std_mpsc::alone),
    ("tokio mpsc", tokio_mpsc::alone),
];

/// The receiving side's work, the same for every peer.
#[derive(Debug)]
pub struct Inbox {
    left: u64,
    sum: u64,
    clock: Option<Instant>,
    latency: Duration,
}

impl Inbox {
    /// Takes one message. True when it was the last.
    #[inline(always)]
    pub fn take(&mut self, message: u64) -> bool {
        if let Some(clock) = self.clock {
            self.latency += clock.elapsed() - Duration::from_nanos(message);
        }
        self.sum = self.sum.wrapping_add(message);
        self.left -= 1;
        self.left == 0
    }
}

/// Starts the senders, each with a clone of `sender`, and measures `receive`.
///
/// `send` is false when the queue was full; a sender then spins for a moment and yields, whatever
/// the peer, since what is measured is the queue and the wake-up, not a way to wait for room.
fn deliver<S: Clone + Send + 'static>(
    plan: &Plan,
    sender: S,
    send: fn(&S, u64) -> bool,
    receive: impl FnOnce(&mut Inbox),
) -> Delivery {
    let (clock, receiver) = (Instant::now(), os::thread_id());
    let go = Arc::new(AtomicBool::new(false));
    let each = plan.messages / plan.senders;
    let threads: Vec<_> = (0..plan.senders)
        .map(|_| {
            let (sender, go, asleep) = (sender.clone(), Arc::clone(&go), plan.asleep);
            thread::spawn(move || {
                os::pin(1);
                while !go.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                for number in 0..each {
                    let mut message = number;
                    if asleep {
                        thread::sleep(PAUSE);
                        while !os::is_asleep(receiver) {
                            thread::yield_now();
                        }
                        message = clock.elapsed().as_nanos() as u64;
                    }
                    while !send(&sender, message) {
                        wait_for_room();
                    }
                }
            })
        })
        .collect();
    drop(sender);
    let mut inbox = Inbox {
        left: each * plan.senders,
        sum: 0,
        clock: plan.asleep.then_some(clock),
        latency: Duration::ZERO,
    };
    let cost = measure(|| {
        go.store(true, Ordering::Release);
        receive(&mut inbox);
    });
    for thread in threads {
        thread.join().expect("sender");
    }
    if !plan.asleep {
        assert_eq!(inbox.sum, plan.senders * (each * (each - 1) / 2), "lost or doubled");
    }
    Delivery { cost, latency: inbox.latency }
}

#[cold]
fn wait_for_room() {
    for _ in 0..32 {
        std::hint::spin_loop();
    }
    thread::yield_now();
}
