//! A bounded queue of many producers and one consumer, lock-free on both sides.
//!
//! It is Dmitry Vyukov's [bounded queue](https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue)
//! with one consumer, whose position therefore needs no atomic. Each slot carries a stamp which says
//! whose turn it is. A producer *claims* a position by moving the tail past it, writes the value into
//! its slot and *publishes* it by the stamp; the consumer takes the value and stamps the slot free for
//! the position one lap later.
//!
//! What differs from the original, and why:
//!
//! - Positions count in steps of four, which leaves two bits for the state of a slot. So a slot that is
//!   taken differs from one that is free for the next position even in a ring of one slot, a producer
//!   that panics can mark its slot as abandoned, and the tail can say that the queue is closed in the
//!   word that every producer compares anyway: once closed, nothing can be claimed.
//! - Publishing is a sequentially consistent store, which [`Doorbell`](crate::doorbell::Doorbell) relies on.
//!
//! A producer allocates nothing, makes no system call and waits for nobody, so it may run in a signal
//! handler, even one that interrupted another producer between claim and publication. Until that one is
//! published, what was claimed after it is not seen either: the queue stays in the order of its claims.
//!
//! Positions wrap. A producer that sleeps between its two first reads and its claim while exactly a
//! multiple of 2⁶² messages go by (2³⁰ on 32-bit machines) could claim a slot in use: we accept that.
#![allow(unsafe_code)]

use std::{fmt, io, mem, mem::MaybeUninit, panic::RefUnwindSafe};

use crate::sync::{Arc, AtomicUsize, Ordering, UnsafeCell};

const STEP: usize = 4;
/// The state of a slot, in the low bits of its stamp.
const STATE: usize = STEP - 1;
const PUBLISHED: usize = 1;
const ABANDONED: usize = 2;
/// In the low bits of the tail, which makes it later than any stamp that its slot can have.
const CLOSED: usize = 3;

/// Builds a queue for `capacity` values, rounded up to a power of two (one at least), with `common`
/// beside it.
///
/// It is the only maker of consumers, hence there is one for each queue.
///
/// # Errors
///
/// `OutOfMemory`.
pub(crate) fn queue<T, C>(capacity: usize, common: C) -> io::Result<Ends<T, C>> {
    queue_at(capacity, 0, common)
}

type Ends<T, C> = (Arc<Queue<T, C>>, Consumer<T, C>);

/// Builds a queue that has `laps` behind it.
fn queue_at<T, C>(capacity: usize, laps: usize, common: C) -> io::Result<Ends<T, C>> {
    let capacity = capacity.checked_next_power_of_two().ok_or(io::ErrorKind::OutOfMemory)?;
    let mut slots = Vec::new();
    slots.try_reserve_exact(capacity).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let head = laps.wrapping_mul(capacity * STEP);
    slots.extend((0..capacity).map(|index| Slot {
        stamp: AtomicUsize::new(head.wrapping_add(index * STEP)),
        value: UnsafeCell::new(MaybeUninit::uninit()),
    }));
    let queue = Arc::new(Queue {
        tail: CachePadded(AtomicUsize::new(head)),
        mask: (capacity - 1) * STEP,
        slots: slots.into_boxed_slice(),
        common,
    });
    Ok((Arc::clone(&queue), Consumer { queue, head }))
}

/// The producers' side, shared.
pub(crate) struct Queue<T, C = ()> {
    /// The next position to claim, or that with `CLOSED`.
    tail: CachePadded<AtomicUsize>,
    /// What of a position tells its slot.
    mask: usize,
    slots: Box<[Slot<T>]>,
    /// What else both sides share: here it costs them no pointer more.
    pub(crate) common: C,
}

struct Slot<T> {
    /// A position with the state of the slot. At position `p`: `p`, free; `p + PUBLISHED`, holds a value;
    /// `p + ABANDONED`, claimed and given up.
    stamp: AtomicUsize,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// Keeps what producers write away from what they only read.
#[repr(align(128))]
struct CachePadded<T>(T);

// SAFETY: a value moves in at one thread and out at another, hence `T: Send`; nobody gets a `&T`. The
// stamps let one thread at a time at a slot's value.
unsafe impl<T: Send, C: Send> Send for Queue<T, C> {}
// SAFETY: as above.
unsafe impl<T: Send, C: Sync> Sync for Queue<T, C> {}

// Nobody sees a value that is in it, and a panic of `wrap` gives its place up.
impl<T, C> RefUnwindSafe for Queue<T, C> {}

impl<T, C> Queue<T, C> {
    /// Puts `value` last, or gives it back if the queue is full or closed.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn push(&self, value: T) -> Result<(), T> {
        self.push_with(value, |value| value)
    }

    /// Puts `wrap(value)` last, or gives `value` back if the queue is full or closed.
    ///
    /// `wrap` is called only when its result has a place. If it panics, the place is lost for one lap and
    /// the panic goes on.
    #[inline]
    pub(crate) fn push_with<U>(&self, value: U, wrap: impl FnOnce(U) -> T) -> Result<(), U> {
        let mut tail = self.tail.0.load(Ordering::Relaxed);
        let slot = loop {
            let slot = self.slot(tail);
            let stamp = slot.stamp.load(Ordering::Acquire);
            if stamp == tail {
                let next = tail.wrapping_add(STEP);
                // `SeqCst` for `is_empty`, which looks at the tail first.
                let (success, failure) = (Ordering::SeqCst, Ordering::Relaxed);
                match self.tail.0.compare_exchange_weak(tail, next, success, failure) {
                    Ok(_) => break slot,
                    Err(now) => tail = now,
                }
            } else if is_before(stamp, tail) {
                return Err(value);
            } else {
                tail = self.tail.0.load(Ordering::Relaxed);
            }
        };
        let claim = Claim { slot, position: tail };
        let value = wrap(value);
        claim.publish(value);
        Ok(())
    }

    /// Lets nothing more in. What was claimed before is still published.
    pub(crate) fn close(&self) {
        self.tail.0.fetch_or(CLOSED, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.tail.0.load(Ordering::Acquire) & STATE == CLOSED
    }

    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    #[inline(always)]
    fn slot(&self, position: usize) -> &Slot<T> {
        const { assert!(size_of::<Slot<T>>() % STEP == 0) };
        let offset = (position & self.mask) * (size_of::<Slot<T>>() / STEP);
        // SAFETY: `queue_at` made `mask` such that this is the offset in bytes of one of the slots.
        let slot = unsafe { self.slots.as_ptr().byte_add(offset) };
        // SAFETY: the slot lives as long as `self`, and is only ever borrowed shared.
        unsafe { &*slot }
    }
}

/// Whether stamp `a` is of a position before `b`, on the circle of positions. No two stamps in use are
/// half of it apart, since the slots between them fit into memory.
#[inline(always)]
fn is_before(a: usize, b: usize) -> bool {
    (a.wrapping_sub(b) as isize) < 0
}

/// A position that is claimed and not published yet. If it is dropped so, it is abandoned.
struct Claim<'a, T> {
    slot: &'a Slot<T>,
    position: usize,
}

impl<T> Claim<'_, T> {
    #[inline(always)]
    fn publish(self, value: T) {
        self.slot.value.with_mut(|cell| {
            // SAFETY: the claim makes this the only thread at the cell until the stamp says otherwise.
            unsafe { cell.write(MaybeUninit::new(value)) };
        });
        self.slot.stamp.store(self.position.wrapping_add(PUBLISHED), Ordering::SeqCst);
        mem::forget(self);
    }
}

impl<T> Drop for Claim<'_, T> {
    #[cold]
    fn drop(&mut self) {
        self.slot.stamp.store(self.position.wrapping_add(ABANDONED), Ordering::SeqCst);
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        if mem::needs_drop::<T>() && self.stamp.load(Ordering::Relaxed) & STATE == PUBLISHED {
            self.value.with_mut(|cell| {
                // SAFETY: `cell` points into `self`, which is borrowed mutably.
                let value = unsafe { &mut *cell };
                // SAFETY: the stamp says that it was written and not taken; nobody comes after.
                unsafe { value.assume_init_drop() };
            });
        }
    }
}

impl<T, C> fmt::Debug for Queue<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (capacity, closed) = (self.capacity(), self.is_closed());
        f.debug_struct("Queue").field("capacity", &capacity).field("closed", &closed).finish()
    }
}

/// The consumer's side. Dropping it closes the queue and drops what is in it; a value whose producer was
/// between claim and publication just then is dropped with the queue.
#[derive(Debug)]
pub(crate) struct Consumer<T, C = ()> {
    queue: Arc<Queue<T, C>>,
    head: usize,
}

impl<T, C> Consumer<T, C> {
    #[inline]
    pub(crate) fn queue(&self) -> &Arc<Queue<T, C>> {
        &self.queue
    }

    /// Takes the first value, unless there is none or its producer has not published it yet.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<T> {
        let queue = &*self.queue;
        let head = self.head;
        let slot = queue.slot(head);
        let stamp = slot.stamp.load(Ordering::Acquire);
        if stamp != head | PUBLISHED {
            return if stamp == head { None } else { self.pop_after_abandoned() };
        }
        let value = slot.value.with(|cell| {
            // SAFETY: the stamp says that the producer is done with the cell, and this consumer, the only
            // one, is borrowed mutably.
            unsafe { cell.read() }
        });
        let next = head.wrapping_add(STEP);
        slot.stamp.store(next.wrapping_add(queue.mask), Ordering::Release);
        self.head = next;
        // SAFETY: the producer of this position wrote a value before it published. The slot is stamped
        // free, so that nobody takes it twice.
        Some(unsafe { value.assume_init() })
    }

    /// Passes over the places from the head on that were given up.
    #[cold]
    fn pop_after_abandoned(&mut self) -> Option<T> {
        loop {
            let slot = self.queue.slot(self.head);
            if slot.stamp.load(Ordering::Acquire) != self.head | ABANDONED {
                return self.pop();
            }
            let next = self.head.wrapping_add(STEP);
            slot.stamp.store(next.wrapping_add(self.queue.mask), Ordering::Release);
            self.head = next;
        }
    }

    /// Whether `pop` would find nothing. Sequentially consistent, as [`Doorbell`](crate::doorbell::Doorbell)
    /// wants it.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // Not the tail, which each look takes from those who move it: this slot is where `pop` has just looked.
        self.queue.slot(self.head).stamp.load(Ordering::SeqCst) == self.head
    }

    /// As [`is_empty`](Consumer::is_empty), once `act` has done something to what both sides share.
    #[inline(always)]
    pub(crate) fn is_empty_after(&self, act: impl FnOnce(&C)) -> bool {
        let queue = &*self.queue;
        act(&queue.common);
        // Nothing claimed, nothing published: one look at what is in the cache tells it in most cases.
        queue.tail.0.load(Ordering::SeqCst) == self.head || self.has_claims_only()
    }

    /// Whether something is claimed at the head, and not published.
    #[cold]
    #[inline(never)]
    fn has_claims_only(&self) -> bool {
        self.queue.slot(self.head).stamp.load(Ordering::SeqCst) == self.head
    }
}

#[cfg(all(test, not(loom)))]
impl<T> Consumer<T> {
    /// How many positions are claimed and not taken: at least as many as `pop` would find now.
    pub(crate) fn len(&self) -> usize {
        let tail = self.queue.tail.0.load(Ordering::Relaxed) & !STATE;
        tail.wrapping_sub(self.head) / STEP
    }
}

impl<T, C> Drop for Consumer<T, C> {
    fn drop(&mut self) {
        self.queue.close();
        let rest = Rest(self);
        while rest.0.pop().is_some() {}
    }
}

/// Drops what is left when one of the values panics: those that own producers would keep the queue for ever.
struct Rest<'a, T, C>(&'a mut Consumer<T, C>);

impl<T, C> Drop for Rest<'_, T, C> {
    fn drop(&mut self) {
        while self.0.pop().is_some() {}
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{collections::VecDeque, panic, thread};

    use proptest::prelude::*;

    use super::*;
    use crate::cases::cases;

    fn drain<T>(consumer: &mut Consumer<T>) -> Vec<T> {
        std::iter::from_fn(|| consumer.pop()).collect()
    }

    /// Claims a place and gives it up.
    fn abandon<T>(queue: &Queue<T>) -> Result<(), ()> {
        let push = || queue.push_with((), |()| panic::resume_unwind(Box::new(())));
        panic::catch_unwind(panic::AssertUnwindSafe(push)).unwrap_or(Ok(()))
    }

    #[test]
    fn capacity_is_the_next_power_of_two() {
        for (asked, got) in [(0, 1), (1, 1), (2, 2), (3, 4), (1000, 1024)] {
            assert_eq!(queue::<u8, ()>(asked, ()).unwrap().0.capacity(), got);
        }
    }

    #[test]
    fn too_much_memory_is_an_error() {
        for capacity in [usize::MAX, usize::MAX / 2, usize::MAX / 16] {
            let error = queue::<[u8; 64], ()>(capacity, ()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        }
    }

    #[test]
    fn what_does_not_fit_comes_back() {
        for capacity in [1, 2, 4] {
            let (queue, mut consumer) = queue(capacity, ()).unwrap();
            for lap in 0..3 {
                assert!(consumer.is_empty());
                for value in 0..capacity {
                    assert_eq!(queue.push(value + lap), Ok(()));
                }
                assert_eq!(queue.push(99), Err(99));
                assert_eq!(consumer.len(), capacity);
                assert_eq!(drain(&mut consumer), (lap..capacity + lap).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_producer_interrupted_by_another_keeps_its_place() {
        let (queue, mut consumer) = queue(4, ()).unwrap();
        let interrupted = queue.push_with(1, |value| {
            queue.push(2).unwrap();
            assert!(consumer.is_empty() && consumer.pop().is_none());
            assert_eq!(consumer.len(), 2);
            value
        });
        assert_eq!(interrupted, Ok(()));
        assert_eq!(drain(&mut consumer), [1, 2]);
    }

    #[test]
    fn an_abandoned_place_is_passed_over() {
        let (queue, mut consumer) = queue(2, ()).unwrap();
        abandon(&queue).unwrap();
        queue.push('a').unwrap();
        assert_eq!(queue.push('b'), Err('b'));
        assert_eq!(drain(&mut consumer), ['a']);
        abandon(&queue).unwrap();
        abandon(&queue).unwrap();
        abandon(&queue).unwrap_err();
        assert!(!consumer.is_empty());
        assert_eq!(consumer.pop(), None);
        assert!(consumer.is_empty());
    }

    #[test]
    fn a_closed_queue_gives_everything_back() {
        let (queue, consumer) = queue(4, ()).unwrap();
        queue.push(1).unwrap();
        assert!(!queue.is_closed());
        drop(consumer);
        assert!(queue.is_closed());
        assert_eq!(queue.push(2), Err(2));
    }

    #[test]
    fn leftovers_are_dropped_once_by_the_consumer() {
        let value = Arc::new(());
        let (queue, mut consumer) = queue(8, ()).unwrap();
        for _ in 0..5 {
            queue.push(Arc::clone(&value)).unwrap();
        }
        abandon(&queue).unwrap();
        queue.push(Arc::clone(&value)).unwrap();
        drop(consumer.pop());
        drop(consumer);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn a_leftover_that_panics_does_not_keep_those_that_own_a_producer() {
        struct Owner {
            _queue: Arc<Queue<Owner>>,
            panics: bool,
        }
        impl Drop for Owner {
            fn drop(&mut self) {
                assert!(!self.panics, "told to");
            }
        }
        let (queue, consumer) = queue(4, ()).unwrap();
        for panics in [false, true, false, false] {
            assert!(queue.push(Owner { _queue: Arc::clone(&queue), panics }).is_ok());
        }
        panic::catch_unwind(panic::AssertUnwindSafe(|| drop(consumer))).unwrap_err();
        assert_eq!(Arc::strong_count(&queue), 1);
    }

    #[test]
    fn what_is_published_after_the_consumer_went_is_dropped_with_the_queue() {
        let value = Arc::new(());
        let (queue, consumer) = queue(8, ()).unwrap();
        let late = queue.push_with(Arc::clone(&value), |value| {
            queue.push(Arc::clone(&value)).unwrap();
            drop(consumer);
            value
        });
        assert_eq!(late, Ok(()));
        assert_eq!(Arc::strong_count(&value), 3);
        drop(queue);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn values_without_size_are_counted() {
        let (queue, mut consumer) = queue(2, ()).unwrap();
        queue.push(()).unwrap();
        queue.push(()).unwrap();
        assert_eq!(queue.push(()), Err(()));
        assert_eq!(drain(&mut consumer).len(), 2);
    }

    #[test]
    fn each_producers_values_stay_in_order() {
        const PRODUCERS: usize = 3;
        const VALUES: usize = if cfg!(miri) { 12 } else { 20_000 };
        for capacity in [1, 2, 64] {
            let (queue, mut consumer) = queue(capacity, ()).unwrap();
            let produce = |producer: usize| {
                for mut value in (0..VALUES).map(|value| Box::new((producer, value))) {
                    while let Err(refused) = queue.push(value) {
                        value = refused;
                        thread::yield_now();
                    }
                }
            };
            thread::scope(|scope| {
                for producer in 0..PRODUCERS {
                    scope.spawn(move || produce(producer));
                }
                let mut next = [0; PRODUCERS];
                while next != [VALUES; PRODUCERS] {
                    let Some(value) = consumer.pop() else {
                        thread::yield_now();
                        continue;
                    };
                    let (producer, value) = *value;
                    assert_eq!(value, next[producer]);
                    next[producer] += 1;
                }
            });
            assert!(consumer.is_empty());
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Push(u16),
        Abandon,
        Pop,
        Close,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            100 => any::<u16>().prop_map(Op::Push),
            4 => Just(Op::Abandon),
            100 => Just(Op::Pop),
            1 => Just(Op::Close),
        ]
    }

    proptest! {
        #![proptest_config(cases(4, 10_000))]

        /// One lap before positions wrap, or anywhere.
        #[test]
        fn it_does_what_a_deque_does(
            capacity in 1_usize..9,
            laps in prop_oneof![Just(usize::MAX), any::<usize>()],
            ops in prop::collection::vec(op(), 1..if cfg!(miri) { 30 } else { 60 }),
        ) {
            let (queue, mut consumer) = queue_at(capacity, laps, ()).unwrap();
            let (capacity, mut closed) = (capacity.next_power_of_two(), false);
            let mut model = VecDeque::new();
            for op in ops {
                let refused = closed || model.len() == capacity;
                match op {
                    Op::Push(value) => {
                        let value = Box::new(value);
                        let expected = if refused { Err(value.clone()) } else { Ok(()) };
                        prop_assert_eq!(queue.push(value.clone()), expected);
                        if !refused {
                            model.push_back(Some(value));
                        }
                    }
                    Op::Abandon => {
                        prop_assert_eq!(abandon(&queue).is_err(), refused);
                        if !refused {
                            model.push_back(None);
                        }
                    }
                    Op::Pop => {
                        let expected = std::iter::from_fn(|| model.pop_front()).flatten().next();
                        prop_assert_eq!(consumer.pop(), expected);
                    }
                    Op::Close => {
                        queue.close();
                        closed = true;
                    }
                }
                prop_assert_eq!(consumer.len(), model.len());
                prop_assert_eq!(consumer.is_empty(), model.is_empty());
                prop_assert_eq!(queue.is_closed(), closed);
            }
        }
    }
}
