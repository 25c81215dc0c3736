//! tokio-util's `DelayQueue`, which rounds to the millisecond.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

use super::{Fired, Timers, put};
use crate::loops::runtime;

pub struct Loop {
    queue: DelayQueue<u32>,
    keys: Vec<Key>,
    now: Instant,
    runtime: Runtime,
}

impl Timers for Loop {
    type Handle = Key;

    fn new(capacity: usize) -> Self {
        let runtime = runtime();
        let _context = runtime.enter();
        let queue = DelayQueue::with_capacity(capacity);
        drop(_context);
        Self { queue, keys: Vec::with_capacity(capacity), now: Instant::now(), runtime }
    }

    fn insert(&mut self, slot: usize, delay: Duration) {
        let _context = (self.queue.is_empty()).then(|| self.runtime.enter());
        let key = self.queue.insert_at(slot as u32, self.now + delay);
        put(&mut self.keys, slot, key);
    }

    fn cancel(&mut self, slot: usize) {
        self.queue.remove(&self.keys[slot]);
    }

    #[inline(always)]
    fn handle(&self, slot: usize) -> Key {
        self.keys[slot]
    }

    fn push_back(&mut self, handle: Key, delay: Duration) {
        self.queue.reset_at(&handle, self.now + delay);
    }

    fn turn(&mut self) {
        let queue = &mut self.queue;
        self.runtime.block_on(async {
            let expired = queue.poll_expired(&mut Context::from_waker(Waker::noop()));
            assert!(expired.is_pending());
            tokio::task::yield_now().await;
        });
        self.now = Instant::now();
    }

    fn fire(&mut self, fired: &mut Fired) {
        let queue = &mut self.queue;
        self.runtime.block_on(async {
            loop {
                let expired = poll_fn(|context| match queue.poll_expired(context) {
                    Poll::Ready(expired) => Poll::Ready(expired.expect("some are left")),
                    Poll::Pending => Poll::Pending,
                });
                if fired.on(expired.await.into_inner() as usize) {
                    return;
                }
            }
        });
    }
}
