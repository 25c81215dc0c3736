//! What a source is asked for ([`Interest`], [`Trigger`]) and what it answers ([`Readiness`]).

use std::{
    fmt,
    hash::{Hash, Hasher},
    ops::{BitOr, BitOrAssign},
};

use bitflags::bitflags;

bitflags! {
    /// What the caller wants to hear of a source.
    ///
    /// An empty interest is refused with [`InvalidInput`](std::io::ErrorKind::InvalidInput): to hear
    /// nothing of a source, deregister it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Interest: u8 {
        /// Reading, accepting or receiving would make progress, or the peer will send no more.
        const READABLE = 1;
        /// Out-of-band data waits. Portability: `Unsupported` on FreeBSD, NetBSD and WASI.
        const PRIORITY = 1 << 1;
        /// Writing or sending would make progress, or a connect has ended.
        const WRITABLE = 1 << 2;
    }
}

/// What a source is ready for: a set of flags.
///
/// A hint, not a promise: between the report and the call another thread may have taken what was
/// there, so that the call answers `WouldBlock`.
// The bits are those of epoll, so that a report of it is a `Readiness` as it is. Epoll has one bit
// for both ends being closed; what it stands for is worked out when it is asked for.
#[derive(Clone, Copy)]
pub struct Readiness(u16);

impl Readiness {
    /// Reading, accepting or receiving would make progress.
    pub const READABLE: Readiness = Readiness(1);
    /// Out-of-band data waits.
    pub const PRIORITY: Readiness = Readiness(1 << 1);
    /// Writing or sending would make progress.
    pub const WRITABLE: Readiness = Readiness(1 << 2);
    /// The source is in error; the next I/O call on it, or `take_error`, says which.
    pub const ERROR: Readiness = Readiness(1 << 3);
    /// The peer will send no more. Data sent before may still wait: `read() == 0` is the truth.
    ///
    /// Portability: poll(2) says so on Linux alone, except of both directions.
    pub const READ_CLOSED: Readiness = Readiness(1 << 13);
    /// Nothing more can be written.
    ///
    /// Portability: epoll says so only together with `READ_CLOSED`.
    pub const WRITE_CLOSED: Readiness = Readiness(1 << 14);
    /// Both at once.
    pub(crate) const HUNG_UP: Readiness = Readiness(1 << 4);

    const NAMES: [(Readiness, &'static str); 6] = [
        (Readiness::READABLE, "READABLE"),
        (Readiness::PRIORITY, "PRIORITY"),
        (Readiness::WRITABLE, "WRITABLE"),
        (Readiness::ERROR, "ERROR"),
        (Readiness::READ_CLOSED, "READ_CLOSED"),
        (Readiness::WRITE_CLOSED, "WRITE_CLOSED"),
    ];

    /// No flag.
    #[inline]
    #[must_use]
    pub const fn empty() -> Readiness {
        Readiness(0)
    }

    /// Whether there is no flag.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all flags of `other` are there.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Readiness) -> bool {
        other.spelled_out() & !self.spelled_out() == 0
    }

    /// Whether any flag of `other` is there.
    #[inline]
    #[must_use]
    pub const fn intersects(self, other: Readiness) -> bool {
        self.spelled_out() & other.spelled_out() != 0
    }

    /// The flags of both.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Readiness) -> Readiness {
        Readiness(self.0 | other.0)
    }

    /// Whether a read is worth trying: readable, half-closed, hung up or in error.
    #[inline]
    #[must_use]
    pub const fn wants_read(self) -> bool {
        const MASK: Readiness = Readiness::READABLE
            .union(Readiness::READ_CLOSED)
            .union(Readiness::HUNG_UP)
            .union(Readiness::ERROR);
        self.0 & MASK.0 != 0
    }

    /// Whether a write is worth trying: writable, closed or in error.
    #[inline]
    #[must_use]
    pub const fn wants_write(self) -> bool {
        const MASK: Readiness = Readiness::WRITABLE
            .union(Readiness::WRITE_CLOSED)
            .union(Readiness::HUNG_UP)
            .union(Readiness::ERROR);
        self.0 & MASK.0 != 0
    }

    /// Whether out-of-band data waits.
    #[inline]
    #[must_use]
    pub const fn is_priority(self) -> bool {
        self.0 & Readiness::PRIORITY.0 != 0
    }

    /// Whether both directions are closed; never for a mere half-close.
    ///
    /// Portability: with kqueue only who asked for both directions, or met an error, hears of it; on Windows only who met
    /// an error.
    #[inline]
    #[must_use]
    pub const fn is_closed(self) -> bool {
        self.contains(Readiness::HUNG_UP)
    }

    /// Whether it is readable, writable or both, and nothing else.
    #[inline]
    pub(crate) const fn is_plain(self) -> bool {
        self.0 & !(Readiness::READABLE.0 | Readiness::WRITABLE.0) == 0
    }

    /// From the bits of an epoll event.
    #[inline]
    pub(crate) const fn from_bits(bits: u16) -> Readiness {
        Readiness(bits)
    }

    /// The bits of an epoll event, and `WRITE_CLOSED`.
    #[inline]
    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    /// The bits with a hang-up as what it stands for.
    #[inline]
    const fn spelled_out(self) -> u16 {
        const BOTH: u16 = Readiness::READ_CLOSED.0 | Readiness::WRITE_CLOSED.0;
        if self.0 & Readiness::HUNG_UP.0 != 0 {
            (self.0 & !Readiness::HUNG_UP.0) | BOTH
        } else {
            self.0
        }
    }
}

impl PartialEq for Readiness {
    #[inline]
    fn eq(&self, other: &Readiness) -> bool {
        self.spelled_out() == other.spelled_out()
    }
}

impl Eq for Readiness {}

impl Hash for Readiness {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spelled_out().hash(state);
    }
}

impl BitOr for Readiness {
    type Output = Readiness;

    #[inline]
    fn bitor(self, other: Readiness) -> Readiness {
        self.union(other)
    }
}

impl BitOrAssign for Readiness {
    #[inline]
    fn bitor_assign(&mut self, other: Readiness) {
        *self = self.union(other);
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (flag, name) in Readiness::NAMES {
            if self.contains(flag) {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        if self.is_empty() { f.write_str("(nothing)") } else { Ok(()) }
    }
}

/// When a registered source is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// When it becomes ready: the caller goes on until `WouldBlock` before it can expect another
    /// report. May report more often than needed, never too seldom. The cheapest.
    ///
    /// Portability: emulated on Windows and with poll(2). There the types of this crate notice `WouldBlock`, and that a
    /// stream moved less than was asked for; for other types it has to be
    /// [said](crate::EventLoop::would_block), or no further report comes. A FIFO that all writers have left is to be
    /// registered anew with poll(2).
    #[default]
    Edge,
    /// At every wait, as long as it is ready.
    Level,
    /// Once; then it is silent until it is reregistered.
    OneShot,
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

    use super::*;

    #[test]
    fn a_hang_up_is_both_directions_closed_and_a_half_close_is_not() {
        let both = Readiness::READ_CLOSED | Readiness::WRITE_CLOSED;
        assert_eq!(Readiness::HUNG_UP, both);
        for hung_up in [Readiness::HUNG_UP, both] {
            assert!(hung_up.is_closed() && hung_up.wants_read() && hung_up.wants_write());
            assert!(hung_up.contains(Readiness::READ_CLOSED));
            assert!(hung_up.intersects(Readiness::WRITE_CLOSED));
        }
        assert!(!Readiness::READ_CLOSED.is_closed() && !Readiness::READ_CLOSED.wants_write());
        assert!(!Readiness::WRITE_CLOSED.is_closed() && !Readiness::WRITE_CLOSED.wants_read());
    }

    #[test]
    fn it_is_printed_by_its_names() {
        assert_eq!(format!("{:?}", Readiness::empty()), "(nothing)");
        let readiness = Readiness::READABLE | Readiness::HUNG_UP;
        assert_eq!(format!("{readiness:?}"), "READABLE | READ_CLOSED | WRITE_CLOSED");
    }

    #[test]
    fn an_error_is_for_reading_and_for_writing() {
        assert!(Readiness::ERROR.wants_read() && Readiness::ERROR.wants_write());
        assert!(!Readiness::ERROR.is_closed() && !Readiness::ERROR.is_priority());
    }

    #[test]
    fn what_differs_is_unequal_and_shares_nothing() {
        let (read, write) = (Readiness::READABLE, Readiness::WRITABLE);
        assert_ne!(read, write);
        assert!(!read.intersects(write) && (read | write).intersects(write));
        let mut both = read;
        both |= write;
        assert_eq!(both, read | write);
    }

    #[test]
    fn what_is_equal_has_one_hash() {
        let hash = |readiness: Readiness| {
            BuildHasherDefault::<DefaultHasher>::default().hash_one(readiness)
        };
        let both = Readiness::READ_CLOSED | Readiness::WRITE_CLOSED;
        assert_eq!(hash(Readiness::HUNG_UP), hash(both));
        assert_ne!(hash(both), hash(Readiness::READ_CLOSED));
    }
}
