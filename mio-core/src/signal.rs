//! Unix signals: what is told of each one that occurs, and what one loop has asked for.

use std::io;

use crate::sys::signal::{Bell, Catcher, Occurrence, SIGNALS};

pub use self::set::{Signal, SignalSet};

mod set;

/// A signal that occurred, and what the kernel says of its origin.
///
/// # Coalescing
///
/// The kernel keeps at most one occurrence of a standard signal that is waiting to be delivered; a
/// second one is lost, so that a count of reports is no count of what was sent. Real-time signals
/// queue. If the loop itself is so late that its table of delivered signals is full, then what comes
/// meanwhile is reported once for each signal, with no `pid` and no `uid`, and `code` 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignalInfo {
    /// Which signal.
    pub signal: Signal,
    /// The process that sent it, if one did and it is visible from here (not in an outer namespace). For
    /// [`Signal::CHLD`] it is the child.
    ///
    /// Portability: Unix; elsewhere `None`.
    pub pid: Option<u32>,
    /// The real user of that process.
    ///
    /// Portability: as `pid`.
    pub uid: Option<u32>,
    /// Where it came from: `si_code` of sigaction(2), such as `SI_USER` for kill(2), `SI_QUEUE` for
    /// sigqueue(3), `SI_TKILL` for pthread_kill(3) and raise(3), `SI_KERNEL` for the terminal's keys.
    ///
    /// Portability: the values are the platform's own; on Windows that of the console event (`CTRL_C_EVENT`).
    pub code: i32,
}

/// The signals of one loop, each with the token it is reported under.
#[derive(Debug)]
pub(crate) struct Signals {
    catcher: Catcher,
    /// What the user asked for.
    asked: SignalSet,
    /// The token of signal `n` is at `n - 1`.
    tokens: Box<[u64; SIGNALS]>,
    /// Whether the loop itself wants to hear of SIGCHLD.
    for_children: bool,
    /// Whether SIGCHLD occurred since [`take_child_changed`](Signals::take_child_changed).
    child_changed: bool,
}

impl Signals {
    /// Takes all memory it will need: room for `capacity` signals that were delivered and not popped,
    /// rounded up to a power of two. `bell` is rung in signal handlers.
    pub(crate) fn new(capacity: usize, bell: impl Bell) -> io::Result<Signals> {
        Ok(Signals {
            catcher: Catcher::new(capacity, bell)?,
            asked: SignalSet::EMPTY,
            tokens: Box::new([0; SIGNALS]),
            for_children: false,
            child_changed: false,
        })
    }

    /// Reports all of `set` under `token` from now on, or none of it. `InvalidInput`: the set is empty or
    /// has a signal of [`SignalSet::REFUSED`] or of the C library's own; `AlreadyExists`: this loop has one
    /// of them already; `ResourceBusy`: another loop of the process has.
    pub(crate) fn add(&mut self, set: SignalSet, token: u64) -> io::Result<()> {
        if set.is_empty() || !set.intersection(SignalSet::REFUSED).is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if !set.intersection(self.asked).is_empty() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.catcher.claim(set.0 & !self.catcher.owned())?;
        for signal in set.iter() {
            self.tokens[usize::from(signal.0) - 1] = token;
        }
        self.asked = self.asked.union(set);
        Ok(())
    }

    /// Reports nothing of `set` any more, not even what occurred before. Each signal has its former
    /// disposition again. What was not added is left alone.
    pub(crate) fn remove(&mut self, set: SignalSet) {
        self.asked = self.asked.difference(set);
        self.catcher.release(set.difference(self.for_children()).0);
    }

    /// How many signals can wait to be popped.
    pub(crate) fn capacity(&self) -> usize {
        self.catcher.capacity()
    }

    /// Whether [`pop`](Signals::pop) may have something. The loop looks here between saying that it
    /// sleeps and sleeping.
    #[inline]
    pub(crate) fn pending(&self) -> bool {
        self.catcher.pending()
    }

    /// The oldest report that was not taken yet, with its token.
    pub(crate) fn pop(&mut self) -> Option<(u64, SignalInfo)> {
        loop {
            let Occurrence { signal, code, pid, uid } = self.catcher.pop()?;
            let signal = Signal(signal as u8);
            self.child_changed |= self.for_children().contains(signal);
            if self.asked.contains(signal) {
                let token = self.tokens[usize::from(signal.0) - 1];
                return Some((token, SignalInfo { signal, pid, uid, code }));
            }
        }
    }

    /// Has SIGCHLD noted for [`take_child_changed`](Signals::take_child_changed), whether or not the user
    /// asks for it too. `ResourceBusy`: another loop of the process has it.
    pub(crate) fn watch_children(&mut self) -> io::Result<()> {
        let chld = SignalSet::from(Signal::CHLD);
        self.catcher.claim(chld.0 & !self.catcher.owned())?;
        self.for_children = true;
        Ok(())
    }

    /// Undoes [`watch_children`](Signals::watch_children).
    pub(crate) fn forget_children(&mut self) {
        self.catcher.release(self.for_children().difference(self.asked).0);
        self.for_children = false;
    }

    /// Whether SIGCHLD was popped since this was last called.
    #[inline]
    pub(crate) fn take_child_changed(&mut self) -> bool {
        std::mem::take(&mut self.child_changed)
    }

    fn for_children(&self) -> SignalSet {
        if self.for_children { SignalSet::from(Signal::CHLD) } else { SignalSet::EMPTY }
    }
}

#[cfg(all(test, unix))]
pub(crate) mod tests {
    use std::{
        process,
        sync::{Arc, Mutex, MutexGuard, PoisonError},
        thread,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::{
        sync::global::{AtomicBool, AtomicUsize, Ordering},
        sys::unix::signal::{has_handler, raise},
    };

    /// For tests that may take SIGCHLD, of which a process has but one.
    pub(crate) fn sigchld() -> MutexGuard<'static, ()> {
        static SIGCHLD: Mutex<()> = Mutex::new(());
        SIGCHLD.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[derive(Clone, Default)]
    struct Counter(Arc<AtomicUsize>);

    impl Bell for Counter {
        fn ring(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn signals(capacity: usize) -> Signals {
        Signals::new(capacity, Counter::default()).unwrap()
    }

    /// Each test has signals of its own: they share a process.
    fn real_time(index: u8) -> Signal {
        Signal::real_time(index).unwrap()
    }

    #[test]
    fn an_occurrence_is_told_with_its_token_and_its_origin() {
        let bell = Counter::default();
        let mut signals = Signals::new(4, bell.clone()).unwrap();
        let (first, second) = (real_time(1), real_time(2));
        signals.add(first.into(), 7).unwrap();
        signals.add(second.into(), u64::MAX).unwrap();
        assert!(!signals.pending());
        assert!(signals.pop().is_none());
        raise(second.as_raw());
        // The other threads of the process have it unblocked too.
        thread::spawn(move || raise(first.as_raw())).join().unwrap();
        assert!(signals.pending());
        assert_eq!(bell.0.load(Ordering::Relaxed), 2);
        let pid = Some(process::id());
        let (token, info) = signals.pop().unwrap();
        assert_eq!((token, info.signal, info.pid), (u64::MAX, second, pid));
        // SI_TKILL
        assert_eq!(info.code, -6);
        assert!(info.uid.is_some());
        assert_eq!(signals.pop().map(|(token, info)| (token, info.signal)), Some((7, first)));
        assert!(signals.pending(), "a look that finds nothing has to tell");
        assert!(signals.pop().is_none());
        assert!(!signals.pending());
    }

    #[test]
    fn a_signal_has_one_owner_and_a_set_is_taken_whole_or_not_at_all() {
        let kind = |result: io::Result<()>| result.unwrap_err().kind();
        let [a, b, c] = [3, 4, 5].map(real_time);
        let (mut one, mut other) = (signals(4), signals(4));
        one.add(b.into(), 1).unwrap();
        assert_eq!(kind(one.add([a, b].into(), 2)), io::ErrorKind::AlreadyExists);
        assert_eq!(kind(other.add([a, b, c].into(), 2)), io::ErrorKind::ResourceBusy);
        assert!(!has_handler(a.as_raw()) && !has_handler(c.as_raw()));
        other.add([a, c].into(), 3).unwrap();
        one.remove([b, c].into());
        assert!(has_handler(c.as_raw()), "the other loop's is left alone");
        other.add(b.into(), 4).unwrap();
        raise(b.as_raw());
        assert_eq!(other.pop().map(|(token, _)| token), Some(4));
        assert!(one.pop().is_none());
    }

    #[test]
    fn what_no_loop_can_have_is_refused() {
        let mut signals = signals(4);
        let mut sets: Vec<SignalSet> = SignalSet::REFUSED.iter().map(SignalSet::from).collect();
        assert_eq!(sets.len(), 8);
        // What the C library keeps for itself.
        sets.push(Signal::from_raw(32).unwrap().into());
        sets.push([real_time(6), Signal::from_raw(9).unwrap()].into());
        sets.push([real_time(6), Signal::from_raw(33).unwrap()].into());
        sets.push(SignalSet::EMPTY);
        for set in sets.iter().chain(&sets) {
            let error = signals.add(*set, 1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{set:?}, also when asked again");
        }
        assert!(!has_handler(real_time(6).as_raw()));
    }

    #[test]
    fn dispositions_are_restored() {
        let [a, b] = [7, 8].map(real_time);
        let mut signals = signals(4);
        signals.add([a, b].into(), 1).unwrap();
        assert!(has_handler(a.as_raw()) && has_handler(b.as_raw()));
        raise(a.as_raw());
        signals.remove(a.into());
        assert!(!has_handler(a.as_raw()) && has_handler(b.as_raw()));
        assert!(signals.pop().is_none(), "what was removed is not told any more");
        drop(signals);
        assert!(!has_handler(b.as_raw()));
    }

    #[test]
    fn what_finds_no_room_is_told_once_without_its_origin() {
        let [a, b] = [9, 10].map(real_time);
        let mut signals = signals(4);
        signals.add([a, b].into(), 1).unwrap();
        for _ in 0..3 {
            raise(a.as_raw());
        }
        for _ in 0..3 {
            raise(b.as_raw());
        }
        raise(a.as_raw());
        let told = std::iter::from_fn(|| signals.pop()).map(|(_, info)| (info.signal, info.pid));
        let pid = Some(process::id());
        assert_eq!(
            told.collect::<Vec<_>>(),
            [(a, pid), (a, pid), (a, pid), (b, pid), (a, None), (b, None)]
        );
        assert!(!signals.pending());
        raise(b.as_raw());
        assert_eq!(signals.pop().and_then(|(_, info)| info.pid), pid);
    }

    #[test]
    fn a_loop_may_go_while_other_threads_get_its_signals() {
        // One that is ignored by default, since it goes on when no loop has it.
        let signal = Signal::WINCH;
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        raise(signal.as_raw());
                    }
                });
            }
            let comes_and_goes = || {
                let mut signals = signals(2);
                signals.add(signal.into(), 1).unwrap();
                // At first they may take a while to raise any.
                let end = Instant::now() + Duration::from_secs(30);
                let mut is_told = false;
                while !is_told && Instant::now() < end {
                    thread::yield_now();
                    is_told = signals.pop().is_some();
                }
                is_told
            };
            let all_are_told = (0..100).all(|_| comes_and_goes());
            stop.store(true, Ordering::Relaxed);
            assert!(all_are_told);
        });
    }

    #[test]
    fn errno_is_as_it_was_before_the_signal() {
        struct Careless;
        impl Bell for Careless {
            fn ring(&self) {
                // Not what a signal handler may do, but here it interrupts only the test itself.
                std::fs::File::open("/no such file").unwrap_err();
            }
        }
        let signal = real_time(12);
        let mut signals = Signals::new(2, Careless).unwrap();
        signals.add(signal.into(), 1).unwrap();
        let before = std::fs::read_dir("/dev/null").unwrap_err().raw_os_error();
        raise(signal.as_raw());
        assert_eq!(io::Error::last_os_error().raw_os_error(), before);
        assert!(signals.pop().is_some());
    }

    #[test]
    fn the_loops_own_use_of_sigchld_is_apart_from_the_users() {
        let _sigchld = sigchld();
        let chld = Signal::CHLD;
        let (mut signals, mut other) = (signals(4), signals(4));
        signals.watch_children().unwrap();
        assert!(other.add(chld.into(), 1).is_err());
        raise(chld.as_raw());
        assert!(signals.pop().is_none());
        assert!(signals.take_child_changed() && !signals.take_child_changed());
        signals.add(chld.into(), 2).unwrap();
        raise(chld.as_raw());
        assert_eq!(signals.pop().map(|(token, _)| token), Some(2));
        assert!(signals.take_child_changed());
        signals.remove(chld.into());
        assert!(has_handler(chld.as_raw()));
        signals.add(chld.into(), 3).unwrap();
        signals.forget_children();
        assert!(has_handler(chld.as_raw()));
        signals.remove(chld.into());
        assert!(!has_handler(chld.as_raw()));
    }

    #[test]
    fn a_loop_does_not_go_while_a_handler_is_at_work_for_it() {
        waits_for_a_handler(real_time(13), drop);
    }

    /// Of a signal that a loop had shortly before. Such a handler takes one that it finds installed away.
    #[test]
    fn a_loop_takes_no_signal_while_a_handler_is_at_work_that_may_have_found_it_free() {
        waits_for_a_handler(real_time(14), |mut signals| {
            signals.add(real_time(15).into(), 2).unwrap();
            signals
        });
    }

    /// That `act` does not return before the handler that is at work for these signals.
    fn waits_for_a_handler<T>(signal: Signal, act: impl FnOnce(Signals) -> T + Send) {
        #[derive(Clone, Default)]
        struct Gate {
            reached: Arc<AtomicBool>,
            open: Arc<AtomicBool>,
        }
        impl Bell for Gate {
            fn ring(&self) {
                self.reached.store(true, Ordering::SeqCst);
                await_that(&self.open);
            }
        }
        fn await_that(flag: &AtomicBool) {
            while !flag.load(Ordering::SeqCst) {
                thread::yield_now();
            }
        }
        let gate = Gate::default();
        let mut signals = Signals::new(2, gate.clone()).unwrap();
        signals.add(signal.into(), 1).unwrap();
        let done = AtomicBool::new(false);
        let done_early = thread::scope(|scope| {
            scope.spawn(|| raise(signal.as_raw()));
            await_that(&gate.reached);
            scope.spawn(|| {
                let _kept = act(signals);
                done.store(true, Ordering::SeqCst);
            });
            thread::sleep(Duration::from_millis(20));
            let done_early = done.load(Ordering::SeqCst);
            gate.open.store(true, Ordering::SeqCst);
            done_early
        });
        assert!(!done_early && done.load(Ordering::SeqCst));
    }
}
