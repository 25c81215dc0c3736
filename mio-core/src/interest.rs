//! What a source is asked for ([`Interest`], [`Trigger`]) and what it answers ([`Readiness`]).

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
        /// Out-of-band data waits. Portability: epoll and poll(2); elsewhere `Unsupported`.
        const PRIORITY = 1 << 1;
        /// Writing or sending would make progress, or a connect has ended.
        const WRITABLE = 1 << 2;
    }
}

bitflags! {
    /// What a source is ready for.
    ///
    /// A hint, not a promise: between the report and the call another thread may have taken what
    /// was there, so that the call answers `WouldBlock`.
    ///
    /// The numeric values of the flags are not part of the interface.
    // They are those of epoll, so that translating a report there is one mask and one shift.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Readiness: u16 {
        /// Reading, accepting or receiving would make progress.
        const READABLE = 1;
        /// Out-of-band data waits.
        const PRIORITY = 1 << 1;
        /// Writing or sending would make progress.
        const WRITABLE = 1 << 2;
        /// The source is in error; the next I/O call on it, or `take_error`, says which.
        const ERROR = 1 << 3;
        /// Nothing more can be written: both directions are closed, or the reader is gone.
        const WRITE_CLOSED = 1 << 4;
        /// The peer will send no more. Data sent before may still wait: `read() == 0` is the truth.
        const READ_CLOSED = 1 << 13;
    }
}

impl Readiness {
    /// Whether a read is worth trying: readable, half-closed, hung up or in error.
    #[inline]
    #[must_use]
    pub const fn wants_read(self) -> bool {
        const MASK: Readiness = Readiness::READABLE
            .union(Readiness::READ_CLOSED)
            .union(Readiness::WRITE_CLOSED)
            .union(Readiness::ERROR);
        self.intersects(MASK)
    }

    /// Whether a write is worth trying: writable, hung up or in error.
    #[inline]
    #[must_use]
    pub const fn wants_write(self) -> bool {
        const MASK: Readiness =
            Readiness::WRITABLE.union(Readiness::WRITE_CLOSED).union(Readiness::ERROR);
        self.intersects(MASK)
    }

    /// Whether out-of-band data waits.
    #[inline]
    #[must_use]
    pub const fn is_priority(self) -> bool {
        self.contains(Readiness::PRIORITY)
    }

    /// Whether both directions are closed; never for a mere half-close.
    #[inline]
    #[must_use]
    pub const fn is_closed(self) -> bool {
        self.contains(Readiness::READ_CLOSED.union(Readiness::WRITE_CLOSED))
    }
}

/// When a registered source is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// When it becomes ready: the caller goes on until `WouldBlock` before it can expect another
    /// report. May report more often than needed, never too seldom. The cheapest.
    #[default]
    Edge,
    /// At every wait, as long as it is ready.
    Level,
    /// Once; then it is silent until it is reregistered.
    OneShot,
}
