//! mio-core's own queue and its wake-ups, which are part of the loop.

use mio_core::{EventLoop, Handler, Sender};

use super::{BATCH, Delivery, Inbox, Plan, deliver};
use crate::measure::{Cost, measure};

struct Receive<'a>(&'a mut Inbox);

impl Handler<u64> for Receive<'_> {
    fn message(&mut self, event_loop: &mut EventLoop<u64>, message: u64) {
        if self.0.take(message) {
            event_loop.shutdown();
        }
    }
}

pub fn threads(plan: &Plan) -> Delivery {
    let mut event_loop = EventLoop::<u64>::new().expect("loop");
    let send = |sender: &Sender<u64>, message| sender.send(message).is_ok();
    deliver(plan, event_loop.sender(), send, |inbox| {
        event_loop.run(Receive(inbox)).expect("run");
    })
}

/// Sends itself a batch, and the next one when it has received all of it.
struct Alone {
    sender: Sender<u64>,
    sum: u64,
    left_in_batch: u64,
    batches: u64,
}

impl Handler<u64> for Alone {
    fn message(&mut self, event_loop: &mut EventLoop<u64>, message: u64) {
        self.sum = self.sum.wrapping_add(message);
        self.left_in_batch -= 1;
        if self.left_in_batch == 0 {
            self.next_batch(event_loop);
        }
    }
}

impl Alone {
    #[inline(never)]
    fn next_batch(&mut self, event_loop: &mut EventLoop<u64>) {
        if self.batches == 0 {
            return event_loop.shutdown();
        }
        self.batches -= 1;
        self.left_in_batch = BATCH;
        for message in 0..BATCH {
            self.sender.send(message).expect("room");
        }
    }
}

pub fn alone(messages: u64) -> Cost {
    let mut event_loop = EventLoop::<u64>::new().expect("loop");
    let sender = event_loop.sender();
    let mut alone = Alone { sender, sum: 0, left_in_batch: 0, batches: messages / BATCH };
    let cost = measure(|| {
        alone.next_batch(&mut event_loop);
        event_loop.run(&mut alone).expect("run");
    });
    std::hint::black_box(alone.sum);
    cost
}
