//! tokio's bounded mpsc, received by a task of its current-thread runtime.

use tokio::sync::mpsc::{Sender, channel};

use super::{BATCH, CAPACITY, Delivery, Plan, deliver};
use crate::loops::runtime;
use crate::measure::{Cost, measure};

pub fn threads(plan: &Plan) -> Delivery {
    let runtime = runtime();
    let (sender, mut receiver) = channel(CAPACITY);
    let send = |sender: &Sender<u64>, message| sender.try_send(message).is_ok();
    deliver(plan, sender, send, |inbox| {
        runtime.block_on(async {
            while let Some(message) = receiver.recv().await {
                if inbox.take(message) {
                    return;
                }
            }
        });
    })
}

pub fn alone(messages: u64) -> Cost {
    let (sender, mut receiver) = channel(CAPACITY);
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
