//! The sources of a selector: a table of fixed size, looked up by descriptor or by what an event brings back.

use std::{
    io,
    ops::{Index, IndexMut},
};

use super::kevent::{Filters, Kind};
use crate::interest::{Readiness, Trigger};

/// A registered descriptor, or a waker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// The descriptor; a waker's own place in the table.
    pub(super) ident: usize,
    pub(super) token: u64,
    /// What the kernel has of it; nothing, if the place is free.
    pub(super) filters: Filters,
    pub(super) kind: Kind,
    pub(super) trigger: Trigger,
    /// Whether a one-shot source is still to be reported.
    pub(super) armed: bool,
    /// The directions that have been closed.
    pub(super) closed: Readiness,
    /// What this wait has brought so far.
    pub(super) pending: Readiness,
    /// What the kernel keeps with each filter: the place, and above it how often it was given away. 32 bits have to
    /// do where pointers have no more, which is why it is not the token.
    pub(super) handle: usize,
    next: u32,
}

/// Nothing is allocated after it was made.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Box<[Slot]>,
    /// The first slot of each chain of descriptors; as many as a power of two.
    chains: Box<[u32]>,
    /// The first free place.
    free: u32,
}

const NONE: u32 = u32::MAX;

impl Slots {
    pub(super) fn with_capacity(capacity: usize) -> io::Result<Slots> {
        let too_many = || io::Error::from(io::ErrorKind::OutOfMemory);
        let count = u32::try_from(capacity).ok().filter(|&count| count < 1 << 31);
        let count = count.ok_or_else(too_many)?;
        let (mut slots, mut chains) = (Vec::new(), Vec::new());
        slots.try_reserve_exact(capacity)?;
        chains.try_reserve_exact(capacity.next_power_of_two())?;
        slots.extend((0..count).map(|place| Slot {
            ident: 0,
            token: 0,
            filters: Filters::empty(),
            kind: Kind::Duplex,
            trigger: Trigger::Edge,
            armed: false,
            closed: Readiness::empty(),
            pending: Readiness::empty(),
            handle: place as usize,
            next: if place + 1 < count { place + 1 } else { NONE },
        }));
        chains.resize(capacity.next_power_of_two(), NONE);
        let free = if count == 0 { NONE } else { 0 };
        Ok(Slots { slots: slots.into(), chains: chains.into(), free })
    }

    /// Where a descriptor is.
    pub(super) fn find(&self, descriptor: usize) -> Option<usize> {
        let mut place = self.chains[self.chain(descriptor)];
        while let Some(slot) = self.slots.get(place as usize) {
            if slot.ident == descriptor {
                return Some(place as usize);
            }
            place = slot.next;
        }
        None
    }

    /// A place for a descriptor that has none.
    pub(super) fn insert(&mut self, descriptor: usize) -> Option<usize> {
        let place = self.take(descriptor)?;
        let chain = self.chain(descriptor);
        self.slots[place].next = self.chains[chain];
        self.chains[chain] = place as u32;
        Some(place)
    }

    /// A place for a waker.
    pub(super) fn insert_waker(&mut self) -> Option<usize> {
        self.take(self.free as usize)
    }

    /// What an event belongs to, unless that is gone.
    pub(super) fn of_event(&mut self, handle: usize) -> Option<&mut Slot> {
        let place = handle & (self.chains.len() - 1);
        self.slots.get_mut(place).filter(|slot| slot.handle == handle)
    }

    /// From now on events of what was in this place before belong to nothing.
    pub(super) fn renew(&mut self, place: usize) {
        let generation = self.chains.len();
        let slot = &mut self.slots[place];
        slot.handle = slot.handle.wrapping_add(generation);
    }

    pub(super) fn remove(&mut self, place: usize) {
        let chain = self.chain(self.slots[place].ident);
        let mut before = None;
        let mut next = self.chains[chain];
        while next != NONE && next as usize != place {
            before = Some(next as usize);
            next = self.slots[next as usize].next;
        }
        // A waker is in no chain.
        if next != NONE {
            let after = self.slots[place].next;
            match before {
                Some(before) => self.slots[before].next = after,
                None => self.chains[chain] = after,
            }
        }
        self.renew(place);
        let slot = &mut self.slots[place];
        slot.filters = Filters::empty();
        slot.next = self.free;
        self.free = place as u32;
    }

    /// The places of all descriptors, as they are now.
    pub(super) fn places(&self) -> std::ops::Range<usize> {
        0..self.slots.len()
    }

    fn take(&mut self, ident: usize) -> Option<usize> {
        let place = self.free as usize;
        let slot = self.slots.get_mut(place)?;
        self.free = slot.next;
        slot.next = NONE;
        slot.ident = ident;
        slot.armed = true;
        slot.closed = Readiness::empty();
        slot.pending = Readiness::empty();
        Some(place)
    }

    /// Descriptors are small numbers that lie close together: they need no hashing.
    fn chain(&self, descriptor: usize) -> usize {
        descriptor & (self.chains.len() - 1)
    }
}

impl Index<usize> for Slots {
    type Output = Slot;

    fn index(&self, place: usize) -> &Slot {
        &self.slots[place]
    }
}

impl IndexMut<usize> for Slots {
    fn index_mut(&mut self, place: usize) -> &mut Slot {
        &mut self.slots[place]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_handle_leads_to_what_it_was_made_for_and_to_nothing_later() {
        let mut slots = Slots::with_capacity(3).unwrap();
        let place = slots.insert(7).unwrap();
        let handle = slots[place].handle;
        assert_eq!(slots.of_event(handle).map(|slot| slot.ident), Some(7));
        slots.remove(place);
        assert!(slots.of_event(handle).is_none());
        assert_eq!(slots.insert(8), Some(place));
        assert!(slots.of_event(handle).is_none());
        assert!(slots.of_event(3).is_none(), "there are but three places");
    }

    #[test]
    fn a_waker_is_no_descriptor() {
        let mut slots = Slots::with_capacity(4).unwrap();
        let waker = slots.insert_waker().unwrap();
        assert_eq!(slots[waker].ident, waker);
        assert_eq!(slots.find(waker), None);
        let descriptor = slots.insert(waker).unwrap();
        slots.remove(waker);
        assert_eq!(slots.find(waker), Some(descriptor));
    }

    #[test]
    fn no_room_is_no_place_and_too_much_is_an_error() {
        let mut slots = Slots::with_capacity(0).unwrap();
        assert_eq!((slots.insert(1), slots.insert_waker(), slots.find(1)), (None, None, None));
        assert!(Slots::with_capacity(usize::MAX).is_err());
    }

    proptest! {
        #[test]
        fn what_was_inserted_is_found(steps in prop::collection::vec((any::<bool>(), 0_usize..40), 0..200)) {
            let mut slots = Slots::with_capacity(16).unwrap();
            let mut model = HashMap::new();
            for (insert, descriptor) in steps {
                let known = model.get(&descriptor).copied();
                prop_assert_eq!(slots.find(descriptor), known);
                match known {
                    Some(place) if !insert => {
                        slots.remove(place);
                        model.remove(&descriptor);
                    }
                    None if insert => match slots.insert(descriptor) {
                        Some(place) => prop_assert!(model.insert(descriptor, place).is_none()),
                        None => prop_assert_eq!(model.len(), 16),
                    },
                    _ => {}
                }
            }
        }
    }
}
