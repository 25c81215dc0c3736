//! What differs from one kernel with kqueue(2) to the next, as data.

/// A kernel: its numbers, and what it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sys) struct System {
    pub(in crate::sys) read: i32,
    pub(in crate::sys) write: i32,
    pub(in crate::sys) user: i32,
    pub(in crate::sys) except: Option<Except>,
    /// Whether `EV_RECEIPT` and `EV_DISPATCH` can be relied upon.
    pub(in crate::sys) receipts: bool,
}

/// `EVFILT_EXCEPT`, and `NOTE_OOB` that makes it tell of out-of-band data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sys) struct Except {
    pub(in crate::sys) filter: i32,
    pub(in crate::sys) oob: u32,
}

impl System {
    /// By the name that Rust has for it: [`std::env::consts::OS`].
    pub(in crate::sys) fn of(name: &str) -> System {
        match name {
            "freebsd" => FREEBSD,
            "dragonfly" => DRAGONFLY,
            "openbsd" => OPENBSD,
            "netbsd" => NETBSD,
            _ => DARWIN,
        }
    }
}

/// macOS, iOS and their kin (XNU, bsd/sys/event.h).
const DARWIN: System = System {
    read: -1,
    write: -2,
    user: -10,
    except: Some(Except { filter: -15, oob: 0x2 }),
    receipts: true,
};

/// FreeBSD (sys/sys/event.h). It has no filter for out-of-band data.
const FREEBSD: System = System { read: -1, write: -2, user: -11, except: None, receipts: true };

/// DragonFly, where `EVFILT_EXCEPT` comes from (sys/sys/event.h).
const DRAGONFLY: System = System {
    read: -1,
    write: -2,
    user: -9,
    except: Some(Except { filter: -8, oob: 0x2 }),
    receipts: true,
};

/// OpenBSD (sys/sys/event.h). `EVFILT_USER` is new there: older ones refuse it, and the waker is a pipe.
const OPENBSD: System = System {
    read: -1,
    write: -2,
    user: -10,
    except: Some(Except { filter: -9, oob: 0x4 }),
    receipts: true,
};

/// NetBSD (sys/sys/event.h), whose filters are unsigned. Before NetBSD 10 it has no `EV_RECEIPT`, no
/// `EV_DISPATCH` and no `EVFILT_USER` (event.h 1.45), and it does not refuse flags that it does not know: so
/// changes go one by one, each with its own call's error, and one-shot is `EV_ONESHOT`.
const NETBSD: System = System { read: 0, write: 1, user: 8, except: None, receipts: false };

#[cfg(test)]
pub(in crate::sys) const ALL: [System; 5] = [DARWIN, FREEBSD, DRAGONFLY, OPENBSD, NETBSD];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_its_numbers_and_what_is_not_named_is_a_darwin() {
        assert_eq!(System::of("freebsd").user, -11);
        assert_eq!(System::of("dragonfly").except.map(|except| except.filter), Some(-8));
        assert_eq!(System::of("openbsd").except.map(|except| except.oob), Some(4));
        assert_eq!(System::of("netbsd").read, 0);
        for name in ["macos", "ios", "tvos", "watchos", "visionos"] {
            assert_eq!(System::of(name), DARWIN);
        }
    }

    #[test]
    fn filters_of_a_system_differ() {
        for system in ALL {
            let except = system.except.map_or(i32::MIN, |except| except.filter);
            let mut filters = [system.read, system.write, system.user, except];
            filters.sort_unstable();
            assert!(filters.windows(2).all(|pair| pair[0] != pair[1]), "{system:?}");
        }
    }
}
