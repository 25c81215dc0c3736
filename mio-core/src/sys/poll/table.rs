//! What epoll would remember: the slots, and what poll(2) is to be asked.

use std::{io, os::fd::RawFd};

use libc::{c_short, pollfd};

use super::{
    super::{POLLPRI, POLLRDHUP},
    ffi::Identity,
};
use crate::{
    event::Event,
    interest::{Interest, Readiness, Trigger},
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

/// Whether errors and hang-ups are told of what nothing is asked of. On WASI they are not, and older C libraries there
/// refuse such a question.
const TELLS_UNASKED: bool = cfg!(unix);

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
        let heard = |slot: &Slot| !slot.silent && (TELLS_UNASKED || !slot.armed.is_empty());
        for (index, slot) in self.slots.iter().enumerate().filter(|(_, slot)| heard(slot)) {
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
    /// Room for as many sources; asks for what comes through the pipe, whose reading end is `pipe`; a negative number is none.
    pub(super) fn with_capacity(sources: usize, pipe: RawFd) -> io::Result<Question> {
        let (mut fds, mut slots) = (Vec::new(), Vec::new());
        fds.try_reserve_exact(sources.saturating_add(1))?;
        slots.try_reserve_exact(sources)?;
        fds.push(pollfd { fd: pipe, events: libc::POLLIN, revents: 0 });
        Ok(Question { version: 0, fds, slots })
    }

    /// Whether the kernel is asked of no source.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
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
        events |= POLLPRI;
    }
    events
}

fn to_readiness(revents: c_short) -> Readiness {
    let mut readiness = Readiness::empty();
    for (bit, flag) in [
        (libc::POLLIN, Readiness::READABLE),
        (POLLPRI, Readiness::PRIORITY),
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

#[cfg(test)]
mod tests {
    use std::{fs::File, os::fd::AsFd};

    use super::*;

    const BOTH: Interest = Interest::READABLE.union(Interest::WRITABLE);
    const FULL: usize = 4;

    /// A table and its question, with sources that have the numbers that they are told by.
    struct Model {
        table: Table,
        question: Question,
        identity: Identity,
    }

    impl Model {
        fn new() -> Model {
            let identity = Identity::of(File::open("/dev/null").unwrap().as_fd()).unwrap();
            let table = Table::with_capacity(FULL).unwrap();
            Model { table, question: Question::with_capacity(FULL, 0).unwrap(), identity }
        }

        fn insert(&mut self, fd: RawFd, interest: Interest, trigger: Trigger) -> usize {
            self.table.insert(fd, self.identity, fd as u64, interest, trigger).unwrap()
        }

        /// What the kernel is asked: numbers and events.
        fn asked(&mut self) -> Vec<(RawFd, c_short)> {
            self.table.ask(&mut self.question);
            self.question.fds[1..].iter().map(|fd| (fd.fd, fd.events)).collect()
        }

        /// Answers the question so, and tells what is reported, at most as many as there is room for.
        fn answer(&mut self, answers: &[(RawFd, c_short)], room: usize) -> Vec<(u64, Readiness)> {
            for fd in &mut self.question.fds {
                let answer = answers.iter().find(|(number, _)| *number == fd.fd);
                fd.revents = answer.map_or(0, |&(_, revents)| revents);
            }
            let mut told = Vec::new();
            self.table.answer(&self.question, |event| {
                let fits = told.len() < room;
                if fits {
                    told.push((event.token, event.readiness));
                }
                fits
            });
            told
        }
    }

    const READ: c_short = libc::POLLIN | POLLRDHUP;

    #[test]
    fn an_edge_is_disarmed_by_its_report_and_armed_again_for_what_was_asked() {
        let mut model = Model::new();
        let slot = model.insert(10, BOTH, Trigger::Edge);
        assert_eq!(model.asked(), [(10, READ | libc::POLLOUT)]);
        assert_eq!(model.answer(&[(10, libc::POLLOUT)], 9), [(10, Readiness::WRITABLE)]);
        assert_eq!(model.asked(), [(10, READ)]);
        assert_eq!(model.answer(&[(10, libc::POLLIN)], 9), [(10, Readiness::READABLE)]);
        assert_eq!(model.asked(), [(10, 0)], "an error would still be heard");
        assert!(!model.table.arm(slot, Interest::PRIORITY), "nobody asked for it");
        assert!(model.table.arm(slot, Interest::READABLE));
        assert!(!model.table.arm(slot, Interest::READABLE));
        assert_eq!(model.asked(), [(10, READ)]);
    }

    #[test]
    fn an_edge_that_hangs_up_or_fails_is_silent_until_it_is_armed() {
        for end in [libc::POLLHUP, libc::POLLERR, libc::POLLIN | libc::POLLHUP] {
            let mut model = Model::new();
            let slot = model.insert(10, BOTH, Trigger::Edge);
            model.asked();
            assert_eq!(model.answer(&[(10, end)], 9).len(), 1);
            assert_eq!(model.asked(), [], "poll(2) would report it for ever");
            assert!(model.table.arm(slot, Interest::READABLE));
            assert_eq!(model.asked(), [(10, READ)]);
        }
    }

    #[test]
    fn a_level_stays_as_it_is_and_a_one_shot_is_silent_until_it_is_replaced() {
        let mut model = Model::new();
        model.insert(10, Interest::READABLE, Trigger::Level);
        let shot = model.insert(11, Interest::WRITABLE, Trigger::OneShot);
        for round in 0..2 {
            assert_eq!(model.asked().len(), 2 - round);
            let told = model.answer(&[(10, libc::POLLIN | libc::POLLHUP), (11, libc::POLLOUT)], 9);
            assert_eq!(told.len(), 2 - round);
        }
        assert!(!model.table.arm(shot, Interest::WRITABLE), "only a new registration does that");
        model.table.replace(shot, 12, Interest::READABLE, Trigger::OneShot);
        assert_eq!(model.asked(), [(10, READ), (11, READ)]);
        assert_eq!(model.answer(&[(11, libc::POLLIN)], 9), [(12, Readiness::READABLE)]);
    }

    #[test]
    fn an_answer_to_an_old_question_is_passed_over() {
        let mut model = Model::new();
        let gone = model.insert(10, Interest::READABLE, Trigger::Level);
        let changed = model.insert(11, Interest::READABLE, Trigger::Level);
        model.insert(12, Interest::READABLE, Trigger::Level);
        model.asked();
        model.table.remove(gone);
        model.insert(13, Interest::READABLE, Trigger::Level);
        model.table.replace(changed, 11, Interest::WRITABLE, Trigger::Level);
        let answers = [10, 11, 12].map(|fd| (fd, libc::POLLIN));
        assert_eq!(model.answer(&answers, 9), [(12, Readiness::READABLE)]);
        assert_eq!(model.asked(), [(13, READ), (11, libc::POLLOUT), (12, READ)]);
    }

    #[test]
    fn those_that_find_no_room_come_first_in_the_next_wait() {
        let mut model = Model::new();
        for fd in 10..14 {
            model.insert(fd, Interest::READABLE, Trigger::Level);
        }
        let answers = [10, 11, 12, 13].map(|fd| (fd, libc::POLLIN));
        let mut told = Vec::new();
        for _ in 0..4 {
            model.asked();
            told.extend(model.answer(&answers, 3).into_iter().map(|(token, _)| token));
        }
        assert_eq!(told, [10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13]);
    }

    #[test]
    fn a_closed_number_is_silent_and_a_full_table_says_so_until_a_slot_is_vacated() {
        let mut model = Model::new();
        let slots = [10, 11, 12, 13].map(|fd| model.insert(fd, BOTH, Trigger::Level));
        let full = model.table.insert(14, model.identity, 14, BOTH, Trigger::Edge);
        assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
        model.asked();
        assert_eq!(model.answer(&[(11, libc::POLLNVAL)], 9), []);
        assert_eq!(model.asked().len(), 3);
        model.table.remove(slots[2]);
        assert_eq!(model.insert(14, BOTH, Trigger::Edge), slots[2]);
    }

    #[test]
    fn every_word_of_poll_is_told() {
        let all = libc::POLLIN | POLLPRI | libc::POLLOUT | libc::POLLERR | POLLRDHUP;
        let words = Readiness::READABLE
            | Readiness::PRIORITY
            | Readiness::WRITABLE
            | Readiness::ERROR
            | Readiness::READ_CLOSED;
        assert_eq!(to_readiness(all), words);
        assert!(to_readiness(libc::POLLHUP).is_closed());
        assert_eq!(to_poll(Interest::all()), READ | libc::POLLOUT | POLLPRI);
    }
}
