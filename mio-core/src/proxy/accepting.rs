//! When to accept, and when not.

use std::io::{self, ErrorKind};

use crate::net::AcceptFailure;

/// Which listeners have clients waiting, and whether they may be accepted now.
///
/// Listeners are edge triggered, so each tells only once that somebody waits; who does not accept at once has to
/// remember it, and to come back:
///
/// | why not now | who comes back |
/// |---|---|
/// | enough for this turn, the others want to be served | the next turn |
/// | no pair is free | the end of a pair, in the turn after it |
/// | descriptors or memory have run out | a timer: no event tells when there are some again |
///
/// Meanwhile clients wait in the queue of the listener. Nothing is tried in between, so nothing spins.
#[derive(Debug, Default)]
pub struct Accepting {
    /// A bit for each listener at which somebody may wait.
    waiting: u64,
    /// The one whose turn it is.
    next: u32,
    pause: Pause,
}

/// Why nobody accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pause {
    #[default]
    Not,
    NextTurn,
    Full,
    BackOff,
}

impl Accepting {
    /// How many listeners there can be.
    pub const LISTENERS_MAX: usize = 64;

    /// Somebody waits at this listener. Answers whether to accept now.
    #[inline]
    pub fn heard(&mut self, listener: usize) -> bool {
        self.waiting |= 1 << listener;
        self.pause == Pause::Not
    }

    /// Nobody waits at this listener any more.
    #[inline]
    pub fn drained(&mut self, listener: usize) {
        self.waiting &= !(1 << listener);
    }

    /// The listener whose turn it is, if somebody waits anywhere.
    #[inline]
    pub fn turn(&mut self) -> Option<usize> {
        let turned = self.waiting.rotate_right(self.next);
        if turned == 0 {
            return None;
        }
        let listener = (turned.trailing_zeros() + self.next) % u64::BITS;
        self.next = (listener + 1) % u64::BITS;
        Some(listener as usize)
    }

    /// Enough for this turn: [`resume`](Accepting::resume) in the next.
    pub fn until_next_turn(&mut self) {
        self.pause = Pause::NextTurn;
    }

    /// There is no room: [`made_room`](Accepting::made_room) tells when to go on.
    pub fn until_room(&mut self) {
        self.pause = Pause::Full;
    }

    /// Descriptors or memory have run out: [`resume`](Accepting::resume) when the timer that you set now is
    /// due.
    pub fn until_timer(&mut self) {
        self.pause = Pause::BackOff;
    }

    /// There is room again. Answers whether that was waited for: then go on, in the next turn.
    #[inline]
    pub fn made_room(&mut self) -> bool {
        self.pause == Pause::Full
    }

    /// What was waited for has come: go on.
    pub fn resume(&mut self) {
        self.pause = Pause::Not;
    }

    /// Whether an error of accepting or connecting says nothing of the next client: that one is closed,
    /// and the next one accepted. Any other is a reason to back off.
    #[must_use]
    pub fn concerns_one_client(error: &io::Error) -> bool {
        let accepting = AcceptFailure::of(error);
        let connecting =
            [ErrorKind::ConnectionRefused, ErrorKind::InvalidInput, ErrorKind::NotFound];
        matches!(accepting, AcceptFailure::Nobody | AcceptFailure::Connection)
            || connecting.contains(&error.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_take_turns() {
        let mut accepting = Accepting::default();
        assert_eq!(accepting.turn(), None);
        for listener in [63, 0, 5] {
            assert!(accepting.heard(listener));
        }
        let turns: Vec<_> = (0..6).map(|_| accepting.turn().unwrap()).collect();
        assert_eq!(turns, [0, 5, 63, 0, 5, 63]);
        accepting.drained(5);
        accepting.drained(0);
        assert_eq!([accepting.turn(), accepting.turn()], [Some(63); 2]);
        accepting.drained(63);
        assert_eq!(accepting.turn(), None);
    }

    #[test]
    fn who_was_heard_during_a_pause_is_remembered() {
        type Pausing = fn(&mut Accepting);
        let pauses: [(Pausing, bool); 3] = [
            (Accepting::until_next_turn, false),
            (Accepting::until_room, true),
            (Accepting::until_timer, false),
        ];
        for (pause, waits_for_room) in pauses {
            let mut accepting = Accepting::default();
            assert!(!accepting.made_room());
            pause(&mut accepting);
            assert!(!accepting.heard(2));
            assert_eq!(accepting.made_room(), waits_for_room);
            accepting.resume();
            assert_eq!(accepting.turn(), Some(2));
            assert!(accepting.heard(2) && !accepting.made_room());
        }
    }

    #[test]
    fn exhaustion_concerns_everybody() {
        for (kind, one) in [
            (ErrorKind::ConnectionAborted, true),
            (ErrorKind::NetworkUnreachable, true),
            (ErrorKind::AddrNotAvailable, false),
            (ErrorKind::OutOfMemory, false),
            (ErrorKind::QuotaExceeded, false),
        ] {
            assert_eq!(Accepting::concerns_one_client(&kind.into()), one, "{kind:?}");
        }
        let exhausted = io::Error::from_raw_os_error(24);
        assert!(!Accepting::concerns_one_client(&exhausted));
    }
}
