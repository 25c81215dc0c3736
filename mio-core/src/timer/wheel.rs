//! Where timers wait while they are far away: buckets that narrow towards the present.
//!
//! The time after `base` is divided by its digits of six bits. A key goes to the bucket of the
//! highest digit in which it differs from `base`: the top digits make few wide buckets far away,
//! the low ones many narrow ones close by, and all of a bucket is before all of a later one.
//! (Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987.) Nothing is sorted within a
//! bucket. When its time has come, `base` moves into it and its entries are dealt out again,
//! to narrower buckets or to those [near](super::near). Two bit maps find the first bucket in use.
//!
//! What stands for a timer here is the index of its slot and the lower half of its key: the bucket knows the upper one. A
//! bucket is a list of chunks of 16 such entries, two cache lines each. All are full but the first, into whose next free
//! place an entry goes and whose last entry fills the gap when one is taken out.
//!
//! Taking one out means looking for it in cold memory. So a slot that needs an earlier entry gets
//! another one, and the former is left behind, to be dropped when its bucket is dealt out: an orphan, told by
//! its slot's place, which is elsewhere.

use super::{
    entry::{Brief, NEVER, Place},
    prefetch::prefetch,
    slots::{self, Slots},
};
use std::collections::TryReserveError;

const DIGIT: u32 = 6;
const LEVELS: usize = 11;
pub(super) const CHUNK: usize = 16;

const BUCKETS: usize = LEVELS << DIGIT;

/// The first bucket that is too wide for its keys to be told by their lower halves. Nobody asks for them: what is in it
/// is dealt out by the deadlines in the slots.
const WIDE: usize = 6 << DIGIT;

/// About 17 milliseconds.
const NARROW: u64 = 1 << (4 * DIGIT);

/// Not the number of a chunk.
const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Wheel {
    /// Every key here is greater.
    base: u64,
    /// By level, a bit for each bucket in use.
    used: [u64; LEVELS],
    /// A bit for each level in use.
    levels: u32,
    /// The first bucket in use; if there is none, the one after all others, which stays empty.
    first: usize,
    buckets: Box<[Bucket]>,
    chunks: Vec<Chunk>,
    links: Vec<Link>,
    /// The first spare chunk.
    spare: u32,
    /// How many entries are orphans.
    orphans: usize,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// No key in it is less; `NEVER` when it is empty.
    least: u64,
    /// Whose key that was.
    least_slot: u32,
    /// The first chunk, if there are entries.
    chunk: u32,
    len: u32,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Chunk([Brief; CHUNK]);

/// Where a chunk belongs.
#[derive(Clone, Copy, Debug)]
struct Link {
    /// The next chunk of its bucket, or the next spare one.
    next: u32,
    bucket: u16,
}

/// A bucket in use and the keys that it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) bucket: u16,
    pub(super) len: usize,
    pub(super) first: u64,
    pub(super) last: u64,
    /// No key in it is less.
    pub(super) least: u64,
    /// Whose key that was.
    pub(super) least_slot: u32,
}

impl Bucket {
    const EMPTY: Bucket = Bucket { least: NEVER, least_slot: slots::NONE, chunk: NONE, len: 0 };
}

impl Chunk {
    const EMPTY: Chunk = Chunk([Brief::LAST; CHUNK]);
}

impl Span {
    /// Whether `base` may pass all of it ahead of time: what is set for before goes to the heap.
    #[inline]
    pub(super) fn is_narrow(self) -> bool {
        self.last - self.first < NARROW
    }

    /// Whether its keys differ by what a [`Brief`](super::entry::Brief) can tell.
    #[inline]
    pub(super) fn is_brief(self) -> bool {
        self.last - self.first <= u64::from(u32::MAX)
    }

    #[inline]
    pub(super) fn is_divisible(self) -> bool {
        self.first < self.last
    }
}

impl Wheel {
    /// Takes the memory for `capacity` entries and touches none of it.
    pub(super) fn with_capacity(capacity: usize) -> Result<Wheel, TryReserveError> {
        let chunks = Wheel::chunks(capacity);
        let mut wheel = Wheel {
            base: 0,
            used: [0; LEVELS],
            levels: 0,
            first: BUCKETS,
            buckets: vec![Bucket::EMPTY; BUCKETS + 1].into(),
            chunks: Vec::new(),
            links: Vec::new(),
            spare: NONE,
            orphans: 0,
        };
        wheel.chunks.try_reserve_exact(chunks)?;
        wheel.links.try_reserve_exact(chunks)?;
        Ok(wheel)
    }

    /// So many chunks always suffice: one in each bucket is not full.
    fn chunks(capacity: usize) -> usize {
        let entries = entries_max(capacity);
        entries / CHUNK + entries.min(BUCKETS)
    }

    #[inline]
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Moves `base` to a key of the first bucket in use, which the caller then empties before it
    /// asks for the first bucket again.
    #[inline]
    pub(super) fn advance(&mut self, base: u64) {
        self.base = base;
    }

    /// No key is less, [`NEVER`] if there are none; and whose that was.
    #[inline]
    pub(super) fn least(&self) -> (u64, u32) {
        let Bucket { least, least_slot, .. } = self.buckets[self.first];
        (least, least_slot)
    }

    /// The first bucket in use.
    pub(super) fn first(&self) -> Option<Span> {
        if self.first == BUCKETS {
            return None;
        }
        let (level, digit) = (self.first as u32 >> DIGIT, self.first as u64 % (1 << DIGIT));
        let shift = level * DIGIT;
        let above = self.base >> shift >> DIGIT << DIGIT;
        let first = (above | digit) << shift;
        let last = (first | ((1 << shift) - 1)).min(NEVER - 1);
        let Bucket { least, least_slot, len, .. } = self.buckets[self.first];
        let bucket = self.first as u16;
        Some(Span { bucket, len: len as usize, first, last, least, least_slot })
    }

    /// Finds the least of a small bucket, none of which was pushed back to after it.
    ///
    /// # Errors
    ///
    /// Where an entry is that does not belong here any more; as long as there is one, nothing is found.
    pub(super) fn refresh(&mut self, span: Span, table: &Slots) -> Result<u64, usize> {
        let bucket = &mut self.buckets[usize::from(span.bucket)];
        let (mut least, mut least_slot) = (NEVER, slots::NONE);
        let mut chunk = bucket.chunk as usize;
        let mut left = span.len;
        while left > 0 {
            let here = (left - 1) % CHUNK + 1;
            for (lane, entry) in self.chunks[chunk].0[..here].iter().enumerate() {
                let (at, index) = (chunk * CHUNK + lane, entry.slot());
                let slot = &table[index];
                let stays = slot.place == Place::far(at) && slot.sequence.is_some();
                if !stays || slot.deadline > span.last {
                    return Err(at);
                }
                if slot.deadline < least {
                    (least, least_slot) = (slot.deadline, index);
                }
            }
            left -= here;
            chunk = self.links[chunk].next as usize;
        }
        (bucket.least, bucket.least_slot) = (least, least_slot);
        Ok(least)
    }

    /// Puts an entry with a key after `base` where it belongs.
    #[inline]
    pub(super) fn insert(&mut self, key: u64, slot: u32, slots: &mut Slots) {
        let number = self.bucket(key);
        let len = self.buckets[number].len as usize;
        if len % CHUNK == 0 {
            self.extend(number);
        }
        let bucket = &mut self.buckets[number];
        bucket.len += 1;
        if key < bucket.least {
            (bucket.least, bucket.least_slot) = (key, slot);
        }
        let chunk = bucket.chunk as usize;
        self.chunks[chunk].0[len % CHUNK] = Brief::new(key, slot);
        slots[slot].place = Place::far(chunk * CHUNK + len % CHUNK);
    }

    /// Lets the entry at a place stand for an earlier key of its slot than it did. Answers whether it is early enough for
    /// that: in the bucket of the key, or in one before.
    #[inline]
    pub(super) fn stand_for(&mut self, at: usize, key: u64, slot: u32) -> bool {
        let number = self.links[at / CHUNK].bucket;
        let needed = if key > self.base { self.bucket(key) } else { return false };
        let bucket = &mut self.buckets[needed];
        if needed == usize::from(number) {
            if needed < WIDE {
                self.chunks[at / CHUNK].0[at % CHUNK] = Brief::new(key, slot);
            }
            if key < bucket.least {
                (bucket.least, bucket.least_slot) = (key, slot);
            }
        }
        needed >= usize::from(number)
    }

    #[inline]
    fn bucket(&self, key: u64) -> usize {
        let level = ((key ^ self.base) | 1).ilog2() / DIGIT;
        let digit = (key >> (level * DIGIT)) as usize % (1 << DIGIT);
        (level as usize) << DIGIT | digit
    }

    /// Leaves the entry of a slot behind, if with `live` timers there may be one more such.
    #[inline]
    pub(super) fn abandon(&mut self, live: usize) -> bool {
        let may = self.orphans < orphans_max(live);
        self.orphans += usize::from(may);
        may
    }

    /// Whether an entry of the slot is at a place, and has not been taken from there into the run.
    pub(super) fn holds(&self, at: usize, slot: u32) -> bool {
        self.chunks[at / CHUNK].0[at % CHUNK].slot() == slot
    }

    /// An entry in the run is one more orphan.
    pub(super) fn abandon_of_run(&mut self) {
        self.orphans += 1;
    }

    #[inline]
    pub(super) fn has_orphans(&self) -> bool {
        self.orphans > 0
    }

    /// So many orphans were taken out.
    #[inline]
    pub(super) fn drop_orphans(&mut self, count: usize) {
        self.orphans -= count;
    }

    /// Takes out the entry at a place. Answers the slot that has no entry now, if it was not an orphan.
    #[inline]
    pub(super) fn remove(&mut self, at: usize, slots: &mut Slots) -> Option<u32> {
        let slot = self.chunks[at / CHUNK].0[at % CHUNK].slot();
        let bucket = self.links[at / CHUNK].bucket;
        let is_own = slots[slot].place == Place::far(at);
        if let Some((last, from)) = self.take_last(usize::from(bucket)) {
            self.chunks[at / CHUNK].0[at % CHUNK] = last;
            let place = &mut slots[last.slot()].place;
            if *place == Place::far(from) {
                *place = Place::far(at);
            }
        }
        self.orphans -= usize::from(!is_own);
        is_own.then_some(slot)
    }

    #[inline]
    pub(super) fn is_empty(&self, bucket: u16) -> bool {
        self.buckets[usize::from(bucket)].len == 0
    }

    /// Takes a chunk of entries out of a bucket, orphans among them, and says where the first was. `None` if there are none.
    #[inline(always)]
    pub(super) fn take_chunk(
        &mut self,
        bucket: u16,
        take: impl FnOnce(usize, &[Brief]),
    ) -> Option<()> {
        let number = usize::from(bucket);
        let Bucket { len, chunk, .. } = self.buckets[number];
        let here = len.checked_sub(1)? % CHUNK as u32 + 1;
        take(chunk as usize * CHUNK, &self.chunks[chunk as usize].0[..here as usize]);
        self.buckets[number].len = len - here;
        self.shrink(number, chunk);
        Some(())
    }

    /// Asks for a chunk some time before it is taken; answers the next one, to be asked for next.
    #[inline(always)]
    pub(super) fn prefetch(&self, chunk: u32) -> u32 {
        let address = self.chunks.as_ptr().wrapping_add(chunk as usize).cast::<u8>();
        prefetch(address);
        prefetch(address.wrapping_add(64));
        self.after(chunk)
    }

    /// The first chunk of a bucket.
    #[inline]
    pub(super) fn chunk(&self, bucket: u16) -> u32 {
        self.buckets[usize::from(bucket)].chunk
    }

    /// The next chunk of the same bucket.
    #[inline]
    fn after(&self, chunk: u32) -> u32 {
        self.links.get(chunk as usize).map_or(NONE, |link| link.next)
    }

    /// Asks for the slots of the chunk after the next of a bucket, and for the chunk three further.
    #[inline(always)]
    pub(super) fn prefetch_slots(&self, bucket: u16, slots: &Slots) {
        let ahead = self.after(self.after(self.chunk(bucket)));
        if let Some(chunk) = self.chunks.get(ahead as usize) {
            chunk.0.iter().for_each(|entry| slots.prefetch(entry.slot()));
        }
        self.prefetch(self.after(self.after(self.after(ahead))));
    }

    /// Takes the last entry out of a bucket; answers where it was, too.
    #[inline]
    fn take_last(&mut self, number: usize) -> Option<(Brief, usize)> {
        let Bucket { len, chunk, .. } = self.buckets[number];
        let len = len.checked_sub(1)?;
        let lane = len as usize % CHUNK;
        self.buckets[number].len = len;
        let entry = self.chunks[chunk as usize].0[lane];
        if lane == 0 {
            self.shrink(number, chunk);
        }
        Some((entry, chunk as usize * CHUNK + lane))
    }

    /// Puts a spare chunk before those of a bucket.
    fn extend(&mut self, number: usize) {
        let level = number >> DIGIT;
        self.used[level] |= 1 << (number % (1 << DIGIT));
        self.levels |= 1 << level;
        self.first = self.first.min(number);
        let link = Link { next: self.buckets[number].chunk, bucket: number as u16 };
        let mut chunk = self.spare;
        if chunk == NONE {
            chunk = self.links.len() as u32;
            self.chunks.push(Chunk::EMPTY);
            self.links.push(link);
        } else {
            self.spare = std::mem::replace(&mut self.links[chunk as usize], link).next;
        }
        self.buckets[number].chunk = chunk;
    }

    /// Takes the first chunk, now empty, away from a bucket.
    fn shrink(&mut self, number: usize, chunk: u32) {
        let next = std::mem::replace(&mut self.links[chunk as usize].next, self.spare);
        self.spare = chunk;
        self.chunks[chunk as usize] = Chunk::EMPTY;
        self.buckets[number].chunk = next;
        if next == NONE {
            self.buckets[number] = Bucket::EMPTY;
            self.clear_used(number);
        }
    }

    fn clear_used(&mut self, number: usize) {
        let level = number >> DIGIT;
        self.used[level] &= !(1 << (number % (1 << DIGIT)));
        if self.used[level] == 0 {
            self.levels &= !(1 << level);
        }
        if number == self.first {
            let level = self.levels.trailing_zeros() as usize;
            let digit = self.used.get(level).map_or(0, |used| used.trailing_zeros() as usize);
            self.first = if level < LEVELS { level << DIGIT | digit } else { BUCKETS };
        }
    }
}

/// So many entries there are at most in the wheel, orphans among them.
pub(super) fn entries_max(capacity: usize) -> usize {
    capacity + orphans_max(capacity)
}

/// Of so many entries of live timers, how many more may be orphans: they take room, and time when their bucket is dealt
/// out, and no more of both than what is spared is worth.
fn orphans_max(live: usize) -> usize {
    live + CHUNK
}

#[cfg(test)]
impl Wheel {
    /// The slots of entries that are not orphans, after a check of where they are; and how many orphans are elsewhere.
    pub(super) fn check(&self, slots: &Slots, dealing: Option<u16>) -> (Vec<(Place, u32)>, usize) {
        assert!(self.chunks.len() <= Wheel::chunks(slots.capacity()));
        let (mut entries, mut orphans) = (Vec::new(), 0);
        let mut used = [0; LEVELS];
        for (number, bucket) in self.buckets.iter().enumerate() {
            let mut left = bucket.len as usize;
            let mut chunk = bucket.chunk;
            if left > 0 {
                used[number >> DIGIT] |= 1 << (number % 64);
            }
            while left > 0 {
                let here = (left + CHUNK - 1) % CHUNK + 1;
                for lane in 0..here {
                    let at = chunk as usize * CHUNK + lane;
                    let (entry, link) =
                        (self.chunks[chunk as usize].0[lane], self.links[chunk as usize]);
                    assert_eq!(usize::from(link.bucket), number);
                    let index = entry.slot();
                    let slot = &slots[index];
                    if slot.place == Place::far(at) {
                        entries.push((Place::far(at), index));
                        let is_here =
                            slot.deadline > self.base && self.bucket(slot.deadline) >= number;
                        assert!(
                            is_here && slot.deadline >= bucket.least
                                || dealing.map(usize::from) == Some(number)
                        );
                    } else {
                        orphans += 1;
                    }
                }
                left -= here;
                chunk = self.links[chunk as usize].next;
            }
            assert_eq!(chunk, NONE);
            assert!(bucket.len > 0 || bucket.least == NEVER);
        }
        assert_eq!(used, self.used);
        let first = used.iter().position(|&used| used != 0);
        let first = first.map_or(BUCKETS, |l| l << DIGIT | used[l].trailing_zeros() as usize);
        assert_eq!(first, self.first);
        for (level, used) in used.iter().enumerate() {
            assert_eq!(self.levels >> level & 1 == 1, *used != 0);
        }
        (entries, self.orphans - orphans)
    }
}
