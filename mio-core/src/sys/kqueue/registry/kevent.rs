//! `struct kevent` as plain data: from what is asked to changes, from what is told to readiness.

use bitflags::bitflags;

use super::system::System;
use crate::interest::{Interest, Readiness, Trigger};

/// `struct kevent`, with integers that hold those of every system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sys) struct Kevent {
    pub(in crate::sys) ident: usize,
    pub(in crate::sys) filter: i32,
    pub(in crate::sys) flags: u32,
    pub(in crate::sys) fflags: u32,
    pub(in crate::sys) udata: usize,
}

// The same numbers on all systems; ffi.rs compares them with those of the C headers.
pub(in crate::sys) const EV_ADD: u32 = 0x1;
pub(in crate::sys) const EV_DELETE: u32 = 0x2;
pub(in crate::sys) const EV_ENABLE: u32 = 0x4;
pub(in crate::sys) const EV_DISABLE: u32 = 0x8;
pub(in crate::sys) const EV_ONESHOT: u32 = 0x10;
pub(in crate::sys) const EV_CLEAR: u32 = 0x20;
pub(in crate::sys) const EV_DISPATCH: u32 = 0x80;
pub(in crate::sys) const EV_ERROR: u32 = 0x4000;
pub(in crate::sys) const EV_EOF: u32 = 0x8000;
pub(in crate::sys) const NOTE_TRIGGER: u32 = 0x0100_0000;

bitflags! {
    /// The filters of one source.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in crate::sys) struct Filters: u8 {
        const READ = 1;
        const WRITE = 1 << 1;
        const EXCEPT = 1 << 2;
        const USER = 1 << 3;
    }
}

/// What a source can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sys) enum Kind {
    /// Both directions, each with an end of its own.
    Duplex,
    /// The reading end of a pipe: when it ends, all of it does.
    Reader,
    /// The writing end of a pipe.
    Writer,
}

impl Filters {
    /// Those that tell of `interest`. An end of a pipe has one direction; systems whose pipes go both ways would
    /// report the other one as well.
    pub(in crate::sys) fn of(interest: Interest, kind: Kind) -> Filters {
        let mut filters = Filters::empty();
        filters.set(Filters::READ, interest.contains(Interest::READABLE));
        filters.set(Filters::WRITE, interest.contains(Interest::WRITABLE));
        filters.set(Filters::EXCEPT, interest.contains(Interest::PRIORITY));
        let other = match kind {
            Kind::Duplex => Filters::empty(),
            Kind::Reader => Filters::WRITE,
            Kind::Writer => Filters::READ,
        };
        // Who asks for nothing else gets it as the kernel has it.
        if filters == other { filters } else { filters.difference(other) }
    }

    /// The one that a kernel's number stands for.
    pub(in crate::sys) fn of_number(number: i32, system: &System) -> Filters {
        match number {
            _ if number == system.read => Filters::READ,
            _ if number == system.write => Filters::WRITE,
            _ if number == system.user => Filters::USER,
            _ if system.except.is_some_and(|except| except.filter == number) => Filters::EXCEPT,
            _ => Filters::empty(),
        }
    }

    /// A change for each of them, with these flags.
    pub(in crate::sys) fn changes(
        self,
        system: &System,
        ident: usize,
        flags: u32,
        udata: usize,
    ) -> impl Iterator<Item = Kevent> {
        let (user, oob) = (system.user, system.except.map_or(0, |except| except.oob));
        let numbers = [
            (Filters::READ, Some(system.read), 0),
            (Filters::WRITE, Some(system.write), 0),
            (Filters::EXCEPT, system.except.map(|except| except.filter), oob),
            (Filters::USER, Some(user), 0),
        ];
        let present = numbers.into_iter().filter(move |(filter, ..)| self.contains(*filter));
        present.filter_map(move |(_, number, fflags)| {
            number.map(|filter| Kevent { ident, filter, flags, fflags, udata })
        })
    }
}

/// The flags that add a filter in this mode.
pub(in crate::sys) fn adding(trigger: Trigger, system: &System) -> u32 {
    match trigger {
        Trigger::Edge => EV_ADD | EV_CLEAR,
        Trigger::Level => EV_ADD,
        Trigger::OneShot if system.receipts => EV_ADD | EV_DISPATCH,
        Trigger::OneShot => EV_ADD | EV_ONESHOT,
    }
}

/// What an event says of a source of this kind.
///
/// `EV_EOF` is of its filter's direction, whichever side has shut that down (FreeBSD, sys/kern/uipc_socket.c:
/// `filt_soread`, `filt_sowrite`). With a socket's error in `fflags` the connection is gone, both ways: on
/// a connect that was refused and on a reset both filters have it. Of a pipe whose other end is closed epoll
/// says "hung up" to the reader and "error" to the writer.
pub(in crate::sys) fn readiness(event: &Kevent, kind: Kind, system: &System) -> Readiness {
    let ended = event.flags & EV_EOF != 0;
    let (mut readiness, closed) = match Filters::of_number(event.filter, system) {
        Filters::READ => (Readiness::READABLE, Readiness::READ_CLOSED),
        Filters::WRITE => (Readiness::WRITABLE, Readiness::WRITE_CLOSED),
        Filters::USER => return Readiness::READABLE,
        Filters::EXCEPT => return priority(event, system),
        _ => return Readiness::empty(),
    };
    if event.flags & EV_ERROR != 0 {
        readiness |= Readiness::ERROR;
    }
    if ended {
        readiness |= match kind {
            Kind::Duplex if event.fflags != 0 => Readiness::ERROR | Readiness::HUNG_UP,
            Kind::Duplex => closed,
            Kind::Reader => Readiness::HUNG_UP,
            Kind::Writer => Readiness::ERROR | Readiness::WRITE_CLOSED,
        };
    }
    readiness
}

/// Here `fflags` is no error, but what there is.
fn priority(event: &Kevent, system: &System) -> Readiness {
    let oob = system.except.map_or(0, |except| except.oob);
    let ended = event.flags & EV_EOF != 0;
    let priority = if event.fflags & oob != 0 { Readiness::PRIORITY } else { Readiness::empty() };
    priority | if ended { Readiness::READ_CLOSED } else { Readiness::empty() }
}

#[cfg(test)]
mod tests {
    use super::{super::system::ALL, *};

    const READ: Interest = Interest::READABLE;
    const WRITE: Interest = Interest::WRITABLE;

    fn both() -> Interest {
        READ | WRITE
    }

    #[test]
    fn an_end_of_a_pipe_is_asked_for_its_one_direction() {
        for (interest, kind, filters) in [
            (READ, Kind::Duplex, Filters::READ),
            (WRITE, Kind::Duplex, Filters::WRITE),
            (both(), Kind::Duplex, Filters::READ | Filters::WRITE),
            (both(), Kind::Reader, Filters::READ),
            (both(), Kind::Writer, Filters::WRITE),
            (WRITE, Kind::Reader, Filters::WRITE),
            (READ, Kind::Writer, Filters::READ),
            (both() | Interest::PRIORITY, Kind::Duplex, Filters::all().difference(Filters::USER)),
        ] {
            assert_eq!(Filters::of(interest, kind), filters, "{interest:?} {kind:?}");
        }
    }

    /// The flags that kqueue(2) of each system gives the modes.
    #[test]
    fn modes_are_flags() {
        for system in ALL {
            assert_eq!(adding(Trigger::Edge, &system), 0x21);
            assert_eq!(adding(Trigger::Level, &system), 0x01);
            let once = if system.receipts { 0x81 } else { 0x11 };
            assert_eq!(adding(Trigger::OneShot, &system), once);
        }
    }

    #[test]
    fn changes_carry_the_numbers_of_their_system() {
        for system in ALL {
            let filters = Filters::READ | Filters::WRITE | Filters::EXCEPT;
            let changes: Vec<_> = filters.changes(&system, 7, EV_ADD, 9).collect();
            assert_eq!(changes.len(), 2 + usize::from(system.except.is_some()));
            let seen: Vec<_> =
                changes.iter().map(|change| Filters::of_number(change.filter, &system)).collect();
            assert_eq!(seen[..2], [Filters::READ, Filters::WRITE]);
            for change in &changes {
                assert_eq!((change.ident, change.flags, change.udata), (7, EV_ADD, 9));
            }
            if let (Some(except), Some(change)) = (system.except, changes.get(2)) {
                assert_eq!((change.filter, change.fflags), (except.filter, except.oob));
            }
        }
    }

    /// Rows after EVFILT_READ and EVFILT_WRITE of kqueue(2).
    #[test]
    fn what_a_filter_tells_is_readiness() {
        use Readiness as R;
        let reset = libc::ECONNRESET as u32;
        for system in ALL {
            for (filter, flags, fflags, kind, expected) in [
                (system.read, 0, 0, Kind::Duplex, R::READABLE),
                (system.write, 0, 0, Kind::Duplex, R::WRITABLE),
                (system.read, EV_EOF, 0, Kind::Duplex, R::READABLE | R::READ_CLOSED),
                (system.write, EV_EOF, 0, Kind::Duplex, R::WRITABLE | R::WRITE_CLOSED),
                (system.read, EV_EOF, reset, Kind::Duplex, R::READABLE | R::ERROR | R::HUNG_UP),
                (system.write, EV_EOF, reset, Kind::Duplex, R::WRITABLE | R::ERROR | R::HUNG_UP),
                (system.read, EV_EOF, 0, Kind::Reader, R::READABLE | R::HUNG_UP),
                (system.write, EV_EOF, 0, Kind::Writer, R::WRITABLE | R::ERROR | R::WRITE_CLOSED),
                (system.read, EV_ERROR, 0, Kind::Duplex, R::READABLE | R::ERROR),
                (system.user, 0, NOTE_TRIGGER, Kind::Duplex, R::READABLE),
                (-99, EV_EOF, 0, Kind::Duplex, R::empty()),
            ] {
                let event = Kevent { ident: 3, filter, flags: flags | EV_CLEAR, fflags, udata: 0 };
                assert_eq!(readiness(&event, kind, &system), expected, "{event:?} {system:?}");
            }
        }
    }

    #[test]
    fn only_the_note_is_out_of_band_data() {
        for system in ALL {
            let Some(except) = system.except else { continue };
            let told = |flags, fflags| {
                let event = Kevent { ident: 3, filter: except.filter, flags, fflags, udata: 0 };
                readiness(&event, Kind::Duplex, &system)
            };
            assert_eq!(told(0, except.oob), Readiness::PRIORITY);
            assert_eq!(told(EV_EOF, 0), Readiness::READ_CLOSED);
            assert_eq!(told(EV_EOF, except.oob), Readiness::PRIORITY | Readiness::READ_CLOSED);
        }
    }
}
