//! What epoll would remember: the slots, and what poll(2) is to be asked.

use std::{io, os::fd::RawFd};

use libc::{c_short, pollfd};

use super::ffi::Identity;
use crate::{
    event::Event,
    interest::{Interest, Readiness, Trigger},
    sys::POLLRDHUP,
};

/// The slots. The array for the kernel is a [`Question`].
#[derive(Debug)]
pub(super) struct Table {
    /// With all the memory that it will need.
    slots: Vec<Slot>,
    /// The first vacant slot, or `NONE`.
    vacant: usize,
    /// Counts the changes that a question has to follow.
    version: u64,
    /// Where the next report begins, so that nobody starves.
    start: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Negative if the slot is vacant.
    fd: RawFd,
    identity: Option<Identity>,
    token: u64,
    /// What the user waits for, and the part of it that is armed.
    asked: Interest,
    armed: Interest,
    trigger: Trigger,
    /// Whether it is left out, because nothing is armed and what comes unasked was told.
    silent: bool,
    /// The version of the table that this slot is part of.
    version: u64,
    next: usize,
}

/// What the kernel is asked: the table at one version, without what is silent.
#[derive(Debug)]
pub(super) struct Question {
    version: u64,
    /// The first is the selector's own pipe.
    pub(super) fds: Vec<pollfd>,
    /// Which slot each of the others is.
    slots: Vec<usize>,
}

const NONE: usize = usize::MAX;

impl Table {
    pub(super) fn with_capacity(sources: usize) -> io::Result<Table> {
        let mut slots = Vec::new();
        slots.try_reserve_exact(sources)?;
        Ok(Table { slots, vacant: NONE, version: 1, start: 0 })
    }

    /// Takes a slot and arms it. `StorageFull`: there is none.
    pub(super) fn insert(
        &mut self,
        fd: RawFd,
        identity: Identity,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<usize> {
        let slot = Slot {
            fd,
            identity: Some(identity),
            token,
            asked: interest,
            armed: interest,
            trigger,
            silent: false,
            version: self.changed(),
            next: NONE,
        };
        if self.vacant != NONE {
            let index = self.vacant;
            self.vacant = self.slots[index].next;
            self.slots[index] = slot;
            return Ok(index);
        }
        if self.slots.len() == self.slots.capacity() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.slots.push(slot);
        Ok(self.slots.len() - 1)
    }

    /// Whether the slot is that of this very file.
    pub(super) fn is_of(&self, index: usize, identity: Identity) -> bool {
        self.slots[index].identity == Some(identity)
    }

    pub(super) fn replace(
        &mut self,
        index: usize,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) {
        let version = self.changed();
        let slot = &mut self.slots[index];
        (slot.token, slot.asked, slot.armed, slot.trigger) = (token, interest, interest, trigger);
        (slot.silent, slot.version) = (false, version);
    }

    pub(super) fn remove(&mut self, index: usize) {
        let (version, next) = (self.changed(), self.vacant);
        let slot = &mut self.slots[index];
        (slot.fd, slot.identity, slot.silent) = (-1, None, true);
        (slot.version, slot.next) = (version, next);
        self.vacant = index;
    }

    pub(super) fn has_token(&self, index: usize, token: u64) -> bool {
        self.slots[index].token == token
    }

    /// Arms what was disarmed of an edge. Answers whether anything was.
    pub(super) fn arm(&mut self, index: usize, interest: Interest) -> bool {
        let slot = &self.slots[index];
        let armed = slot.armed | (interest & slot.asked);
        if slot.trigger != Trigger::Edge || armed == slot.armed {
            return false;
        }
        let version = self.changed();
        let slot = &mut self.slots[index];
        (slot.armed, slot.silent, slot.version) = (armed, false, version);
        true
    }

    /// Brings the question up to date.
    pub(super) fn ask(&self, question: &mut Question) {
        if question.version == self.version {
            return;
        }
        question.version = self.version;
        question.fds.truncate(1);
        question.slots.clear();
        for (index, slot) in self.slots.iter().enumerate().filter(|(_, slot)| !slot.silent) {
            // There is room for every slot.
            question.fds.push(pollfd { fd: slot.fd, events: to_poll(slot.armed), revents: 0 });
            question.slots.push(index);
        }
    }

    /// Hands the answers to `report` until that has no room for more. What has changed since the question was
    /// asked is passed over.
    pub(super) fn answer(&mut self, question: &Question, mut report: impl FnMut(Event) -> bool) {
        let count = question.slots.len();
        for step in 0..count {
            let at = (self.start + step) % count;
            let (index, revents) = (question.slots[at], question.fds[at + 1].revents);
            if revents == 0 || self.slots[index].version > question.version {
                continue;
            }
            if revents & libc::POLLNVAL != 0 {
                self.hush(index);
                continue;
            }
            let event = Event { token: self.slots[index].token, readiness: to_readiness(revents) };
            if !report(event) {
                self.start = at;
                return;
            }
            self.reported(index, event.readiness);
        }
    }

    /// Disarms what was reported, as the trigger says.
    fn reported(&mut self, index: usize, readiness: Readiness) {
        let slot = &self.slots[index];
        let unasked = readiness.intersects(Readiness::ERROR) || readiness.is_closed();
        match slot.trigger {
            Trigger::Level => {}
            Trigger::OneShot => self.hush(index),
            Trigger::Edge if unasked => self.hush(index),
            Trigger::Edge => {
                let armed = slot.armed.difference(told(readiness));
                let version = self.changed();
                let slot = &mut self.slots[index];
                (slot.armed, slot.version) = (armed, version);
            }
        }
    }

    /// Nothing is reported of the slot until it is armed or replaced.
    fn hush(&mut self, index: usize) {
        let version = self.changed();
        let slot = &mut self.slots[index];
        (slot.armed, slot.silent, slot.version) = (Interest::empty(), true, version);
    }

    fn changed(&mut self) -> u64 {
        self.version += 1;
        self.version
    }
}

impl Question {
    /// Room for as many sources; asks for what comes through the pipe, whose reading end is `pipe`.
    pub(super) fn with_capacity(sources: usize, pipe: RawFd) -> io::Result<Question> {
        let (mut fds, mut slots) = (Vec::new(), Vec::new());
        fds.try_reserve_exact(sources.saturating_add(1))?;
        slots.try_reserve_exact(sources)?;
        fds.push(pollfd { fd: pipe, events: libc::POLLIN, revents: 0 });
        Ok(Question { version: 0, fds, slots })
    }

    /// Whether something came through the pipe.
    pub(super) fn is_nudged(&self) -> bool {
        self.fds[0].revents != 0
    }
}

fn to_poll(interest: Interest) -> c_short {
    let mut events = 0;
    if interest.contains(Interest::READABLE) {
        events |= libc::POLLIN | POLLRDHUP;
    }
    if interest.contains(Interest::WRITABLE) {
        events |= libc::POLLOUT;
    }
    if interest.contains(Interest::PRIORITY) {
        events |= libc::POLLPRI;
    }
    events
}

fn to_readiness(revents: c_short) -> Readiness {
    let mut readiness = Readiness::empty();
    for (bit, flag) in [
        (libc::POLLIN, Readiness::READABLE),
        (libc::POLLPRI, Readiness::PRIORITY),
        (libc::POLLOUT, Readiness::WRITABLE),
        (libc::POLLERR, Readiness::ERROR),
        (libc::POLLHUP, Readiness::HUNG_UP),
        (POLLRDHUP, Readiness::READ_CLOSED),
    ] {
        if revents & bit != 0 {
            readiness |= flag;
        }
    }
    readiness
}

/// Which interests a report is about.
fn told(readiness: Readiness) -> Interest {
    let mut told = Interest::empty();
    told.set(Interest::READABLE, readiness.wants_read());
    told.set(Interest::WRITABLE, readiness.wants_write());
    told.set(Interest::PRIORITY, readiness.is_priority());
    told
}
