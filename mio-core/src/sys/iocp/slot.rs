//! One registered socket: what may be reported of it, and who owns the memory of its polls.
//!
//! Pure: it says what is to be done, and is told what came of it. See the essay in [`super`].

use super::afd::{self, Conditions};
use crate::interest::{Interest, Readiness, Trigger};

/// What a poll of a slot is for, and which of its memory it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Waits for what may be reported.
    Poll,
    /// Waits for the end of the socket.
    Guard,
    /// The same, begun before the former is called off.
    Relief,
    /// Once more, while the kernel still has the memory of the first.
    Reserve,
}

impl Role {
    pub(super) const ALL: [Role; 4] = [Role::Poll, Role::Guard, Role::Relief, Role::Reserve];
    const GUARDS: [Role; 3] = [Role::Guard, Role::Relief, Role::Reserve];
}

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
    /// Its polls, by their roles.
    pub(super) flights: [Flight; Role::ALL.len()],
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
            flights: [Flight::Idle; Role::ALL.len()],
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

    /// What is to be done about a poll. A guard is never begun here: it would be for whoever has the number by then.
    pub(super) fn step(&self, role: Role) -> Step {
        let flight = self.flights[role as usize];
        if !self.live {
            return if let Flight::Pending(_) = flight { Step::Cancel } else { Step::Rest };
        }
        let watched = self.trigger == Trigger::Edge && !self.broken;
        let wanted = role == Role::Poll && (watched || !self.armed.is_empty());
        match flight {
            Flight::Idle if wanted => Step::Submit(afd::conditions(self.armed)),
            // If it waits for more than is wanted, what it says is sieved.
            Flight::Pending(conditions)
                if wanted && !conditions.contains(afd::conditions(self.armed)) =>
            {
                Step::Cancel
            }
            _ => Step::Rest,
        }
    }

    /// Who is on guard, and who can relieve it, unless the kernel still has the memory of all others.
    pub(super) fn guards(&self) -> Option<(Role, Role)> {
        let find = |is: fn(Flight) -> bool| {
            Role::GUARDS.into_iter().find(|&role| is(self.flights[role as usize]))
        };
        let guard = find(|flight| matches!(flight, Flight::Pending(_)))?;
        Some((guard, find(|flight| flight == Flight::Idle)?))
    }

    /// The memory of a poll is back. Answers what is to be reported.
    pub(super) fn landed(&mut self, role: Role, landing: Landing) -> Option<Readiness> {
        self.flights[role as usize] = Flight::Idle;
        if role == Role::Poll {
            return self.poll_landed(landing);
        }
        // The socket is closed, unless the guard was relieved.
        self.live &= landing == Landing::Cancelled;
        None
    }

    fn poll_landed(&mut self, landing: Landing) -> Option<Readiness> {
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

    /// Whether it can be given away.
    pub(super) fn is_free(&self) -> bool {
        let named = self.live || self.listed || self.queued || self.closing;
        !named && self.flights == [Flight::Idle; Role::ALL.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Interest = Interest::READABLE;
    const WRITE: Interest = Interest::WRITABLE;
    const BOTH: Interest = READ.union(WRITE);
    const GUARDING: Flight = Flight::Pending(Conditions::LOCAL_CLOSE);

    fn slot(interest: Interest, trigger: Trigger) -> Slot {
        Slot::new(4, 4, 7, interest, trigger)
    }

    /// As the kernel does.
    fn submitted(slot: &mut Slot) -> Conditions {
        let Step::Submit(conditions) = slot.step(Role::Poll) else { panic!("{slot:?}") };
        slot.flights[Role::Poll as usize] = Flight::Pending(conditions);
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
            assert_eq!(slot.step(Role::Poll), Step::Rest);
            let told = slot.landed(Role::Poll, Landing::Held(Conditions::RECEIVE));
            assert_eq!(told, Some(Readiness::READABLE));
            assert_eq!(slot.step(Role::Poll), next, "{trigger:?}");
            slot.would_block(READ);
            let again = match trigger {
                Trigger::OneShot => Step::Rest,
                _ => Step::Submit(afd::conditions(READ)),
            };
            assert_eq!(slot.step(Role::Poll), again, "{trigger:?}");
        }
    }

    #[test]
    fn an_edge_in_one_direction_leaves_the_other_armed() {
        let mut slot = slot(BOTH, Trigger::Edge);
        submitted(&mut slot);
        slot.landed(Role::Poll, Landing::Held(Conditions::SEND));
        assert_eq!(submitted(&mut slot), afd::conditions(READ));
        slot.would_block(READ);
        assert_eq!(slot.step(Role::Poll), Step::Rest, "that is what it waits for");
        slot.would_block(WRITE);
        assert_eq!(slot.step(Role::Poll), Step::Cancel, "it has to wait for more");
        slot.flights[Role::Poll as usize] = Flight::Cancelling;
        assert_eq!(slot.step(Role::Poll), Step::Rest);
        assert_eq!(slot.landed(Role::Poll, Landing::Cancelled), None);
        assert_eq!(submitted(&mut slot), afd::conditions(BOTH));
    }

    #[test]
    fn what_came_before_the_cancellation_is_reported() {
        let mut slot = slot(READ, Trigger::Edge);
        submitted(&mut slot);
        slot.change(8, BOTH, Trigger::Edge);
        assert_eq!(slot.step(Role::Poll), Step::Cancel);
        slot.flights[Role::Poll as usize] = Flight::Cancelling;
        let told = slot.landed(Role::Poll, Landing::Held(Conditions::RECEIVE));
        assert_eq!(told, Some(Readiness::READABLE));
        assert_eq!(submitted(&mut slot), afd::conditions(WRITE));
    }

    #[test]
    fn what_is_not_wanted_any_more_is_not_reported_and_asked_anew() {
        let mut slot = slot(BOTH, Trigger::Level);
        submitted(&mut slot);
        slot.change(8, READ, Trigger::Level);
        assert_eq!(slot.step(Role::Poll), Step::Rest);
        assert_eq!(slot.landed(Role::Poll, Landing::Held(Conditions::SEND)), None);
        assert_eq!(submitted(&mut slot), afd::conditions(READ));
    }

    #[test]
    fn a_broken_connection_is_an_edge_in_every_direction() {
        let mut slot = slot(BOTH, Trigger::Edge);
        submitted(&mut slot);
        let told = slot.landed(Role::Poll, Landing::Held(Conditions::ABORT)).unwrap();
        assert!(told.is_closed() && told.contains(Readiness::ERROR));
        assert_eq!(slot.step(Role::Poll), Step::Rest);
    }

    #[test]
    fn a_poll_that_fails_is_an_error_once() {
        for trigger in [Trigger::Level, Trigger::Edge, Trigger::OneShot] {
            let mut slot = slot(READ, trigger);
            submitted(&mut slot);
            assert_eq!(slot.landed(Role::Poll, Landing::Failed), Some(Readiness::ERROR));
            assert_eq!(slot.step(Role::Poll), Step::Rest, "{trigger:?}");
        }
    }

    #[test]
    fn a_slot_is_free_when_all_polls_have_come_back() {
        let mut slot = slot(READ, Trigger::Level);
        submitted(&mut slot);
        slot.flights[Role::Guard as usize] = GUARDING;
        slot.flights[Role::Relief as usize] = Flight::Cancelling;
        assert_eq!(Role::ALL.map(|role| slot.step(role)), [Step::Rest; 4]);
        (slot.live, slot.listed) = (false, false);
        let steps = [Step::Cancel, Step::Cancel, Step::Rest, Step::Rest];
        assert_eq!(Role::ALL.map(|role| slot.step(role)), steps);
        slot.landed(Role::Guard, Landing::Cancelled);
        slot.landed(Role::Relief, Landing::Cancelled);
        assert!(!slot.is_free());
        assert_eq!(slot.landed(Role::Poll, Landing::Held(Conditions::RECEIVE)), None);
        assert!(slot.is_free());
        assert_eq!(Role::ALL.map(|role| slot.step(role)), [Step::Rest; 4]);
    }

    #[test]
    fn a_closed_socket_retires_its_slot_whichever_poll_says_so_first() {
        let end = Landing::Held(Conditions::RECEIVE | Conditions::LOCAL_CLOSE);
        for first in Role::ALL {
            let mut slot = slot(READ, Trigger::Level);
            submitted(&mut slot);
            for role in Role::GUARDS {
                slot.flights[role as usize] = GUARDING;
            }
            assert_eq!(slot.landed(first, end), None);
            assert!(!slot.live);
            for other in Role::ALL.into_iter().filter(|&role| role != first) {
                assert_eq!(slot.step(other), Step::Cancel, "{first:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_guard_is_relieved_by_others_and_never_begun_again_by_itself() {
        let mut slot = slot(READ, Trigger::Level);
        submitted(&mut slot);
        slot.flights[Role::Guard as usize] = GUARDING;
        for expected in [(Role::Guard, Role::Relief), (Role::Relief, Role::Reserve)] {
            assert_eq!(slot.guards(), Some(expected));
            slot.flights[expected.1 as usize] = GUARDING;
            slot.flights[expected.0 as usize] = Flight::Cancelling;
        }
        assert_eq!(slot.guards(), None, "the kernel has the memory of all");
        slot.landed(Role::Relief, Landing::Cancelled);
        assert!(slot.live);
        assert_eq!(slot.step(Role::Relief), Step::Rest);
        assert_eq!(slot.guards(), Some((Role::Reserve, Role::Relief)));
    }
}
