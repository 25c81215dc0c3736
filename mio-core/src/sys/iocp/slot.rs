//! One registered socket: what may be reported of it, and who owns the memory of its polls.
//!
//! Pure: it says what is to be done, and is told what came of it. See the essay in [`super`].

use super::afd::{self, Conditions};
use crate::interest::{Interest, Readiness, Trigger};

/// A poll, and thereby its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flight {
    /// Ours.
    Idle,
    /// The kernel's, until a packet says that one of these conditions holds.
    Pending(Conditions),
    /// The kernel's, until a packet says that it was cancelled, or that it had ended before.
    Cancelling,
}

/// What is to be done about a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Rest,
    Submit(Conditions),
    Cancel,
}

/// How a poll ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landing {
    Held(Conditions),
    Cancelled,
    Failed,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// The number that the socket is looked up by.
    pub(super) socket: usize,
    /// The number that polls name: that of the socket without the layers that other vendors put on it.
    pub(super) base: usize,
    pub(super) token: u64,
    pub(super) trigger: Trigger,
    /// What the user asked for.
    interest: Interest,
    /// What of it may be reported.
    armed: Interest,
    /// Whether it was reported that the connection is broken, which is an edge of its own.
    broken: bool,
    /// Registered; otherwise it waits for its memory to come back, if that is not back yet.
    pub(super) live: bool,
    /// Waits for what may be reported.
    pub(super) poll: Flight,
    /// Waits for the end of the socket for as long as it is registered.
    pub(super) guard: Flight,
    /// In the list of those to be armed before the next wait.
    pub(super) queued: bool,
    /// In the list of those found closed.
    pub(super) closing: bool,
    /// In the table of sockets.
    pub(super) listed: bool,
    /// In the list of free slots.
    pub(super) spare: bool,
}

impl Slot {
    pub(super) fn new(
        socket: usize,
        base: usize,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> Slot {
        Slot {
            socket,
            base,
            token,
            trigger,
            interest,
            armed: interest,
            broken: false,
            live: true,
            poll: Flight::Idle,
            guard: Flight::Idle,
            queued: false,
            closing: false,
            listed: true,
            spare: false,
        }
    }

    pub(super) fn change(&mut self, token: u64, interest: Interest, trigger: Trigger) {
        self.token = token;
        self.interest = interest;
        self.trigger = trigger;
        self.armed = interest;
        self.broken = false;
    }

    /// A call has answered `WouldBlock`, so that the next time it would not is an edge.
    pub(super) fn would_block(&mut self, interest: Interest) {
        if self.trigger == Trigger::Edge {
            self.armed |= interest & self.interest;
        }
    }

    /// What is to be done about the poll.
    pub(super) fn step(&self) -> Step {
        let watched = self.trigger == Trigger::Edge && !self.broken;
        let wanted = self.live && (watched || !self.armed.is_empty());
        match self.poll {
            Flight::Idle if wanted => Step::Submit(afd::conditions(self.armed)),
            Flight::Pending(_) if !self.live => Step::Cancel,
            // If it waits for more than is wanted, what it says is sieved.
            Flight::Pending(conditions)
                if wanted && !conditions.contains(afd::conditions(self.armed)) =>
            {
                Step::Cancel
            }
            _ => Step::Rest,
        }
    }

    /// What is to be done about the guard.
    pub(super) fn guard_step(&self) -> Step {
        match self.guard {
            Flight::Idle if self.live => Step::Submit(Conditions::LOCAL_CLOSE),
            Flight::Pending(_) if !self.live => Step::Cancel,
            _ => Step::Rest,
        }
    }

    /// The memory of the poll is back. Answers what is to be reported.
    pub(super) fn poll_landed(&mut self, landing: Landing) -> Option<Readiness> {
        self.poll = Flight::Idle;
        if !self.live {
            return None;
        }
        let readiness = match landing {
            Landing::Cancelled => return None,
            Landing::Held(conditions) if conditions.contains(Conditions::LOCAL_CLOSE) => {
                self.live = false;
                return None;
            }
            Landing::Held(conditions) => afd::readiness(conditions, self.armed),
            Landing::Failed => Readiness::ERROR,
        };
        let watched = self.trigger == Trigger::Edge && !self.broken;
        if readiness.is_empty() || !watched && self.armed.is_empty() {
            return None;
        }
        self.broken |= readiness.contains(Readiness::ERROR);
        match self.trigger {
            // Nothing is gained by asking again what cannot be asked.
            Trigger::Level if landing == Landing::Failed => self.armed = Interest::empty(),
            Trigger::Level => {}
            Trigger::Edge => self.armed -= afd::answered(readiness, self.armed),
            Trigger::OneShot => self.armed = Interest::empty(),
        }
        Some(readiness)
    }

    /// The memory of the guard is back: the socket is closed, unless the guard was called off.
    pub(super) fn guard_landed(&mut self, landing: Landing) {
        self.guard = Flight::Idle;
        if landing != Landing::Cancelled {
            self.live = false;
        }
    }

    /// Whether it can be given away.
    pub(super) fn is_free(&self) -> bool {
        let named = self.live || self.listed || self.queued || self.closing;
        !named && self.poll == Flight::Idle && self.guard == Flight::Idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Interest = Interest::READABLE;
    const WRITE: Interest = Interest::WRITABLE;
    const BOTH: Interest = READ.union(WRITE);

    fn slot(interest: Interest, trigger: Trigger) -> Slot {
        Slot::new(4, 4, 7, interest, trigger)
    }

    /// As the kernel does.
    fn submitted(slot: &mut Slot) -> Conditions {
        let Step::Submit(conditions) = slot.step() else { panic!("{slot:?}") };
        slot.poll = Flight::Pending(conditions);
        conditions
    }

    #[test]
    fn a_level_asks_again_and_an_edge_does_not_before_the_call_would_block() {
        for (trigger, next) in [
            (Trigger::Level, Step::Submit(afd::conditions(READ))),
            (Trigger::Edge, Step::Submit(afd::conditions(Interest::empty()))),
            (Trigger::OneShot, Step::Rest),
        ] {
            let mut slot = slot(READ, trigger);
            submitted(&mut slot);
            assert_eq!(slot.step(), Step::Rest);
            let told = slot.poll_landed(Landing::Held(Conditions::RECEIVE));
            assert_eq!(told, Some(Readiness::READABLE));
            assert_eq!(slot.step(), next, "{trigger:?}");
            slot.would_block(READ);
            let again = match trigger {
                Trigger::OneShot => Step::Rest,
                _ => Step::Submit(afd::conditions(READ)),
            };
            assert_eq!(slot.step(), again, "{trigger:?}");
        }
    }

    #[test]
    fn an_edge_in_one_direction_leaves_the_other_armed() {
        let mut slot = slot(BOTH, Trigger::Edge);
        submitted(&mut slot);
        slot.poll_landed(Landing::Held(Conditions::SEND));
        assert_eq!(submitted(&mut slot), afd::conditions(READ));
        slot.would_block(READ);
        assert_eq!(slot.step(), Step::Rest, "that is what it waits for");
        slot.would_block(WRITE);
        assert_eq!(slot.step(), Step::Cancel, "it has to wait for more");
        slot.poll = Flight::Cancelling;
        assert_eq!(slot.step(), Step::Rest);
        assert_eq!(slot.poll_landed(Landing::Cancelled), None);
        assert_eq!(submitted(&mut slot), afd::conditions(BOTH));
    }

    #[test]
    fn what_came_before_the_cancellation_is_reported() {
        let mut slot = slot(READ, Trigger::Edge);
        submitted(&mut slot);
        slot.change(8, BOTH, Trigger::Edge);
        assert_eq!(slot.step(), Step::Cancel);
        slot.poll = Flight::Cancelling;
        let told = slot.poll_landed(Landing::Held(Conditions::RECEIVE));
        assert_eq!(told, Some(Readiness::READABLE));
        assert_eq!(submitted(&mut slot), afd::conditions(WRITE));
    }

    #[test]
    fn what_is_not_wanted_any_more_is_not_reported_and_asked_anew() {
        let mut slot = slot(BOTH, Trigger::Level);
        submitted(&mut slot);
        slot.change(8, READ, Trigger::Level);
        assert_eq!(slot.step(), Step::Rest);
        assert_eq!(slot.poll_landed(Landing::Held(Conditions::SEND)), None);
        assert_eq!(submitted(&mut slot), afd::conditions(READ));
    }

    #[test]
    fn a_broken_connection_is_an_edge_in_every_direction() {
        let mut slot = slot(BOTH, Trigger::Edge);
        submitted(&mut slot);
        let told = slot.poll_landed(Landing::Held(Conditions::ABORT)).unwrap();
        assert!(told.is_closed() && told.contains(Readiness::ERROR));
        assert_eq!(slot.step(), Step::Rest);
    }

    #[test]
    fn a_poll_that_fails_is_an_error_once() {
        for trigger in [Trigger::Level, Trigger::Edge, Trigger::OneShot] {
            let mut slot = slot(READ, trigger);
            submitted(&mut slot);
            assert_eq!(slot.poll_landed(Landing::Failed), Some(Readiness::ERROR));
            assert_eq!(slot.step(), Step::Rest, "{trigger:?}");
        }
    }

    #[test]
    fn a_slot_is_free_when_both_polls_have_come_back() {
        let mut slot = slot(READ, Trigger::Level);
        submitted(&mut slot);
        assert_eq!(slot.guard_step(), Step::Submit(Conditions::LOCAL_CLOSE));
        slot.guard = Flight::Pending(Conditions::LOCAL_CLOSE);
        assert_eq!(slot.guard_step(), Step::Rest);
        (slot.live, slot.listed) = (false, false);
        assert_eq!((slot.step(), slot.guard_step()), (Step::Cancel, Step::Cancel));
        slot.guard = Flight::Cancelling;
        slot.guard_landed(Landing::Cancelled);
        assert!(!slot.is_free());
        assert_eq!(slot.poll_landed(Landing::Held(Conditions::RECEIVE)), None);
        assert!(slot.is_free());
        assert_eq!((slot.step(), slot.guard_step()), (Step::Rest, Step::Rest));
    }

    #[test]
    fn a_closed_socket_retires_its_slot_whichever_poll_says_so_first() {
        let mut first = slot(READ, Trigger::Level);
        submitted(&mut first);
        first.guard = Flight::Pending(Conditions::LOCAL_CLOSE);
        let mut second = first;
        first.guard_landed(Landing::Held(Conditions::LOCAL_CLOSE));
        assert_eq!((first.live, first.step()), (false, Step::Cancel));
        let end = Conditions::RECEIVE | Conditions::LOCAL_CLOSE;
        assert_eq!(second.poll_landed(Landing::Held(end)), None);
        assert_eq!((second.live, second.guard_step()), (false, Step::Cancel));
    }

    #[test]
    fn a_guard_that_was_called_off_is_posted_again() {
        let mut slot = slot(READ, Trigger::Level);
        slot.guard = Flight::Cancelling;
        slot.guard_landed(Landing::Cancelled);
        assert!(slot.live);
        assert_eq!(slot.guard_step(), Step::Submit(Conditions::LOCAL_CLOSE));
    }
}
