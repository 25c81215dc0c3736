//! Console control events, which are the signals of Windows.
//!
//! | event | signal |
//! |---|---|
//! | Ctrl-C | INT |
//! | Ctrl-Break | QUIT |
//! | the console's window is closed | HUP |
//! | the user logs off, or the system shuts down | TERM |
//!
//! The system calls a handler in a thread of its own, at most one at a time for each event. The handler leaves
//! the event to the loop. After closing, logging off and shutting down the process is ended as soon as the
//! handler returns, or after a few seconds, so that it does not return: the program ends the process itself, when it
//! has put its things in order.
//!
//! Nobody else sends these events but the console and `GenerateConsoleCtrlEvent`; there is no `kill`. A process that
//! was started in a process group of its own ignores Ctrl-C, and its children with it.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT,
};

use super::ffi;
pub(crate) use super::names;
use crate::sync::global::{AtomicU32, AtomicUsize, Ordering};
pub(crate) use crate::sys::bell::{Bell, Occurrence, SIGNALS};

/// The control events, and the signals that they are.
const EVENTS: [(u32, i32); 5] = [
    (CTRL_C_EVENT, names::SIGINT),
    (CTRL_BREAK_EVENT, names::SIGQUIT),
    (CTRL_CLOSE_EVENT, names::SIGHUP),
    (CTRL_LOGOFF_EVENT, names::SIGTERM),
    (CTRL_SHUTDOWN_EVENT, names::SIGTERM),
];

/// The signals that one loop has, and what occurred of them.
pub(crate) struct Catcher {
    inbox: Arc<Inbox>,
    /// Signal `n` is bit `n - 1`.
    owned: u64,
    /// What `arrivals` was when nothing was left.
    seen: usize,
}

struct Inbox {
    /// Event `e` is bit `e`. What occurs again before it was taken is merged.
    occurred: AtomicU32,
    /// How often anything was left here, wrapping.
    arrivals: AtomicUsize,
    bell: Box<dyn Bell>,
}

impl Catcher {
    /// The room is for one occurrence of each event, whatever `capacity` says.
    pub(crate) fn new(_capacity: usize, bell: impl Bell) -> io::Result<Catcher> {
        let (occurred, arrivals) = Default::default();
        let inbox = Inbox { occurred, arrivals, bell: Box::new(bell) };
        Ok(Catcher { inbox: Arc::new(inbox), owned: 0, seen: 0 })
    }

    /// Which signals it has: signal `n` is bit `n - 1`.
    pub(crate) fn owned(&self) -> u64 {
        self.owned
    }

    #[expect(clippy::unused_self, reason = "the platforms' contract")]
    pub(crate) fn capacity(&self) -> usize {
        EVENTS.len()
    }

    /// Takes all of `signals`, of which it has none yet, or none of them. `Unsupported`: one of them does not occur
    /// here. `ResourceBusy`: another loop of this process has one.
    pub(crate) fn claim(&mut self, signals: u64) -> io::Result<()> {
        if signals & !occurring() != 0 {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut owners = owners();
        let busy = |event: &usize| owners.of[*event].is_some();
        if events_of(signals).any(|event| busy(&event)) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        if signals != 0 && !owners.installed {
            ffi::set_control_handler(handle, true)?;
            owners.installed = true;
        }
        for event in events_of(signals) {
            owners.of[event] = Some(Arc::clone(&self.inbox));
        }
        self.owned |= signals;
        Ok(())
    }

    /// Gives `signals` back: the system does on them what it does for want of a handler. What occurred of them
    /// before may still come out.
    pub(crate) fn release(&mut self, signals: u64) {
        let signals = signals & self.owned;
        let mut owners = owners();
        for event in events_of(signals) {
            owners.of[event] = None;
        }
        self.owned &= !signals;
        if owners.installed && owners.of.iter().all(Option::is_none) {
            owners.installed = ffi::set_control_handler(handle, false).is_err();
        }
    }

    /// Whether [`pop`](Catcher::pop) may have something.
    #[inline]
    pub(crate) fn pending(&self) -> bool {
        self.inbox.arrivals.load(Ordering::SeqCst) != self.seen
    }

    /// An occurrence that was not taken yet.
    pub(crate) fn pop(&mut self) -> Option<Occurrence> {
        // In this order: what is left after the first line makes the number differ.
        let arrivals = self.inbox.arrivals.load(Ordering::SeqCst);
        let occurred = self.inbox.occurred.load(Ordering::Acquire);
        if occurred == 0 {
            self.seen = arrivals;
            return None;
        }
        let event = occurred.trailing_zeros();
        self.inbox.occurred.fetch_and(!(1 << event), Ordering::AcqRel);
        let (_, signal) = EVENTS.into_iter().find(|&(number, _)| number == event)?;
        Some(Occurrence { signal, code: event as i32, pid: None, uid: None })
    }
}

impl Drop for Catcher {
    fn drop(&mut self) {
        self.release(self.owned);
    }
}

impl fmt::Debug for Catcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catcher").field("owned", &format_args!("{:#x}", self.owned)).finish()
    }
}

/// Who hears of each event, by its place in [`EVENTS`].
struct Owners {
    of: [Option<Arc<Inbox>>; EVENTS.len()],
    installed: bool,
}

fn owners() -> MutexGuard<'static, Owners> {
    static OWNERS: Mutex<Owners> =
        Mutex::new(Owners { of: [const { None }; EVENTS.len()], installed: false });
    // Nothing in here panics.
    OWNERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The signals that occur here.
fn occurring() -> u64 {
    EVENTS.into_iter().fold(0, |signals, (_, signal)| signals | bit(signal))
}

/// The places in [`EVENTS`] of what is in `signals`.
fn events_of(signals: u64) -> impl Iterator<Item = usize> {
    (0..EVENTS.len()).filter(move |&event| signals & bit(EVENTS[event].1) != 0)
}

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Runs in a thread of the system's.
extern "system" fn handle(event: u32) -> i32 {
    let Some(place) = EVENTS.iter().position(|&(number, _)| number == event) else { return 0 };
    let Some(owner) = owners().of[place].clone() else { return 0 };
    owner.occurred.fetch_or(1 << event, Ordering::AcqRel);
    // `SeqCst` is what the bell asks for.
    owner.arrivals.fetch_add(1, Ordering::SeqCst);
    owner.bell.ring();
    if !matches!(event, CTRL_C_EVENT | CTRL_BREAK_EVENT) {
        // When this thread returns, the process is ended.
        loop {
            thread::sleep(Duration::from_secs(60));
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Counter(Arc<AtomicUsize>);

    impl Bell for Counter {
        fn ring(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One test for all: the handler is the process's.
    #[test]
    fn an_event_goes_to_the_loop_that_has_its_signal() {
        let bell = Counter::default();
        let mut catcher = Catcher::new(0, bell.clone()).unwrap();
        assert_eq!((handle(CTRL_C_EVENT), handle(77)), (0, 0), "nobody has it");
        let signals = bit(names::SIGINT) | bit(names::SIGTERM);
        catcher.claim(signals).unwrap();
        assert_eq!(catcher.owned(), signals);
        let mut other = Catcher::new(0, bell.clone()).unwrap();
        let busy = other.claim(bit(names::SIGQUIT) | bit(names::SIGINT)).unwrap_err();
        assert_eq!(busy.kind(), io::ErrorKind::ResourceBusy);
        let never = other.claim(bit(names::SIGUSR1)).unwrap_err();
        assert_eq!(never.kind(), io::ErrorKind::Unsupported);
        other.claim(bit(names::SIGQUIT)).unwrap();

        assert!(!catcher.pending() && !other.pending());
        assert_eq!(
            (handle(CTRL_C_EVENT), handle(CTRL_C_EVENT), handle(CTRL_BREAK_EVENT)),
            (1, 1, 1)
        );
        assert_eq!(bell.0.load(Ordering::Relaxed), 3);
        let occurrence = |signal, code| Some(Occurrence { signal, code, pid: None, uid: None });
        assert!(catcher.pending() && other.pending());
        assert_eq!(catcher.pop(), occurrence(names::SIGINT, 0));
        assert_eq!((catcher.pop(), catcher.pending()), (None, false));
        assert_eq!(other.pop(), occurrence(names::SIGQUIT, 1));

        catcher.release(signals);
        assert_eq!(handle(CTRL_C_EVENT), 0);
        other.claim(bit(names::SIGINT)).unwrap();
        drop(other);
        assert_eq!(handle(CTRL_BREAK_EVENT), 0);
    }
}
