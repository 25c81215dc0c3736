//! crossbeam's `ArrayQueue` and mio's `Waker`: what one builds by hand, once with a wake-up for each
//! message and once with a flag that says whether the loop sleeps.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use mio::{Events, Poll, Token, Waker};

use super::{BATCH, CAPACITY, Delivery, PER_TURN, Plan, deliver};
use crate::measure::{Cost, measure};

struct Shared {
    queue: ArrayQueue<u64>,
    asleep: AtomicBool,
    waker: Waker,
}

fn new() -> (Poll, Arc<Shared>) {
    let poll = Poll::new().expect("poll");
    let waker = Waker::new(poll.registry(), Token(0)).expect("waker");
    let queue = ArrayQueue::new(CAPACITY);
    (poll, Arc::new(Shared { queue, asleep: AtomicBool::new(false), waker }))
}

pub fn plain(plan: &Plan) -> Delivery {
    let (mut poll, shared) = new();
    let mut events = Events::with_capacity(1024);
    let send = |shared: &Arc<Shared>, message| {
        let sent = shared.queue.push(message).is_ok();
        if sent {
            shared.waker.wake().expect("wake");
        }
        sent
    };
    deliver(plan, Arc::clone(&shared), send, |inbox| {
        loop {
            wait(&mut poll, &mut events, None);
            while let Some(message) = shared.queue.pop() {
                if inbox.take(message) {
                    return;
                }
            }
        }
    })
}

pub fn with_flag(plan: &Plan) -> Delivery {
    let (mut poll, shared) = new();
    let mut events = Events::with_capacity(1024);
    let send = |shared: &Arc<Shared>, message| {
        let sent = shared.queue.push(message).is_ok();
        if sent {
            // The loop says that it sleeps and then looks at the queue; we fill the queue and then
            // look whether it sleeps: with a fence on each side, one of us sees the other.
            fence(Ordering::SeqCst);
            if shared.asleep.load(Ordering::Relaxed) && shared.asleep.swap(false, Ordering::AcqRel)
            {
                shared.waker.wake().expect("wake");
            }
        }
        sent
    };
    deliver(plan, Arc::clone(&shared), send, |inbox| {
        loop {
            let mut timeout = Some(Duration::ZERO);
            if shared.queue.is_empty() {
                shared.asleep.store(true, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                if shared.queue.is_empty() {
                    timeout = None;
                }
            }
            wait(&mut poll, &mut events, timeout);
            shared.asleep.store(false, Ordering::Relaxed);
            for _ in 0..PER_TURN {
                let Some(message) = shared.queue.pop() else { break };
                if inbox.take(message) {
                    return;
                }
            }
        }
    })
}

fn wait(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) {
    match poll.poll(events, timeout) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => panic!("poll: {error}"),
    }
}

pub fn alone(messages: u64) -> Cost {
    let queue = ArrayQueue::new(CAPACITY);
    let mut sum = 0u64;
    let cost = measure(|| {
        for _ in 0..messages / BATCH {
            for message in 0..BATCH {
                queue.push(message).expect("room");
            }
            while let Some(message) = queue.pop() {
                sum = sum.wrapping_add(message);
            }
        }
    });
    std::hint::black_box(sum);
    cost
}
