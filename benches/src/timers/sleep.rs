//! tokio's `Sleep`, one in place for each slot, which rounds to the millisecond.
//!
//! Each is polled with a waker of its own that notes the slot, the least that a task or a
//! `FuturesUnordered` would do, and polled again once it has been woken.
//!
//! tokio has no clock of the turn. Its documentation has whoever pushes one back write `reset(Instant::now() + delay)`, as
//! `sleep(delay)` does itself. A program that keeps an instant of its own for a whole turn saves these readings.

use std::cell::UnsafeCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, RawWaker, RawWakerVTable, Waker};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Fired, Timers};
use crate::loops::runtime;

/// With one reading of the clock for a turn, or with one for each deadline.
pub struct Loop<const SHARED_CLOCK: bool> {
    /// Never moved once filled, since a polled `Sleep` is pinned.
    slots: Vec<Option<Sleep>>,
    turn: Instant,
    // After the slots: a `Sleep` is dropped before its runtime.
    runtime: Runtime,
}

thread_local! {
    static WOKEN: UnsafeCell<Vec<usize>> = const { UnsafeCell::new(Vec::new()) };
}

const VTABLE: RawWakerVTable =
    RawWakerVTable::new(|slot| RawWaker::new(slot, &VTABLE), wake, wake, |_| {});

fn wake(slot: *const ()) {
    // SAFETY: only this thread sees its vector, and no borrow of it outlives a statement.
    WOKEN.with(|woken| unsafe { (*woken.get()).push(slot.addr()) });
}

fn waker(slot: usize) -> Waker {
    // SAFETY: the table's functions take the data for a number and never follow it.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::without_provenance(slot), &VTABLE)) }
}

impl<const SHARED_CLOCK: bool> Loop<SHARED_CLOCK> {
    fn now(&self) -> Instant {
        if SHARED_CLOCK { self.turn } else { Instant::now() }
    }

    fn sleep(&mut self, slot: usize) -> Pin<&mut Sleep> {
        let sleep = self.slots[slot].as_mut().expect("armed");
        // SAFETY: the table was sized once and is never moved or grown.
        unsafe { Pin::new_unchecked(sleep) }
    }

    fn poll(&mut self, slot: usize) -> bool {
        let waker = waker(slot);
        self.sleep(slot).poll(&mut Context::from_waker(&waker)).is_ready()
    }
}

impl<const SHARED_CLOCK: bool> Timers for Loop<SHARED_CLOCK> {
    type Handle = usize;

    fn new(capacity: usize) -> Self {
        let slots = (0..capacity).map(|_| None).collect();
        Self { slots, turn: Instant::now(), runtime: runtime() }
    }

    fn insert(&mut self, slot: usize, delay: Duration) {
        let context = self.runtime.enter();
        self.slots[slot] = Some(sleep_until(self.now() + delay));
        drop(context);
        assert!(!self.poll(slot));
    }

    fn cancel(&mut self, slot: usize) {
        self.slots[slot] = None;
    }

    #[inline(always)]
    fn handle(&self, slot: usize) -> usize {
        slot
    }

    fn push_back(&mut self, handle: usize, delay: Duration) {
        let deadline = self.now() + delay;
        self.sleep(handle).reset(deadline);
    }

    fn turn(&mut self) {
        self.runtime.block_on(tokio::task::yield_now());
        self.turn = Instant::now();
    }

    fn fire(&mut self, fired: &mut Fired) {
        while !fired.is_over() {
            self.runtime.block_on(tokio::task::yield_now());
            // SAFETY: as in `wake`.
            let woken = WOKEN.with(|woken| std::mem::take(unsafe { &mut *woken.get() }));
            for slot in woken {
                assert!(self.poll(slot));
                fired.on(slot);
            }
        }
    }
}
