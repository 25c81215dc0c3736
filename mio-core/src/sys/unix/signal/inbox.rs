//! Where a signal handler leaves what it saw: a queue, and a mask for what found no room in it.

use std::io;

use super::{Bell, Occurrence};
use crate::{
    queue::{Consumer, Queue, queue},
    sync::{
        Arc,
        global::{AtomicU32, AtomicUsize, Ordering},
    },
};

pub(super) struct Inbox {
    /// The process that the loop belongs to.
    pub(super) process: i32,
    queue: Arc<Queue<Occurrence>>,
    /// The signals that occurred while the queue was full: low and high half.
    overflow: [AtomicU32; 2],
    /// How often anything was left here, wrapping.
    arrivals: AtomicUsize,
    bell: Box<dyn Bell>,
}

impl Inbox {
    /// Room for `capacity` occurrences, rounded up to a power of two, and the one way to take them out.
    pub(super) fn new(
        capacity: usize,
        process: i32,
        bell: Box<dyn Bell>,
    ) -> io::Result<(Inbox, Consumer<Occurrence>)> {
        let (queue, consumer) = queue(capacity, ())?;
        let (overflow, arrivals) = Default::default();
        Ok((Inbox { process, queue, overflow, arrivals, bell }, consumer))
    }

    /// Leaves an occurrence and rings; async-signal-safe, and lock-free among threads.
    pub(super) fn post(&self, occurrence: Occurrence) {
        if self.queue.push_with(occurrence, |occurrence| occurrence).is_err() {
            let bit = occurrence.signal as u32 - 1;
            self.overflow[(bit / 32) as usize].fetch_or(1 << (bit % 32), Ordering::Release);
        }
        // `SeqCst` is what the bell asks for.
        self.arrivals.fetch_add(1, Ordering::SeqCst);
        self.bell.ring();
    }

    /// A number that changes with every occurrence.
    #[inline]
    pub(super) fn arrivals(&self) -> usize {
        self.arrivals.load(Ordering::SeqCst)
    }

    /// Takes the lowest signal of those that found no room.
    pub(super) fn pop_overflow(&self) -> Option<Occurrence> {
        for (half, overflow) in (0..).zip(&self.overflow) {
            let set = overflow.load(Ordering::Relaxed);
            if set != 0 {
                let bit = set.trailing_zeros();
                overflow.fetch_and(!(1 << bit), Ordering::Acquire);
                let signal = (half * 32 + bit + 1) as i32;
                return Some(Occurrence { signal, code: 0, pid: None, uid: None });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Silent;

    impl Bell for Silent {
        fn ring(&self) {}
    }

    #[test]
    fn what_finds_no_room_is_merged_by_signal() {
        let (inbox, mut queued) = Inbox::new(2, 1, Box::new(Silent)).unwrap();
        let occurrence = |signal| Occurrence { signal, code: -6, pid: Some(1), uid: Some(7) };
        for signal in [5, 6, 64, 1, 64, 32, 33] {
            inbox.post(occurrence(signal));
        }
        assert_eq!(inbox.arrivals(), 7);
        assert_eq!([queued.pop(), queued.pop()], [5, 6].map(|signal| Some(occurrence(signal))));
        assert_eq!(queued.pop(), None);
        for signal in [1, 32, 33, 64] {
            let merged = Occurrence { signal, code: 0, pid: None, uid: None };
            assert_eq!(inbox.pop_overflow(), Some(merged));
        }
        assert_eq!(inbox.pop_overflow(), None);
    }
}
