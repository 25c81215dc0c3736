//! Where a signal handler leaves what it saw: a bounded ring, and a mask for what found no room.
//!
//! The ring is Vyukov's bounded queue with one reader: each slot has a turn, which says whether it is
//! free for position `p` (`turn == p`) or holds what was written there (`turn == p + 1`). A writer that
//! is interrupted between claiming a slot and filling it delays the reader, never another writer.
//! <https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue>

use super::{Bell, Occurrence};
use crate::sync::global::{AtomicU32, AtomicUsize, Ordering};

pub(super) struct Inbox {
    /// The process that the loop belongs to.
    pub(super) process: i32,
    slots: Box<[Slot]>,
    /// The next position to write.
    tail: AtomicUsize,
    /// The signals that occurred while the ring was full: low and high half.
    overflow: [AtomicU32; 2],
    /// How often anything was left here, wrapping.
    arrivals: AtomicUsize,
    bell: Box<dyn Bell>,
}

struct Slot {
    turn: AtomicUsize,
    /// An [`Occurrence`], packed.
    words: [AtomicU32; 4],
}

impl Inbox {
    /// Room for `capacity` occurrences, rounded up to a power of two.
    pub(super) fn new(capacity: usize, process: i32, bell: Box<dyn Bell>) -> Inbox {
        let slot = |turn| Slot { turn: AtomicUsize::new(turn), words: Default::default() };
        Inbox {
            process,
            // With a single slot, "free for the next lap" and "filled" would be the same turn.
            slots: (0..capacity.max(2).next_power_of_two()).map(slot).collect(),
            tail: AtomicUsize::new(0),
            overflow: Default::default(),
            arrivals: AtomicUsize::new(0),
            bell,
        }
    }

    /// Leaves an occurrence and rings; async-signal-safe, and lock-free among threads.
    pub(super) fn post(&self, occurrence: Occurrence) {
        if !self.push(occurrence) {
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

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Takes what is at `head`, the reader's own position; there is only one reader.
    pub(super) fn pop(&self, head: &mut usize) -> Option<Occurrence> {
        let slot = self.slot(*head);
        if slot.turn.load(Ordering::Acquire) != head.wrapping_add(1) {
            return self.pop_overflow();
        }
        let words = [0, 1, 2, 3].map(|i: usize| slot.words[i].load(Ordering::Relaxed));
        slot.turn.store(head.wrapping_add(self.slots.len()), Ordering::Release);
        *head = head.wrapping_add(1);
        Some(unpack(words))
    }

    /// The lowest signal of those that found no room.
    #[inline]
    fn pop_overflow(&self) -> Option<Occurrence> {
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

    fn push(&self, occurrence: Occurrence) -> bool {
        let mut position = self.tail.load(Ordering::Relaxed);
        loop {
            let slot = self.slot(position);
            let ahead = slot.turn.load(Ordering::Acquire).wrapping_sub(position) as isize;
            if ahead < 0 {
                return false;
            }
            if ahead > 0 {
                position = self.tail.load(Ordering::Relaxed);
                continue;
            }
            let next = position.wrapping_add(1);
            let claim = self.tail.compare_exchange_weak(
                position,
                next,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match claim {
                Ok(_) => {
                    for (word, value) in slot.words.iter().zip(pack(occurrence)) {
                        word.store(value, Ordering::Relaxed);
                    }
                    slot.turn.store(next, Ordering::Release);
                    return true;
                }
                Err(now) => position = now,
            }
        }
    }

    fn slot(&self, position: usize) -> &Slot {
        &self.slots[position & (self.slots.len() - 1)]
    }
}

const HAS_PID: u32 = 1 << 8;
const HAS_UID: u32 = 1 << 9;

fn pack(occurrence: Occurrence) -> [u32; 4] {
    let Occurrence { signal, code, pid, uid } = occurrence;
    let has_pid = if pid.is_some() { HAS_PID } else { 0 };
    let has_uid = if uid.is_some() { HAS_UID } else { 0 };
    [signal as u32 | has_pid | has_uid, code as u32, pid.unwrap_or(0), uid.unwrap_or(0)]
}

fn unpack([signal, code, pid, uid]: [u32; 4]) -> Occurrence {
    Occurrence {
        signal: (signal & 0xFF) as i32,
        code: code as i32,
        pid: (signal & HAS_PID != 0).then_some(pid),
        uid: (signal & HAS_UID != 0).then_some(uid),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sync::global::AtomicBool;

    fn occurrence(signal: i32, pid: u32) -> Occurrence {
        Occurrence { signal, code: -6, pid: Some(pid), uid: Some(7) }
    }

    #[derive(Default)]
    struct Silent;

    impl Bell for Silent {
        fn ring(&self) {}
    }

    #[test]
    fn what_was_left_comes_out_in_order_and_whole() {
        let inbox = Inbox::new(4, 1, Box::new(Silent));
        let mut head = 0;
        for lap in 0..10 {
            let posted = [
                occurrence(1, lap),
                Occurrence { signal: 64, code: i32::MIN, pid: None, uid: None },
                Occurrence { signal: 33, code: 128, pid: None, uid: Some(u32::MAX) },
            ];
            for occurrence in posted {
                inbox.post(occurrence);
            }
            for occurrence in posted {
                assert_eq!(inbox.pop(&mut head), Some(occurrence));
            }
            assert_eq!(inbox.pop(&mut head), None);
        }
    }

    #[test]
    fn what_finds_no_room_is_merged_by_signal_and_comes_last() {
        let inbox = Inbox::new(2, 1, Box::new(Silent));
        for signal in [5, 6, 64, 1, 64, 32, 33] {
            inbox.post(occurrence(signal, 1));
        }
        let mut head = 0;
        let out: Vec<_> = std::iter::from_fn(|| inbox.pop(&mut head)).collect();
        assert_eq!(out.iter().map(|o| o.signal).collect::<Vec<_>>(), [5, 6, 1, 32, 33, 64]);
        assert_eq!(out[0], occurrence(5, 1));
        assert_eq!(out[2], Occurrence { signal: 1, code: 0, pid: None, uid: None });
    }

    #[test]
    fn threads_that_post_at_once_lose_nothing() {
        struct Bellman(Arc<AtomicUsize>);
        impl Bell for Bellman {
            fn ring(&self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        const EACH: u32 = if cfg!(miri) { 40 } else { 20_000 };
        let rung = Arc::new(AtomicUsize::new(0));
        let inbox = Inbox::new(8, 1, Box::new(Bellman(rung.clone())));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (1..=3)
                .map(|signal| {
                    let inbox = &inbox;
                    scope.spawn(move || {
                        for n in 1..=EACH {
                            inbox.post(occurrence(signal, n));
                        }
                    })
                })
                .collect();
            let reader = scope.spawn(|| {
                let (mut head, mut last, mut seen) = (0, [0; 4], [0_u32; 4]);
                loop {
                    let finished = done.load(Ordering::Acquire);
                    let Some(o) = inbox.pop(&mut head) else {
                        if finished {
                            return seen;
                        }
                        std::thread::yield_now();
                        continue;
                    };
                    seen[o.signal as usize] += 1;
                    if let Some(n) = o.pid {
                        assert!(n > last[o.signal as usize], "in each thread's own order");
                        last[o.signal as usize] = n;
                    }
                }
            });
            for writer in writers {
                writer.join().unwrap();
            }
            done.store(true, Ordering::Release);
            let seen = reader.join().unwrap();
            assert!(seen[1..].iter().all(|&count| (1..=EACH).contains(&count)), "{seen:?}");
        });
        assert_eq!(rung.load(Ordering::Relaxed), 3 * EACH as usize);
        assert_eq!(inbox.arrivals(), 3 * EACH as usize);
    }
}
