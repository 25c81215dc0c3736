//! Which loop of the process owns which signal, and the handler that all signals share.
#![allow(unsafe_code)]

use std::{
    cell::UnsafeCell,
    io,
    mem::MaybeUninit,
    ptr,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use libc::{c_int, c_void, siginfo_t};

use super::{
    SIGNALS,
    ffi::{self, Disposition},
    inbox::Inbox,
};
use crate::{
    sync::global::{AtomicPtr, AtomicUsize, Ordering},
    sys::unix::fork,
};

/// The owner of signal `n` is at `n - 1`: null, or an `Arc<Inbox>` of which the table holds a count.
static OWNERS: [AtomicPtr<Inbox>; SIGNALS] = [const { AtomicPtr::new(ptr::null_mut()) }; SIGNALS];

/// What the signals with an owner did before they had one.
static FORMER: [Former; SIGNALS] =
    [const { Former(UnsafeCell::new(MaybeUninit::uninit())) }; SIGNALS];

/// How many threads are between the first and the last step of [`handle`].
static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);

struct Former(UnsafeCell<MaybeUninit<Disposition>>);

// SAFETY: written by `claim` alone, between taking the place in `OWNERS` and installing the handler;
// read afterwards by that place's owner, and by forked children, which have but one thread.
unsafe impl Sync for Former {}

/// Has forked children give the signals back. Called before the first claim.
pub(super) fn prepare() -> io::Result<()> {
    static HOOK: OnceLock<Result<(), i32>> = OnceLock::new();
    HOOK.get_or_init(|| fork::at_child(after_fork)).map_err(io::Error::from_raw_os_error)
}

/// Makes `owner` hear of `signal`. `ResourceBusy`: some loop already does.
pub(super) fn claim(signal: c_int, owner: &Arc<Inbox>) -> io::Result<()> {
    let index = index(signal).ok_or(io::ErrorKind::InvalidInput)?;
    let new = Arc::into_raw(owner.clone()).cast_mut();
    let place = &OWNERS[index];
    let free = ptr::null_mut();
    if place.compare_exchange(free, new, Ordering::SeqCst, Ordering::Relaxed).is_err() {
        // SAFETY: the place was taken, so the count that was meant for it is still ours.
        drop(unsafe { Arc::from_raw(new) });
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    // A handler that has found the place empty takes ours for one that nobody wants, and would undo what follows.
    quiesce(owner);
    let installed = Disposition::of(signal).and_then(|former| {
        // SAFETY: the place in `OWNERS` is ours, and no handler is installed that would read this.
        unsafe { *FORMER[index].0.get() = MaybeUninit::new(former) };
        Disposition::handler(handle).set_for(signal)
    });
    if installed.is_err() {
        place.store(free, Ordering::SeqCst);
        quiesce(owner);
        // SAFETY: the table's count; nobody finds the pointer there any more, and nobody who found it
        // is still at work.
        drop(unsafe { Arc::from_raw(new) });
    }
    installed
}

/// Gives back those of `signals` (signal `n` is bit `n - 1`) that `owner` has: each gets its former
/// disposition, unless somebody has given it a new one since. When it returns, no handler uses
/// `owner` any more on behalf of the table.
///
/// In a forked child it does nothing: there the signals were given back when the child began.
pub(super) fn release(signals: u64, owner: &Arc<Inbox>) {
    let ours = Arc::as_ptr(owner).cast_mut();
    let mut counts = 0;
    for (index, place) in OWNERS.iter().enumerate() {
        if signals >> index & 1 == 1 && place.load(Ordering::SeqCst) == ours {
            restore(index);
            place.store(ptr::null_mut(), Ordering::SeqCst);
            counts += 1;
        }
    }
    quiesce(owner);
    for _ in 0..counts {
        // SAFETY: one count for each place that was ours; nobody finds the pointer there any more, and
        // nobody who found it is still at work.
        drop(unsafe { Arc::from_raw(ours) });
    }
}

/// Whether `signal` runs our handler.
#[cfg(test)]
pub(crate) fn has_handler(signal: c_int) -> bool {
    Disposition::of(signal).is_ok_and(|now| now.is_handler(handle))
}

/// Where `signal` is in the tables.
fn index(signal: c_int) -> Option<usize> {
    usize::try_from(signal).ok()?.checked_sub(1).filter(|&index| index < SIGNALS)
}

/// Puts the former disposition back if the present one is ours; async-signal-safe.
fn restore(index: usize) {
    let signal = index as c_int + 1;
    if Disposition::of(signal).is_ok_and(|now| now.is_handler(handle)) {
        // SAFETY: the caller owns the place in `OWNERS`, or is the only thread of a forked child.
        let former = unsafe { *FORMER[index].0.get() };
        // SAFETY: our handler is installed, and `claim` writes this before it installs it.
        let former = unsafe { former.assume_init() };
        // It was accepted for this signal before, so it is again; and there is nobody to tell.
        let _ = former.set_for(signal);
    }
}

/// Waits until no handler is at work that may have seen what `OWNERS` held before.
fn quiesce(owner: &Inbox) {
    // A handler is a microsecond's work, unless its thread was preempted in the middle of it: yielding
    // suffices, except beside a thread of lower real-time priority. A forked child has no other thread.
    let mut round = 0_u32;
    while IN_FLIGHT.load(Ordering::SeqCst) != 0 && owner.process == ffi::process_id() {
        if round < 100 {
            thread::yield_now();
        } else {
            thread::sleep(Duration::from_micros(100));
        }
        round += 1;
    }
}

/// The handler of every signal that has an owner. It runs in whichever thread the kernel picks, at
/// any moment: no lock, no allocation, no panic, and `errno` as it was.
extern "C" fn handle(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    let _errno = ffi::SavedErrno::new();
    let generation = fork::generation();
    IN_FLIGHT.fetch_add(1, Ordering::SeqCst);
    deliver(signal, info);
    // If a handler that interrupted this one has forked, the count began anew.
    if fork::generation() == generation {
        IN_FLIGHT.fetch_sub(1, Ordering::SeqCst);
    }
}

fn deliver(signal: c_int, info: *mut siginfo_t) {
    let Some(index) = index(signal) else { return };
    let owner = OWNERS[index].load(Ordering::SeqCst);
    // SAFETY: the table holds a count for what it names, and gives it up only after `quiesce`, which
    // waits for us: `IN_FLIGHT` was raised before the load.
    let Some(owner) = (unsafe { owner.as_ref() }) else {
        // It was given back while this handler was about to begin. Or somebody had kept our handler as
        // the "former" one and has now put it back, with nobody left to hear of the signal.
        if Disposition::of(signal).is_ok_and(|now| now.is_handler(handle)) {
            let _ = Disposition::default().set_for(signal);
        }
        return ffi::raise(signal);
    };
    if owner.process != ffi::process_id() {
        // A child that has not come to `after_fork`, or never will: the parent's loop is not its own.
        restore(index);
        return ffi::raise_in_child(signal);
    }
    // SAFETY: `info` is what the kernel passed to `handle`, which was installed with SA_SIGINFO.
    owner.post(unsafe { ffi::occurrence(signal, info) });
}

/// Runs in each forked child before fork(2) returns there: every signal is as if no loop had ever had
/// it. The table's counts are lost, and with them the memory of the parent's inboxes in this process:
/// freeing is not async-signal-safe.
extern "C" fn after_fork() {
    for (index, place) in OWNERS.iter().enumerate() {
        if !place.load(Ordering::Relaxed).is_null() {
            restore(index);
            place.store(ptr::null_mut(), Ordering::SeqCst);
        }
    }
    IN_FLIGHT.store(0, Ordering::SeqCst);
}
