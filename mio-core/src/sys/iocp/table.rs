//! The slots of a selector, and the memory that they lend to the kernel.
//!
//! Where a slot stands, `slot` knows; here its polls are begun and called off, and its memory comes back. Behind
//! the selector's lock.
#![allow(unsafe_code)]

use std::{
    collections::{TryReserveError, VecDeque},
    fmt, io,
    os::windows::io::{AsHandle, OwnedHandle},
    ptr,
    sync::Arc,
};

use super::{
    afd::Conditions,
    ffi::{self, Operation, Packets},
    port::{Kind, Port},
    slot::{Flight, Landing, Role, Slot, Step},
    waker::Alarm,
};
use crate::{
    event::Event,
    interest::{Interest, Trigger},
};

/// As many sockets share a handle of AFD, whose list of polls is locked and searched when one is called off.
const SOCKETS_PER_AFD: usize = 32;

/// For so long the next packet of a poll that was called off is waited for: it comes at once.
const LAST_PACKET_MS: u32 = 10_000;

pub(super) struct Table {
    port: Arc<Port>,
    /// Those that were ever used, at most `capacity`.
    slots: Vec<Slot>,
    capacity: usize,
    /// First in, first out, so that a slot rests before it is used again.
    free: VecDeque<u32>,
    /// To be armed before the next wait, each at most once.
    queue: VecDeque<u32>,
    /// Found closed and still to be taken from the table of sockets, each at most once.
    closed: VecDeque<u32>,
    memory: Memory,
    /// Slot `i` polls through handle `i / SOCKETS_PER_AFD`; opened when first needed.
    afds: Vec<OwnedHandle>,
    /// How many polls the kernel has.
    flights: usize,
    /// How many threads are in the wait.
    pub(super) waiting: usize,
}

impl Table {
    /// Takes all memory, and no handle.
    pub(super) fn with_capacity(port: Arc<Port>, capacity: usize) -> io::Result<Table> {
        // The number of a poll goes through the kernel as a pointer.
        let capacity = if capacity > u32::MAX as usize / (Role::ALL.len() + 1) {
            return Err(io::ErrorKind::OutOfMemory.into());
        } else {
            capacity
        };
        let mut table = Table {
            port,
            slots: Vec::new(),
            capacity,
            free: VecDeque::new(),
            queue: VecDeque::new(),
            closed: VecDeque::new(),
            memory: Memory::with_capacity(capacity)?,
            afds: Vec::new(),
            flights: 0,
            waiting: 0,
        };
        table.slots.try_reserve_exact(capacity)?;
        for list in [&mut table.free, &mut table.queue, &mut table.closed] {
            list.try_reserve_exact(capacity)?;
        }
        table.afds.try_reserve_exact(capacity.div_ceil(SOCKETS_PER_AFD))?;
        Ok(table)
    }

    /// A slot for a socket, with its polls begun. `StorageFull`: none is free; those whose memory the kernel
    /// still has are not.
    pub(super) fn open(&mut self, slot: Slot) -> io::Result<usize> {
        let index = match self.free.pop_front() {
            Some(index) => index as usize,
            None if self.slots.len() < self.capacity => self.slots.len(),
            None => return Err(io::ErrorKind::StorageFull.into()),
        };
        if index == self.slots.len() {
            self.slots.push(slot);
        } else {
            self.slots[index] = slot;
        }
        // The guard first: from then on it is this socket and no other.
        let begun = self
            .submit(index, Role::Guard, Conditions::LOCAL_CLOSE)
            .and_then(|()| self.advance(index, Role::Poll));
        match begun {
            Ok(()) => Ok(index),
            Err(error) => {
                self.vacate(index);
                Err(error)
            }
        }
    }

    /// New token, interest and trigger. `NotFound`: the socket is closed.
    pub(super) fn change(
        &mut self,
        index: usize,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        let slot = &mut self.slots[index];
        if !slot.live {
            return Err(io::ErrorKind::NotFound.into());
        }
        slot.change(token, interest, trigger);
        self.advance(index, Role::Poll).inspect_err(|_| self.enqueue(index))
    }

    /// Arms an edge, now if somebody waits, otherwise before the next wait; if a token is given, only that of
    /// the source with this token.
    pub(super) fn would_block(&mut self, index: usize, token: Option<u64>, interest: Interest) {
        let slot = &mut self.slots[index];
        if !slot.live || token.is_some_and(|token| token != slot.token) {
            return;
        }
        slot.would_block(interest);
        if slot.step(Role::Poll) == Step::Rest {
            return;
        }
        if self.waiting == 0 || self.advance(index, Role::Poll).is_err() {
            self.enqueue(index);
        }
    }

    /// The table of sockets does not have it any more. Answers whether it was still registered.
    pub(super) fn vacate(&mut self, index: usize) -> bool {
        self.slots[index].listed = false;
        let was_live = self.slots[index].live;
        self.retire(index);
        was_live
    }

    /// Whether the socket in the slot is closed, as somebody asks who has a socket of its number open. Calls the guard
    /// off to find out: if there was something to call off, it is the same socket. Another guard is begun before, so
    /// that the socket is never without one. While the kernel still has the memory of all others, the answer is no.
    pub(super) fn is_closed(&mut self, index: usize) -> bool {
        let slot = &self.slots[index];
        if let (true, Some((guard, relief))) = (slot.live, slot.guards()) {
            let relieved = self.submit(index, relief, Conditions::LOCAL_CLOSE).is_ok();
            if relieved && !self.call_off(index, guard) {
                self.retire(index);
            }
        }
        !self.slots[index].live
    }

    /// How many are to be armed before the next wait.
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Arms the first `count` of those that are to be armed. Answers whether all of them could be.
    pub(super) fn arm(&mut self, count: usize) -> bool {
        let mut all = true;
        for _ in 0..count.min(self.queue.len()) {
            let Some(index) = self.queue.pop_front() else { break };
            let index = index as usize;
            self.slots[index].queued = false;
            match self.advance(index, Role::Poll) {
                Ok(()) => self.release(index),
                // Its number is nobody's, so that it is closed, whatever duplicates of it are open.
                Err(error) if ffi::is_no_handle(&error) => self.retire(index),
                Err(_) => {
                    self.enqueue(index);
                    all = false;
                }
            }
        }
        all
    }

    /// The memory of a poll is back, as a packet of [`Kind::Poll`] says that was just taken. Answers what is to
    /// be reported.
    pub(super) fn land(&mut self, value: usize) -> Option<Event> {
        let (index, role) = number_of(value);
        self.flights -= 1;
        let landing = self.landing(index, role);
        let slot = &mut self.slots[index];
        let readiness = slot.landed(role, landing);
        if slot.live {
            if slot.step(Role::Poll) != Step::Rest {
                self.enqueue(index);
            }
        } else {
            self.retire(index);
        }
        let token = self.slots[index].token;
        readiness.map(|readiness| Event { token, readiness })
    }

    /// Whether the packet is about the end of a socket, which is to be heard before what else it did.
    pub(super) fn is_guard(value: usize) -> bool {
        number_of(value).1 != Role::Poll
    }

    /// The next socket that was found closed and is still listed, with its slot.
    pub(super) fn next_closed(&mut self) -> Option<(usize, usize)> {
        while let Some(index) = self.closed.pop_front() {
            let index = index as usize;
            self.slots[index].closing = false;
            if self.slots[index].listed {
                return Some((self.slots[index].socket, index));
            }
            self.release(index);
        }
        None
    }

    /// Whether [`next_closed`](Table::next_closed) may have something.
    pub(super) fn has_closed(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Whether the slot is one that [`next_closed`](Table::next_closed) has answered, and no other socket's since.
    pub(super) fn is_leftover(&self, index: usize) -> bool {
        self.slots[index].listed && !self.slots[index].live
    }

    /// How many slots are not free.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// From here on polls of the slot name another number.
    #[cfg(test)]
    pub(super) fn renumber(&mut self, index: usize, base: usize) {
        self.slots[index].base = base;
    }

    fn retire(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        slot.live = false;
        if slot.listed && !slot.closing {
            slot.closing = true;
            self.closed.push_back(index as u32);
        }
        for role in Role::ALL {
            // Calling off does not fail.
            let _ = self.advance(index, role);
        }
        self.release(index);
    }

    fn release(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if slot.is_free() && !slot.spare {
            slot.spare = true;
            self.free.push_back(index as u32);
        }
    }

    fn enqueue(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if !slot.queued {
            slot.queued = true;
            self.queue.push_back(index as u32);
        }
    }

    /// Does what is to be done about a poll.
    fn advance(&mut self, index: usize, role: Role) -> io::Result<()> {
        match self.slots[index].step(role) {
            Step::Rest => {}
            Step::Submit(conditions) => self.submit(index, role, conditions)?,
            Step::Cancel => {
                self.call_off(index, role);
            }
        }
        Ok(())
    }

    fn submit(&mut self, index: usize, role: Role, conditions: Conditions) -> io::Result<()> {
        let group = index / SOCKETS_PER_AFD;
        while self.afds.len() <= group {
            self.afds.push(ffi::afd_open(self.port.as_handle(), Kind::Poll as usize)?);
        }
        let base = self.slots[index].base;
        let (operation, value) = (self.memory.of(index, role), value_of(index, role));
        // SAFETY: the poll was idle, so that its memory is ours; `Flight` says so until its packet is taken, and
        // while it says so nobody touches the memory, nor is it freed.
        unsafe { ffi::afd_poll(self.afds[group].as_handle(), operation, base, conditions, value) }?;
        self.slots[index].flights[role as usize] = Flight::Pending(conditions);
        self.flights += 1;
        Ok(())
    }

    /// Answers whether there was something to call off.
    fn call_off(&mut self, index: usize, role: Role) -> bool {
        let afd = self.afds[index / SOCKETS_PER_AFD].as_handle();
        // SAFETY: the poll is pending: it was submitted to this handle, and its packet was not taken.
        let found = unsafe { ffi::afd_cancel(afd, self.memory.of(index, role)) }.unwrap_or(true);
        self.slots[index].flights[role as usize] = Flight::Cancelling;
        found
    }

    fn landing(&self, index: usize, role: Role) -> Landing {
        // SAFETY: `value_of` has made the number for the poll that was submitted, whose packet was taken.
        unsafe { Operation::landing(self.memory.of(index, role)) }
    }
}

/// The kernel still owns the memory of polls that are under way: it is called back first, and freed only then.
impl Drop for Table {
    fn drop(&mut self) {
        for index in 0..self.slots.len() {
            self.vacate(index);
        }
        let mut packets = Packets::new();
        while self.flights > 0 {
            let taken = packets.take(self.port.as_handle(), usize::MAX, LAST_PACKET_MS);
            if taken.is_err() || packets.as_slice().is_empty() {
                // It is better lost than written to by the kernel when it is somebody else's.
                return self.memory.leak();
            }
            for packet in packets.as_slice() {
                match Kind::of(packet) {
                    Some(Kind::Poll) => {
                        self.land(packet.value());
                    }
                    Some(Kind::Alarm) => drop(Alarm::taken(packet)),
                    _ => {}
                }
            }
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("capacity", &self.capacity)
            .field("flights", &self.flights)
            .finish_non_exhaustive()
    }
}

/// What a poll is called in its packet; never zero, which would mean that no packet is wanted.
fn value_of(index: usize, role: Role) -> usize {
    index * Role::ALL.len() + role as usize + 1
}

fn number_of(value: usize) -> (usize, Role) {
    let number = value - 1;
    (number / Role::ALL.len(), Role::ALL[number % Role::ALL.len()])
}

/// Memory for polls, which does not move. What is never used is never touched.
struct Memory {
    places: *mut Operation,
    capacity: usize,
    slots: usize,
}

// SAFETY: the pointer is to memory that this struct owns, and is used behind the selector's lock.
unsafe impl Send for Memory {}

impl Memory {
    fn with_capacity(slots: usize) -> Result<Memory, TryReserveError> {
        let mut places = Vec::new();
        places.try_reserve_exact(slots.saturating_mul(Role::ALL.len()))?;
        let mut places = std::mem::ManuallyDrop::new(places);
        Ok(Memory { places: places.as_mut_ptr(), capacity: places.capacity(), slots })
    }

    fn of(&self, index: usize, role: Role) -> *mut Operation {
        assert!(index < self.slots, "there is a place for each poll of each slot");
        let place = match role {
            Role::Poll => index * 2,
            Role::Guard => index * 2 + 1,
            // Far from the others, since they are seldom used.
            Role::Relief => self.slots * 2 + index,
            Role::Reserve => self.slots * 3 + index,
        };
        // SAFETY: it is in the allocation.
        unsafe { self.places.add(place) }
    }

    fn leak(&mut self) {
        self.places = ptr::NonNull::dangling().as_ptr();
        (self.capacity, self.slots) = (0, 0);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: a vector of this capacity allocated it, or there is none; nobody else frees it.
        drop(unsafe { Vec::from_raw_parts(self.places, 0, self.capacity) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_poll_is_its_own_and_never_zero() {
        for index in [0, 1, 31, 16_383] {
            for role in Role::ALL {
                let value = value_of(index, role);
                assert!(value != 0);
                assert_eq!(number_of(value), (index, role));
                assert_eq!(Table::is_guard(value), role != Role::Poll);
            }
        }
        assert_eq!(Role::ALL.map(|role| value_of(0, role)), [1, 2, 3, 4]);
    }

    #[test]
    fn every_poll_of_every_slot_has_memory_of_its_own() {
        const SLOTS: usize = 5;
        let memory = Memory::with_capacity(SLOTS).unwrap();
        let place = |index, role| memory.of(index, role).addr() - memory.places.addr();
        let mut places: Vec<_> = (0..SLOTS)
            .flat_map(|index| Role::ALL.map(|role| place(index, role) / size_of::<Operation>()))
            .collect();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..SLOTS * Role::ALL.len()));
    }
}
