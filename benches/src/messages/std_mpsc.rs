//! std's `sync_channel` and mio's `Waker`, with a wake-up for each message.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use mio::{Events, Poll, Token, Waker};

use super::{BATCH, CAPACITY, Delivery, Plan, deliver};
use crate::measure::{Cost, measure};

pub fn threads(plan: &Plan) -> Delivery {
    let mut poll = Poll::new().expect("poll");
    let waker = Arc::new(Waker::new(poll.registry(), Token(0)).expect("waker"));
    let mut events = Events::with_capacity(1024);
    let (sender, receiver) = sync_channel(CAPACITY);
    let send = |(sender, waker): &(SyncSender<u64>, Arc<Waker>), message| {
        let sent = sender.try_send(message).is_ok();
        if sent {
            waker.wake().expect("wake");
        }
        sent
    };
    // Ours stays alive: with the last clone the eventfd would go, and with it a wake-up not yet seen.
    deliver(plan, (sender, Arc::clone(&waker)), send, |inbox| {
        loop {
            if let Err(error) = poll.poll(&mut events, None) {
                assert_eq!(error.kind(), std::io::ErrorKind::Interrupted, "poll: {error}");
            }
            while let Ok(message) = receiver.try_recv() {
                if inbox.take(message) {
                    return;
                }
            }
        }
    })
}

pub fn alone(messages: u64) -> Cost {
    let (sender, receiver) = sync_channel(CAPACITY);
    let mut sum = 0u64;
    let cost = measure(|| {
        for _ in 0..messages / BATCH {
            for message in 0..BATCH {
                sender.try_send(message).expect("room");
            }
            while let Ok(message) = receiver.try_recv() {
                sum = sum.wrapping_add(message);
            }
        }
    });
    std::hint::black_box(sum);
    cost
}
