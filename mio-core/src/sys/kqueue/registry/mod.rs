//! What a selector knows of its sources, and what it has the kernel do for them.
//!
//! The kernel keeps a filter for each pair of descriptor and direction, and forgets both with the descriptor,
//! without a word. So a slot may be stale: whether the kernel still has it is asked when it matters, by a change
//! that changes nothing.

pub(in crate::sys) mod kevent;
#[path = "../../limit.rs"]
mod limit;
mod slots;
pub(in crate::sys) mod system;
pub(in crate::sys) mod wait;

use std::io;

use kevent::{
    EV_ADD, EV_CLEAR, EV_DELETE, EV_DISABLE, EV_ENABLE, Filters, Kevent, Kind, NOTE_TRIGGER,
    adding, readiness,
};
use slots::{Slot, Slots};
use system::System;

use crate::{
    event::Event,
    interest::{Interest, Readiness, Trigger},
};

/// The kernel's side.
pub(in crate::sys) trait Kernel {
    /// Makes the changes in their order. `receipts`, as many, get the error number of each, or 0.
    fn apply(&self, changes: &[Kevent], receipts: &mut [i32]) -> io::Result<()>;
}

/// No call makes more changes: three filters deleted, and three added.
pub(in crate::sys) const CHANGES_MAX: usize = 6;

#[derive(Debug)]
pub(in crate::sys) struct Registry {
    system: System,
    slots: Slots,
}

/// What is asked for a descriptor.
#[derive(Clone, Copy, Debug)]
pub(in crate::sys) struct Wish {
    pub(in crate::sys) descriptor: usize,
    pub(in crate::sys) kind: Kind,
    pub(in crate::sys) token: u64,
    pub(in crate::sys) interest: Interest,
    pub(in crate::sys) trigger: Trigger,
}

impl Registry {
    pub(in crate::sys) fn with_capacity(system: System, capacity: usize) -> io::Result<Registry> {
        Ok(Registry { system, slots: Slots::with_capacity(capacity)? })
    }

    pub(in crate::sys) fn register(&mut self, kernel: &impl Kernel, wish: Wish) -> io::Result<()> {
        let filters = self.filters(&wish)?;
        if let Some(place) = self.slots.find(wish.descriptor) {
            if self.is_known(kernel, place)? {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            self.slots.remove(place);
        }
        let place = match self.slots.insert(wish.descriptor) {
            Some(place) => place,
            None => {
                self.sweep(kernel)?;
                self.slots.insert(wish.descriptor).ok_or(io::ErrorKind::StorageFull)?
            }
        };
        let added = self.replace(kernel, place, &wish, filters);
        if added.is_err() {
            self.slots.remove(place);
        }
        added
    }

    pub(in crate::sys) fn reregister(
        &mut self,
        kernel: &impl Kernel,
        wish: Wish,
    ) -> io::Result<()> {
        let filters = self.filters(&wish)?;
        let place = self.slots.find(wish.descriptor).ok_or(io::ErrorKind::NotFound)?;
        let former = self.slots[place];
        let replaced = self.replace(kernel, place, &wish, filters);
        match &replaced {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.slots.remove(place),
            // As it was, if the kernel lets us.
            Err(_) => {
                let flags = adding(former.trigger, &self.system);
                let changes = Changes::new().and(former.filters.changes(
                    &self.system,
                    former.ident,
                    flags,
                    self.slots[place].handle,
                ));
                match changes.apply(kernel) {
                    Ok(receipts) if receipts.failure().is_none() => {
                        self.slots[place].filters = former.filters;
                    }
                    _ => self.slots.remove(place),
                }
            }
        }
        replaced
    }

    pub(in crate::sys) fn deregister(
        &mut self,
        kernel: &impl Kernel,
        descriptor: usize,
    ) -> io::Result<()> {
        let place = self.slots.find(descriptor).ok_or(io::ErrorKind::NotFound)?;
        let slot = self.slots[place];
        let deleted = self.delete(kernel, place, slot.filters)?;
        self.slots.remove(place);
        if deleted || slot.filters.is_empty() {
            Ok(())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    /// A place for a waker, and the change that wakes. `None` where there is no filter for it.
    pub(in crate::sys) fn add_waker(
        &mut self,
        kernel: &impl Kernel,
        token: u64,
    ) -> io::Result<Option<Kevent>> {
        let place = match self.slots.insert_waker() {
            Some(place) => place,
            None => {
                self.sweep(kernel)?;
                self.slots.insert_waker().ok_or(io::ErrorKind::StorageFull)?
            }
        };
        let slot = &mut self.slots[place];
        (slot.token, slot.kind, slot.trigger) = (token, Kind::Duplex, Trigger::Edge);
        let (ident, handle) = (slot.ident, slot.handle);
        let add = Filters::USER.changes(&self.system, ident, EV_ADD | EV_CLEAR, handle);
        let refused = match Changes::new().and(add).apply(kernel).map(|made| made.failure()) {
            Ok(None) => {
                self.slots[place].filters = Filters::USER;
                let filter = self.system.user;
                // Without EV_CLEAR, which on FreeBSD and NetBSD undoes the trigger in the same change
                // (sys/kern/kern_event.c: `filt_usertouch`); with the handle, which they store again.
                let (flags, fflags) = (EV_ADD, NOTE_TRIGGER);
                return Ok(Some(Kevent { ident, filter, flags, fflags, udata: handle }));
            }
            Ok(Some(errno)) if is_refusal(errno) => Ok(None),
            Ok(Some(errno)) => Err(io::Error::from_raw_os_error(errno)),
            Err(error) => Err(error),
        };
        self.slots.remove(place);
        refused
    }

    /// Undoes [`add_waker`](Registry::add_waker), whose answer this is.
    pub(in crate::sys) fn remove_waker(&mut self, kernel: &impl Kernel, wake: &Kevent) {
        // The kernel has it until it is told, so that this does not fail.
        let _ = self.delete(kernel, wake.ident, Filters::USER);
        self.slots.remove(wake.ident);
    }

    /// Notes what an event says. After all of a wait, [`take`](Registry::take) has it by source.
    pub(in crate::sys) fn note(&mut self, event: &Kevent) {
        let Some(slot) = self.slots.of_event(event.udata) else { return };
        let told = readiness(event, slot.kind, &self.system);
        if slot.trigger == Trigger::OneShot {
            if !self.system.receipts {
                slot.filters.remove(Filters::of_number(event.filter, &self.system));
            }
            // The other filter's, after the one report that there is to be.
            if !slot.armed && slot.pending.is_empty() {
                return;
            }
            slot.armed = false;
        }
        for closed in [Readiness::READ_CLOSED, Readiness::WRITE_CLOSED] {
            if told.contains(closed) {
                slot.closed |= closed;
            }
        }
        slot.pending |= told | slot.closed;
    }

    /// All that this wait has of the source of an event, at the first of its events.
    pub(in crate::sys) fn take(&mut self, event: &Kevent) -> Option<Event> {
        let slot = self.slots.of_event(event.udata)?;
        let readiness = std::mem::replace(&mut slot.pending, Readiness::empty());
        if readiness.is_empty() { None } else { Some(Event { token: slot.token, readiness }) }
    }

    fn filters(&self, wish: &Wish) -> io::Result<Filters> {
        if wish.interest.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let filters = Filters::of(wish.interest, wish.kind);
        if filters.contains(Filters::EXCEPT) && self.system.except.is_none() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(filters)
    }

    /// Has the kernel forget what it has of a slot and take up `filters`, in one call. To change a filter that
    /// is there would not do: its `EV_CLEAR` and `EV_DISPATCH` stay as they were (FreeBSD sys/kern/kern_event.c:
    /// `kqueue_register`). `NotFound`: the kernel knew nothing of the slot.
    fn replace(
        &mut self,
        kernel: &impl Kernel,
        place: usize,
        wish: &Wish,
        filters: Filters,
    ) -> io::Result<()> {
        let Slot { filters: former, trigger: former_trigger, .. } = self.slots[place];
        // What EV_ONESHOT has deleted may be on its way to `note`.
        let certain = self.system.receipts || former_trigger != Trigger::OneShot;
        self.slots.renew(place);
        let handle = self.slots[place].handle;
        let flags = adding(wish.trigger, &self.system);
        let changes = Changes::new()
            .and(former.changes(&self.system, wish.descriptor, EV_DELETE, 0))
            .and(filters.changes(&self.system, wish.descriptor, flags, handle));
        let receipts = changes.apply(kernel)?;
        let (deleted, added) = receipts.split_at(former.bits().count_ones() as usize);
        let gone = !former.is_empty() && deleted.iter().all(|&errno| errno != 0);
        let outcome = if gone && certain {
            Err(io::ErrorKind::NotFound.into())
        } else {
            accepted(filters, added)
        };
        match outcome {
            Ok(filters) => {
                let slot = &mut self.slots[place];
                (slot.token, slot.kind, slot.trigger) = (wish.token, wish.kind, wish.trigger);
                (slot.filters, slot.armed) = (filters, true);
                (slot.closed, slot.pending) = (Readiness::empty(), Readiness::empty());
                Ok(())
            }
            Err(error) => {
                self.delete(kernel, place, filters)?;
                Err(error)
            }
        }
    }

    /// Whether the kernel had any of these filters.
    fn delete(&mut self, kernel: &impl Kernel, place: usize, filters: Filters) -> io::Result<bool> {
        let ident = self.slots[place].ident;
        let changes = Changes::new().and(filters.changes(&self.system, ident, EV_DELETE, 0));
        Ok(changes.apply(kernel)?.contains(&0))
    }

    /// Whether the kernel still has what is in a slot. Enabling what is enabled, or disabling what is disabled,
    /// with the handle that is there, leaves all as it is; what is not there is `ENOENT` or `EBADF`.
    fn is_known(&self, kernel: &impl Kernel, place: usize) -> io::Result<bool> {
        let slot = &self.slots[place];
        let flags = if slot.armed { EV_ENABLE } else { EV_DISABLE };
        let probe = slot.filters.changes(&self.system, slot.ident, flags, slot.handle).take(1);
        let receipts = Changes::new().and(probe).apply(kernel)?;
        Ok(receipts.contains(&0))
    }

    /// Frees the places of descriptors that were closed without a word.
    #[cold]
    fn sweep(&mut self, kernel: &impl Kernel) -> io::Result<()> {
        for place in self.slots.places() {
            let descriptor = self.slots[place].ident;
            if self.slots.find(descriptor) == Some(place) && !self.is_known(kernel, place)? {
                self.slots.remove(place);
            }
        }
        Ok(())
    }
}

/// Those of `filters` that the kernel took.
///
/// A direction that a source does not have never becomes ready, as on epoll: it is left out as long as there is
/// another one. So it is with a kqueue that is asked for writing, and with a pipe whose other end is closed
/// already, which is `EPIPE` on Darwin and FreeBSD.
fn accepted(filters: Filters, receipts: &[i32]) -> io::Result<Filters> {
    let mut accepted = filters;
    let mut refused = None;
    for (filter, &errno) in filters.iter().zip(receipts) {
        if errno == 0 {
            continue;
        }
        if !is_refusal(errno) {
            return Err(io::Error::from_raw_os_error(errno));
        }
        if filter == Filters::EXCEPT {
            return Err(io::ErrorKind::Unsupported.into());
        }
        accepted.remove(filter);
        refused = Some(errno);
    }
    match refused {
        Some(libc::EPIPE) if accepted.is_empty() => Err(io::Error::from_raw_os_error(libc::EPIPE)),
        Some(_) if accepted.is_empty() => Err(io::ErrorKind::Unsupported.into()),
        _ => Ok(accepted),
    }
}

/// The kernels' words for a filter that a file, or they themselves, do not have. NetBSD's `EPERM` is for a
/// kqueue (sys/kern/kern_event.c: `kqueue_kqfilter`).
fn is_refusal(errno: i32) -> bool {
    [libc::EINVAL, libc::EPERM, libc::ENODEV, libc::EOPNOTSUPP, libc::ENOTSUP, libc::EPIPE]
        .contains(&errno)
}

/// The changes of one call.
struct Changes {
    list: [Kevent; CHANGES_MAX],
    count: usize,
}

/// The error number of each change, or 0.
struct Receipts {
    list: [i32; CHANGES_MAX],
    count: usize,
}

impl Changes {
    fn new() -> Changes {
        Changes { list: [Kevent::default(); CHANGES_MAX], count: 0 }
    }

    fn and(mut self, changes: impl Iterator<Item = Kevent>) -> Changes {
        for change in changes {
            self.list[self.count] = change;
            self.count += 1;
        }
        self
    }

    fn apply(self, kernel: &impl Kernel) -> io::Result<Receipts> {
        let mut receipts = Receipts { list: [0; CHANGES_MAX], count: self.count };
        if self.count > 0 {
            kernel.apply(&self.list[..self.count], &mut receipts.list[..self.count])?;
        }
        Ok(receipts)
    }
}

impl Receipts {
    /// The first error number.
    fn failure(&self) -> Option<i32> {
        self.iter().copied().find(|&errno| errno != 0)
    }
}

impl std::ops::Deref for Receipts {
    type Target = [i32];

    fn deref(&self) -> &[i32] {
        &self.list[..self.count]
    }
}

#[cfg(test)]
mod tests;
