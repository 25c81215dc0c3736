//! [`Signal`] and [`SignalSet`]: the names of signals, and sets of them.

use std::{fmt, ops::BitOr};

use crate::sys::signal::{SIGNALS, names};

/// A signal.
///
/// ```
/// use mio_core::Signal;
///
/// assert_eq!(Signal::TERM.to_string(), "SIGTERM");
/// assert_eq!(Signal::from_raw(Signal::TERM.as_raw()), Some(Signal::TERM));
/// ```
///
/// Portability: on Windows the events of the console take the place of signals. Ctrl-C is INT, Ctrl-Break QUIT, the
/// closing of the console's window HUP, and that the user logs off or the system shuts down TERM. No other signal
/// occurs there, and to ask for one is `Unsupported`. After HUP and TERM the system ends the process within a few
/// seconds, whatever it does.
///
/// See signal(7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(pub(super) u8);

macro_rules! signals {
    ($($(#[$doc:meta])* $name:ident = $number:ident,)*) => {
        impl Signal {
            $($(#[$doc])* pub const $name: Signal = Signal(names::$number as u8);)*
        }

        /// What the signals are called that have a name.
        const NAMES: &[(Signal, &str)] = &[$((Signal::$name, stringify!($number)),)*];
    };
}

signals! {
    /// The terminal hung up; to a daemon by custom: read the configuration again.
    HUP = SIGHUP,
    /// The interrupt key, usually Ctrl-C.
    INT = SIGINT,
    /// The quit key, usually Ctrl-\.
    QUIT = SIGQUIT,
    /// abort(3) was called, or somebody wants the process to think so. A handler does not keep
    /// abort(3) from ending the process.
    ABRT = SIGABRT,
    /// For the program's own use.
    USR1 = SIGUSR1,
    /// For the program's own use.
    USR2 = SIGUSR2,
    /// A pipe or socket was written to that nobody reads. Rust programs begin with it ignored.
    PIPE = SIGPIPE,
    /// The timer of alarm(2) expired.
    ALRM = SIGALRM,
    /// A polite request to end.
    TERM = SIGTERM,
    /// A child exited, stopped or went on.
    CHLD = SIGCHLD,
    /// Go on after a stop. The process goes on whether or not it hears of the signal.
    CONT = SIGCONT,
    /// The stop key, usually Ctrl-Z. A process that hears of it does not stop.
    TSTP = SIGTSTP,
    /// A background process read from the terminal.
    TTIN = SIGTTIN,
    /// A background process wrote to the terminal.
    TTOU = SIGTTOU,
    /// Urgent data came in on a socket.
    URG = SIGURG,
    /// The limit of processor time was reached.
    XCPU = SIGXCPU,
    /// The limit of file sizes was reached.
    XFSZ = SIGXFSZ,
    /// The timer of the process's own processor time expired.
    VTALRM = SIGVTALRM,
    /// The profiling timer expired.
    PROF = SIGPROF,
    /// The terminal's window changed its size.
    WINCH = SIGWINCH,
    /// I/O is possible on a descriptor with `O_ASYNC`.
    IO = SIGIO,
    /// The power is failing.
    ///
    /// Portability: Linux.
    PWR = SIGPWR,
}

impl Signal {
    /// The signal of a number, if there can be one: from 1 to 64.
    ///
    /// Portability: numbers differ between platforms and, on Linux, between architectures.
    #[must_use]
    pub const fn from_raw(number: i32) -> Option<Signal> {
        if number >= 1 && number <= SIGNALS as i32 { Some(Signal(number as u8)) } else { None }
    }

    /// The signal's number on this platform.
    #[must_use]
    pub const fn as_raw(self) -> i32 {
        self.0 as i32
    }

    /// The real-time signal `SIGRTMIN + index`, if there is one. Real-time signals queue: each one that
    /// is sent is delivered, in the order of sending, the lower numbers first.
    ///
    /// Portability: Linux; elsewhere `None`.
    #[must_use]
    pub fn real_time(index: u8) -> Option<Signal> {
        let (first, last) = names::real_time();
        let number = first + i32::from(index);
        if number <= last { Signal::from_raw(number) } else { None }
    }

    const fn bit(self) -> u64 {
        1 << (self.0 - 1)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, name)) = NAMES.iter().find(|(signal, _)| signal == self) {
            return f.pad(name);
        }
        let (first, last) = names::real_time();
        match self.as_raw() {
            number if number == first => f.pad("SIGRTMIN"),
            number if (first..=last).contains(&number) => write!(f, "SIGRTMIN+{}", number - first),
            number => write!(f, "signal {number}"),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of signals, which can be built in a constant.
///
/// ```
/// use mio_core::{Signal, SignalSet};
///
/// const STOP: SignalSet = SignalSet::EMPTY.with(Signal::INT).with(Signal::TERM);
/// assert_eq!(STOP, SignalSet::from([Signal::TERM, Signal::INT]));
/// assert!(STOP.contains(Signal::INT) && !STOP.contains(Signal::HUP));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SignalSet(pub(super) u64);

impl SignalSet {
    /// No signal.
    pub const EMPTY: SignalSet = SignalSet(0);

    /// The signals that no loop takes: KILL and STOP, which the kernel gives to nobody; and those that
    /// it raises at a faulting instruction, which would fault again: ILL, TRAP, BUS, FPE, SEGV and SYS.
    pub const REFUSED: SignalSet = {
        let mut set = SignalSet::EMPTY;
        let mut i = 0;
        while i < names::REFUSED.len() {
            set = set.with(Signal(names::REFUSED[i] as u8));
            i += 1;
        }
        set
    };

    /// This set and `signal`.
    #[must_use]
    pub const fn with(self, signal: Signal) -> SignalSet {
        SignalSet(self.0 | signal.bit())
    }

    /// This set, but not `signal`.
    #[must_use]
    pub const fn without(self, signal: Signal) -> SignalSet {
        SignalSet(self.0 & !signal.bit())
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 & other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn difference(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 & !other.0)
    }

    /// Whether `signal` is in the set.
    #[must_use]
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & signal.bit() != 0
    }

    /// Whether the set has no signal.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many signals the set has.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The signals of the set, the lowest number first.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        (1..=SIGNALS as u8).map(Signal).filter(move |&signal| self.contains(signal))
    }
}

impl From<Signal> for SignalSet {
    fn from(signal: Signal) -> SignalSet {
        SignalSet::EMPTY.with(signal)
    }
}

impl<const N: usize> From<[Signal; N]> for SignalSet {
    fn from(signals: [Signal; N]) -> SignalSet {
        signals.into_iter().collect()
    }
}

impl FromIterator<Signal> for SignalSet {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> SignalSet {
        signals.into_iter().fold(SignalSet::EMPTY, SignalSet::with)
    }
}

impl BitOr for SignalSet {
    type Output = SignalSet;

    fn bitor(self, other: SignalSet) -> SignalSet {
        self.union(other)
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names() {
        let real_time = |index| Signal::real_time(index).unwrap();
        assert_eq!(format!("{} {:?}", Signal::INT, Signal::CHLD), "SIGINT SIGCHLD");
        assert_eq!(real_time(0).to_string(), "SIGRTMIN");
        assert_eq!(real_time(3).to_string(), "SIGRTMIN+3");
        assert_eq!(Signal::from_raw(32).unwrap().to_string(), "signal 32");
        let numbers = [0, 65, -1, i32::MIN, i32::MAX];
        assert_eq!(numbers.map(Signal::from_raw), [None; 5]);
        assert_eq!(Signal::real_time(31), None);
        let last = (0..=u8::MAX).filter_map(Signal::real_time).next_back();
        assert_eq!(last.map(Signal::as_raw), Some(64));
        assert_eq!(Signal::from_raw(64).map(Signal::as_raw), Some(64));
    }

    #[test]
    fn a_set_is_what_was_put_in() {
        const SET: SignalSet = SignalSet::EMPTY.with(Signal::TERM).with(Signal::HUP);
        let last = Signal::from_raw(64).unwrap();
        let both = SET | last.into();
        assert_eq!(both.iter().collect::<Vec<_>>(), [Signal::HUP, Signal::TERM, last]);
        assert_eq!((both.len(), both.is_empty(), SignalSet::EMPTY.is_empty()), (3, false, true));
        assert_eq!(both.without(last), SET);
        assert_eq!(both.difference(SET), SignalSet::from([last]));
        assert_eq!(both.intersection(SET), SET);
        assert!(both.contains(Signal::HUP) && !both.contains(Signal::INT));
        assert_eq!(format!("{SET:?}"), "{SIGHUP, SIGTERM}");
    }
}
