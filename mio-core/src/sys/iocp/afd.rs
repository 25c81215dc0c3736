//! What AFD is asked and what it answers, in terms of interests and readiness.

use bitflags::bitflags;

use crate::interest::{Interest, Readiness};

bitflags! {
    /// The events of an AFD poll.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Conditions: u32 {
        /// Bytes or a datagram can be received.
        const RECEIVE = 1;
        /// Out-of-band data can be received.
        const RECEIVE_EXPEDITED = 1 << 1;
        /// Something can be sent; a connection was made.
        const SEND = 1 << 2;
        /// The peer has ended its direction.
        const DISCONNECT = 1 << 3;
        /// The connection was reset, by either side.
        const ABORT = 1 << 4;
        /// The last handle of the socket was closed.
        const LOCAL_CLOSE = 1 << 5;
        /// A connection waits to be accepted.
        const ACCEPT = 1 << 7;
        /// The attempt to connect has failed.
        const CONNECT_FAIL = 1 << 8;
    }
}

/// What ends a poll whatever it is asked for, as on other systems.
const ALWAYS: Conditions =
    Conditions::ABORT.union(Conditions::CONNECT_FAIL).union(Conditions::LOCAL_CLOSE);

/// The conditions of which one has to hold for `interest` to be reported.
pub(super) fn conditions(interest: Interest) -> Conditions {
    let mut conditions = ALWAYS;
    if interest.contains(Interest::READABLE) {
        // A half-close goes on for ever: whoever waits to write alone would never sleep.
        conditions |= Conditions::RECEIVE | Conditions::ACCEPT | Conditions::DISCONNECT;
    }
    if interest.contains(Interest::WRITABLE) {
        conditions |= Conditions::SEND;
    }
    if interest.contains(Interest::PRIORITY) {
        conditions |= Conditions::RECEIVE_EXPEDITED;
    }
    conditions
}

/// What `conditions` mean to whoever waits for `interest`.
pub(super) fn readiness(conditions: Conditions, interest: Interest) -> Readiness {
    const READ: Conditions = Conditions::RECEIVE.union(Conditions::ACCEPT);
    const BROKEN: Conditions = Conditions::ABORT.union(Conditions::CONNECT_FAIL);
    let mut readiness = Readiness::empty();
    let broken = conditions.intersects(BROKEN);
    if broken {
        readiness |= Readiness::ERROR | Readiness::HUNG_UP;
    }
    if interest.contains(Interest::READABLE) {
        let half_closed = conditions.contains(Conditions::DISCONNECT);
        if half_closed {
            readiness |= Readiness::READ_CLOSED;
        }
        if broken || half_closed || conditions.intersects(READ) {
            readiness |= Readiness::READABLE;
        }
    }
    if interest.contains(Interest::WRITABLE) && (broken || conditions.contains(Conditions::SEND)) {
        readiness |= Readiness::WRITABLE;
    }
    if interest.contains(Interest::PRIORITY) && conditions.contains(Conditions::RECEIVE_EXPEDITED) {
        readiness |= Readiness::PRIORITY;
    }
    readiness
}

/// The part of `interest` that a report of `readiness` has answered: all of it, once the source is broken.
pub(super) fn answered(readiness: Readiness, interest: Interest) -> Interest {
    let mut answered = Interest::empty();
    if readiness.intersects(Readiness::ERROR | Readiness::WRITE_CLOSED) {
        return interest;
    }
    if readiness.intersects(Readiness::READABLE | Readiness::READ_CLOSED) {
        answered |= Interest::READABLE;
    }
    if readiness.contains(Readiness::WRITABLE) {
        answered |= Interest::WRITABLE;
    }
    if readiness.is_priority() {
        answered |= Interest::PRIORITY;
    }
    answered & interest
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Interest = Interest::READABLE;
    const WRITE: Interest = Interest::WRITABLE;
    const PRIORITY: Interest = Interest::PRIORITY;

    #[test]
    fn an_interest_asks_for_its_own_conditions_and_for_the_end() {
        for (interest, bits) in [
            (READ, 0x1 | 0x80 | 0x8),
            (WRITE, 0x4),
            (PRIORITY, 0x2),
            (READ | WRITE, 0x1 | 0x80 | 0x8 | 0x4),
            (READ | WRITE | PRIORITY, 0x1 | 0x80 | 0x8 | 0x4 | 0x2),
        ] {
            let end = 0x10 | 0x20 | 0x100;
            assert_eq!(conditions(interest).bits(), bits | end, "{interest:?}");
        }
    }

    #[test]
    fn a_condition_is_readiness_for_whoever_asked() {
        let broken = Readiness::ERROR | Readiness::HUNG_UP;
        let half = Readiness::READABLE | Readiness::READ_CLOSED;
        for (bits, interest, expected) in [
            (0x1, READ, Readiness::READABLE),
            (0x1, WRITE, Readiness::empty()),
            (0x80, READ, Readiness::READABLE),
            (0x4, READ | WRITE, Readiness::WRITABLE),
            (0x5, READ | WRITE, Readiness::READABLE | Readiness::WRITABLE),
            (0x2, READ, Readiness::empty()),
            (0x2, READ | PRIORITY, Readiness::PRIORITY),
            (0x8, READ, half),
            (0x8, WRITE, Readiness::empty()),
            (0xD, READ | WRITE, half | Readiness::WRITABLE),
            (0x10, READ, broken | Readiness::READABLE),
            (0x10, PRIORITY, broken),
            (0x100, READ | WRITE, broken | Readiness::READABLE | Readiness::WRITABLE),
            (0x20, READ | WRITE | PRIORITY, Readiness::empty()),
        ] {
            let conditions = Conditions::from_bits_retain(bits);
            assert_eq!(readiness(conditions, interest), expected, "{bits:#x} {interest:?}");
        }
    }

    #[test]
    fn a_report_answers_the_interest_that_it_is_about() {
        let all = READ | WRITE | PRIORITY;
        for (readiness, expected) in [
            (Readiness::READABLE, READ),
            (Readiness::READ_CLOSED, READ),
            (Readiness::WRITABLE, WRITE),
            (Readiness::PRIORITY, PRIORITY),
            (Readiness::READABLE | Readiness::WRITABLE, READ | WRITE),
            (Readiness::ERROR, all),
            (Readiness::HUNG_UP, all),
        ] {
            assert_eq!(answered(readiness, all), expected, "{readiness:?}");
        }
        assert_eq!(answered(Readiness::READABLE, WRITE), Interest::empty());
    }
}
