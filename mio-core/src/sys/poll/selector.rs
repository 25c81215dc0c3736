//! Registration and waiting.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use libc::c_int;

use super::{
    super::POLLPRI,
    descriptor::number,
    edges::slots::{Member, Slots},
    events::Events,
    ffi::{self, Identity},
    limit::Limit,
    nudge::{self, Nudge},
    table::{Question, Table},
};
use crate::{
    event::Event,
    interest::{Interest, Readiness, Trigger},
    sync::global::{AtomicBool, Ordering},
};

#[derive(Debug)]
pub(crate) struct Selector {
    shared: Arc<Shared>,
    member: Member,
}

impl Selector {
    pub(crate) fn with_capacity(sources: usize) -> io::Result<Selector> {
        let nudge = Nudge::new()?;
        let question = Question::with_capacity(sources, nudge.number())?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                table: Table::with_capacity(sources)?,
                wakers: Vec::new(),
                seated: false,
                queuing: 0,
                polling: false,
            }),
            seat: Condvar::new(),
            question: Mutex::new(question),
            nudge,
        });
        let member = Member::join(shared.clone(), sources)?;
        Ok(Selector { shared, member })
    }

    pub(crate) fn register(
        &self,
        source: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        self.check(interest)?;
        let identity = Identity::of(source)?;
        if !identity.is_pollable() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let number = number(&source);
        // What another file of this number left behind, which was closed without a word.
        let vacate = |slot| {
            let mut state = self.shared.lock();
            let stale = !state.table.is_of(slot, identity);
            if stale {
                state.table.remove(slot);
            }
            stale
        };
        self.member.enter(number, vacate, || {
            let mut state = self.shared.lock();
            let fd = source.as_raw_fd();
            let slot = state.table.insert(fd, identity, token, interest, trigger)?;
            self.shared.nudge(&mut state);
            Ok(slot)
        })
    }

    /// poll(2) has nothing of the kind.
    pub(crate) fn register_exclusive(
        &self,
        _source: BorrowedFd<'_>,
        _token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        self.check(interest)?;
        if interest.contains(Interest::PRIORITY) || trigger == Trigger::OneShot {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn reregister(
        &self,
        source: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        self.check(interest)?;
        self.member.with(number(&source), |slot| {
            let mut state = self.shared.lock();
            state.table.replace(slot, token, interest, trigger);
            self.shared.nudge(&mut state);
            Ok(())
        })
    }

    pub(crate) fn deregister(&self, source: BorrowedFd<'_>) -> io::Result<()> {
        self.check_process()?;
        self.member.remove(number(&source), |slot| {
            self.shared.lock().table.remove(slot);
            Ok(())
        })
    }

    /// `NotFound`: the source is not registered under this token.
    pub(crate) fn would_block(
        &self,
        source: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.check_process()?;
        self.member.with(number(&source), |slot| {
            let mut state = self.shared.lock();
            if !state.table.has_token(slot, token) {
                return Err(io::ErrorKind::NotFound.into());
            }
            if state.table.arm(slot, interest) {
                self.shared.nudge(&mut state);
            }
            Ok(())
        })
    }

    pub(crate) fn select(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        let limit = Limit::new(timeout);
        let Some(_seat) = Seat::take(&self.shared, &limit) else { return Ok(()) };
        let mut question = self.shared.question();
        loop {
            self.shared.ask(&mut question);
            let left =
                if self.shared.nudge.is_pending() { Some(Duration::ZERO) } else { limit.left() };
            if !nudge::ENDS_WAITS && left.is_none() && question.is_empty() {
                return Err(io::ErrorKind::Deadlock.into());
            }
            let answered = ffi::poll(&mut question.fds, milliseconds(left));
            self.shared.lock().polling = false;
            match answered {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
                result => result?,
            };
            self.shared.answer(&question, events);
            if events.len() > 0 || limit.left() == Some(Duration::ZERO) {
                return Ok(());
            }
        }
    }

    #[inline]
    pub(crate) fn check_process(&self) -> io::Result<()> {
        self.shared.nudge.check_process()
    }

    /// A flag that stands for `token`.
    pub(super) fn waker(&self, token: u64) -> io::Result<(Arc<Shared>, Arc<Flag>)> {
        self.check_process()?;
        let flag = Arc::new(Flag { token, up: AtomicBool::new(false) });
        let wakers = &mut self.shared.lock().wakers;
        wakers.try_reserve(1)?;
        wakers.push(flag.clone());
        Ok((self.shared.clone(), flag))
    }

    fn check(&self, interest: Interest) -> io::Result<()> {
        if interest.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if interest.contains(Interest::PRIORITY) && POLLPRI == 0 {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.check_process()
    }
}

/// What is reached from elsewhere too: from other threads, from the types of this crate, from wakers.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Notified when the seat is free.
    seat: Condvar,
    /// Of whoever is seated.
    question: Mutex<Question>,
    nudge: Nudge,
}

#[derive(Debug)]
struct State {
    table: Table,
    wakers: Vec<Arc<Flag>>,
    /// Whether a thread is in `select`.
    seated: bool,
    /// How many others wait for their turn.
    queuing: usize,
    /// Whether that thread waits, with nobody having nudged it since.
    polling: bool,
}

/// Whether a waker was called since the poller last looked.
#[derive(Debug)]
pub(super) struct Flag {
    token: u64,
    up: AtomicBool,
}

impl Shared {
    /// One call, and none if the flag is up.
    pub(super) fn wake(&self, flag: &Flag) -> io::Result<()> {
        self.nudge.check_process()?;
        // The nudge comes after the flag, and the look at the flag after the nudge was cleared.
        if flag.up.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        self.nudge.send().inspect_err(|_| flag.up.store(false, Ordering::SeqCst))
    }

    pub(super) fn forget_waker(&self, flag: &Arc<Flag>) {
        self.lock().wakers.retain(|other| !Arc::ptr_eq(other, flag));
    }

    /// Tells the poller that the table has changed.
    fn nudge(&self, state: &mut State) {
        if state.polling && self.nudge.send().is_ok() {
            state.polling = false;
        }
    }

    fn ask(&self, question: &mut Question) {
        let mut state = self.lock();
        state.table.ask(question);
        state.polling = true;
    }

    fn answer(&self, question: &Question, events: &mut Events) {
        let mut report = |event| events.len() < events.capacity() && events.push(event);
        let mut state = self.lock();
        if question.is_nudged() || self.nudge.is_pending() {
            // In this order: a flag that goes up later comes with another nudge.
            self.nudge.clear();
            for flag in &state.wakers {
                if flag.up.swap(false, Ordering::SeqCst) {
                    let event = Event { token: flag.token, readiness: Readiness::READABLE };
                    if !report(event) {
                        flag.up.store(true, Ordering::SeqCst);
                        // For the next wait. There is room: the last one has just been cleared.
                        let _ = self.nudge.send();
                    }
                }
            }
        }
        state.table.answer(question, report);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked while it was locked left a table that is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn question(&self) -> MutexGuard<'_, Question> {
        self.question.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots for Shared {
    fn arm(&self, slot: usize, interest: Interest) {
        if self.nudge.check_process().is_ok() {
            let mut state = self.lock();
            if state.table.arm(slot, interest) {
                self.nudge(&mut state);
            }
        }
    }

    fn vacate(&self, slot: usize) {
        self.lock().table.remove(slot);
    }
}

/// The right to poll, until it is dropped.
struct Seat<'a>(&'a Shared);

impl<'a> Seat<'a> {
    /// Waits for it, but no longer than that.
    fn take(shared: &'a Shared, limit: &Limit) -> Option<Seat<'a>> {
        let mut state = shared.lock();
        while state.seated {
            let left = limit.left();
            if left == Some(Duration::ZERO) {
                return None;
            }
            state.queuing += 1;
            state = match left {
                Some(left) => {
                    shared.seat.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => shared.seat.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.queuing -= 1;
        }
        state.seated = true;
        Some(Seat(shared))
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.seated = false;
        if state.queuing > 0 {
            self.0.seat.notify_one();
        }
    }
}

/// Rounded up; at most 24 days, after which the wait goes on.
fn milliseconds(left: Option<Duration>) -> c_int {
    let Some(left) = left else { return -1 };
    c_int::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX)
}
