//! Which slot of which selector a descriptor has: one table for the process.
//!
//! Backends that emulate edges need two things of it. A selector is handed a descriptor and has to find its slot.
//! And a call on a type of this crate that answers `WouldBlock` has to find every selector that waits for it, of
//! which the type knows nothing: it is no larger than that of `std`, and goes to `std` and back.
//!
//! One lock guards the table, and is held while a selector is told. A selector's own lock is taken inside it,
//! never around it.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::interest::Interest;

/// A selector, as the table knows it. Its slots are its own affair.
pub(in crate::sys) trait Slots: Send + Sync + 'static {
    /// A call on the descriptor in `slot` has answered `WouldBlock`: if its edge for `interest` is disarmed, it is
    /// armed.
    fn arm(&self, slot: usize, interest: Interest);

    /// The descriptor in `slot` is about to be closed, or was closed without a word and its number given to
    /// another: the slot is vacated, and what is disarmed stays so.
    fn vacate(&self, slot: usize);
}

/// A selector's place in the table, until it is dropped.
#[derive(Debug)]
pub(in crate::sys) struct Member {
    id: usize,
    capacity: usize,
}

impl Member {
    /// Takes all memory for `capacity` descriptors.
    pub(in crate::sys) fn join(selector: Arc<dyn Slots>, capacity: usize) -> io::Result<Member> {
        let mut table = table();
        table.reserve(capacity)?;
        let id = match table.selectors.iter().position(Option::is_none) {
            Some(free) => free,
            None => {
                table.selectors.try_reserve(1)?;
                table.selectors.push(None);
                table.selectors.len() - 1
            }
        };
        table.selectors[id] = Some(selector);
        Ok(Member { id, capacity })
    }

    /// Enters the slot that `take` answers for a descriptor. `AlreadyExists`: it has one, and `vacate` does not say
    /// that this is another's, closed without a word, which it has vacated. `StorageFull`: there are as many as were
    /// said to [`join`](Member::join).
    pub(in crate::sys) fn enter(
        &self,
        number: u64,
        vacate: impl FnOnce(usize) -> bool,
        take: impl FnOnce() -> io::Result<usize>,
    ) -> io::Result<()> {
        let mut table = table();
        if let Some(entry) = table.find(self.id, number) {
            if !vacate(table.entries[entry].slot) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            table.remove(entry);
        }
        if table.entries.len() == table.entries.capacity() && table.free == NONE {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let slot = take()?;
        table.insert(self.id, number, slot);
        Ok(())
    }

    /// Calls `with` for the slot of a descriptor. `NotFound`: it has none.
    pub(in crate::sys) fn with<R>(
        &self,
        number: u64,
        with: impl FnOnce(usize) -> io::Result<R>,
    ) -> io::Result<R> {
        let table = table();
        let entry = table.find(self.id, number).ok_or(io::ErrorKind::NotFound)?;
        with(table.entries[entry].slot)
    }

    /// As [`with`](Member::with); then the descriptor has no slot any more, unless `with` fails.
    pub(in crate::sys) fn remove<R>(
        &self,
        number: u64,
        with: impl FnOnce(usize) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut table = table();
        let entry = table.find(self.id, number).ok_or(io::ErrorKind::NotFound)?;
        let result = with(table.entries[entry].slot)?;
        table.remove(entry);
        Ok(result)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut table = table();
        for entry in 0..table.entries.len() {
            if table.entries[entry].selector == self.id {
                table.remove(entry);
            }
        }
        table.reserved -= self.capacity;
        let selector = table.selectors[self.id].take();
        drop(table);
        drop(selector);
    }
}

/// Arms the edges of a descriptor in every selector that has it.
pub(in crate::sys) fn arm(number: u64, interest: Interest) {
    let table = table();
    let mut next = table.first(number);
    while let Some(entry) = table.entries.get(next) {
        if entry.number == number {
            table.tell(entry, |selector| selector.arm(entry.slot, interest));
        }
        next = entry.next;
    }
}

/// Takes a descriptor from every selector that has it.
pub(in crate::sys) fn forget(number: u64) {
    let mut table = table();
    let mut next = table.first(number);
    while let Some(entry) = table.entries.get(next).copied() {
        if entry.number == number {
            table.tell(&entry, |selector| selector.vacate(entry.slot));
            table.remove(next);
        }
        next = entry.next;
    }
}

const NONE: usize = usize::MAX;

struct Table {
    selectors: Vec<Option<Arc<dyn Slots>>>,
    /// The first entry of each chain, or `NONE`; as many as a power of two.
    chains: Vec<usize>,
    entries: Vec<Entry>,
    /// The first unused entry, or `NONE`.
    free: usize,
    /// The sum of what was said to `join`.
    reserved: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    number: u64,
    /// `NONE` if the entry is unused.
    selector: usize,
    slot: usize,
    next: usize,
}

fn table() -> MutexGuard<'static, Table> {
    static TABLE: Mutex<Table> = Mutex::new(Table {
        selectors: Vec::new(),
        chains: Vec::new(),
        entries: Vec::new(),
        free: NONE,
        reserved: 0,
    });
    // Nothing in here panics between two states that fit; a selector's own panic leaves the table whole.
    TABLE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Table {
    fn reserve(&mut self, capacity: usize) -> io::Result<()> {
        let reserved = self.reserved.checked_add(capacity).ok_or(io::ErrorKind::OutOfMemory)?;
        self.entries.try_reserve_exact(reserved.saturating_sub(self.entries.len()))?;
        let chains = reserved.checked_next_power_of_two().ok_or(io::ErrorKind::OutOfMemory)?;
        if chains > self.chains.len() {
            self.chains.try_reserve_exact(chains - self.chains.len())?;
            self.chains.clear();
            self.chains.resize(chains, NONE);
            for index in 0..self.entries.len() {
                if self.entries[index].selector != NONE {
                    self.link(index);
                }
            }
        }
        self.reserved = reserved;
        Ok(())
    }

    fn chain(&self, number: u64) -> usize {
        // Fibonacci hashing: numbers of descriptors are small, and multiples of four on Windows.
        let hash = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        hash as usize & (self.chains.len() - 1)
    }

    fn first(&self, number: u64) -> usize {
        if self.chains.is_empty() { NONE } else { self.chains[self.chain(number)] }
    }

    fn find(&self, selector: usize, number: u64) -> Option<usize> {
        let mut next = self.first(number);
        while let Some(entry) = self.entries.get(next) {
            if entry.number == number && entry.selector == selector {
                return Some(next);
            }
            next = entry.next;
        }
        None
    }

    fn insert(&mut self, selector: usize, number: u64, slot: usize) {
        let entry = Entry { number, selector, slot, next: NONE };
        let index = self.free;
        let index = if index == NONE {
            self.entries.push(entry);
            self.entries.len() - 1
        } else {
            self.free = self.entries[index].next;
            self.entries[index] = entry;
            index
        };
        self.link(index);
    }

    fn link(&mut self, index: usize) {
        let chain = self.chain(self.entries[index].number);
        self.entries[index].next = self.chains[chain];
        self.chains[chain] = index;
    }

    fn remove(&mut self, index: usize) {
        let Entry { number, next, .. } = self.entries[index];
        let chain = self.chain(number);
        if self.chains[chain] == index {
            self.chains[chain] = next;
        } else {
            let mut before = self.chains[chain];
            while self.entries[before].next != index {
                before = self.entries[before].next;
            }
            self.entries[before].next = next;
        }
        self.entries[index] = Entry { number: 0, selector: NONE, slot: 0, next: self.free };
        self.free = index;
    }

    fn tell(&self, entry: &Entry, tell: impl FnOnce(&dyn Slots)) {
        if let Some(selector) = self.selectors.get(entry.selector).and_then(Option::as_deref) {
            tell(selector);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remembers what it was told. The table is the process's, so that each test has numbers of its own, which no
    /// descriptor has.
    #[derive(Default)]
    struct Selector {
        armed: Mutex<Vec<(usize, Interest)>>,
        vacated: Mutex<Vec<usize>>,
    }

    impl Slots for Selector {
        fn arm(&self, slot: usize, interest: Interest) {
            self.armed.lock().unwrap().push((slot, interest));
        }

        fn vacate(&self, slot: usize) {
            self.vacated.lock().unwrap().push(slot);
        }
    }

    fn joined(capacity: usize) -> (Arc<Selector>, Member) {
        let selector = Arc::new(Selector::default());
        (selector.clone(), Member::join(selector, capacity).unwrap())
    }

    #[test]
    fn every_selector_that_has_a_descriptor_hears_of_it_and_no_other() {
        const BASE: u64 = 1 << 40;
        let [(one, first), (other, second), (neither, third)] = [joined(2), joined(2), joined(2)];
        let new = |_| unreachable!("it has no slot");
        first.enter(BASE, new, || Ok(5)).unwrap();
        second.enter(BASE, new, || Ok(6)).unwrap();
        third.enter(BASE + 1, new, || Ok(7)).unwrap();
        arm(BASE, Interest::READABLE);
        assert_eq!(*one.armed.lock().unwrap(), [(5, Interest::READABLE)]);
        assert_eq!(*other.armed.lock().unwrap(), [(6, Interest::READABLE)]);
        assert!(neither.armed.lock().unwrap().is_empty());

        assert_eq!(first.remove(BASE, Ok).unwrap(), 5);
        forget(BASE);
        forget(BASE);
        assert!(one.vacated.lock().unwrap().is_empty());
        assert_eq!(*other.vacated.lock().unwrap(), [6]);
        let error = second.with(BASE, |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(third.with(BASE + 1, Ok).unwrap(), 7);
    }

    #[test]
    fn a_descriptor_has_one_slot_in_a_selector_and_gets_another_when_that_is_gone() {
        const NUMBER: u64 = 1 << 41;
        let (_, member) = joined(1);
        let new = |_| unreachable!("it has no slot");
        for slot in 0..100 {
            member.enter(NUMBER, new, || Ok(slot)).unwrap();
            let keeps = |old| {
                assert_eq!(old, slot);
                false
            };
            let again = member.enter(NUMBER, keeps, || unreachable!("it has a slot")).unwrap_err();
            assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(member.with(NUMBER, Ok).unwrap(), slot);
            member.enter(NUMBER, |old| old == slot, || Ok(slot + 100)).unwrap();
            assert_eq!(member.with(NUMBER, Ok).unwrap(), slot + 100);
            member.remove(NUMBER, |_| Ok(())).unwrap();
        }
        let refused = member.enter(NUMBER, new, || Err(io::ErrorKind::Other.into()));
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::Other);
        assert!(member.with(NUMBER, |_| Ok(())).is_err(), "what take refused is not entered");
    }

    #[test]
    fn what_a_selector_leaves_behind_is_nothing() {
        const BASE: u64 = 1 << 42;
        let (selector, member) = joined(64);
        for number in 0..64 {
            member.enter(BASE + number, |_| false, || Ok(0)).unwrap();
        }
        drop(member);
        arm(BASE, Interest::READABLE);
        assert!(selector.armed.lock().unwrap().is_empty());
        assert_eq!(Arc::strong_count(&selector), 1);
        let (_, member) = joined(64);
        for number in 0..64 {
            member.enter(BASE + number, |_| false, || Ok(1)).unwrap();
        }
        for number in (0..64).rev() {
            assert_eq!(member.remove(BASE + number, Ok).unwrap(), 1);
        }
    }
}
