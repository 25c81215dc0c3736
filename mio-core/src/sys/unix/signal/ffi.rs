//! sigaction(2), and the few calls that a signal handler makes.
#![allow(unsafe_code)]

use std::{
    io,
    mem::{self, MaybeUninit},
    ptr,
};

use libc::{c_int, c_void, siginfo_t};

use super::Occurrence;
use crate::sys::{errno_location, names};

/// What a handler with `SA_SIGINFO` looks like.
pub(super) type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// What the process does when a signal is delivered.
#[derive(Clone, Copy)]
pub(super) struct Disposition(libc::sigaction);

impl Disposition {
    /// Runs `handler` on the alternate stack, if the thread has one, with every signal blocked until
    /// it returns; interrupted calls are restarted where the kernel can.
    pub(super) fn handler(handler: Handler) -> Disposition {
        let mut action = Disposition::default().0;
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        // SAFETY: the mask is ours to write; the call cannot fail with a valid pointer.
        unsafe { libc::sigfillset(&raw mut action.sa_mask) };
        Disposition(action)
    }

    pub(super) fn is_handler(&self, handler: Handler) -> bool {
        self.0.sa_sigaction == handler as usize
    }

    /// As at the start of a program; async-signal-safe.
    pub(super) fn default() -> Disposition {
        // SAFETY: for a `sigaction`, all zeroes is SIG_DFL, no flags and an empty mask.
        Disposition(unsafe { mem::zeroed() })
    }

    /// Async-signal-safe. `EINVAL`: no such signal, or one that the C library keeps for itself.
    pub(super) fn of(signal: c_int) -> io::Result<Disposition> {
        let mut action = MaybeUninit::uninit();
        // SAFETY: `action` has room for what is written to it.
        let result = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) };
        if result == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has succeeded, so it has filled `action`.
        Ok(Disposition(unsafe { action.assume_init() }))
    }

    /// Async-signal-safe.
    pub(super) fn set_for(&self, signal: c_int) -> io::Result<()> {
        // SAFETY: the action is SIG_DFL, our handler, or what sigaction(2) itself once returned.
        match unsafe { libc::sigaction(signal, &raw const self.0, ptr::null_mut()) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

/// Reads what the kernel has passed to a handler.
///
/// # Safety
///
/// `info` is the second argument of a handler that was installed with `SA_SIGINFO` and has not yet
/// returned.
pub(super) unsafe fn occurrence(signal: c_int, info: *const siginfo_t) -> Occurrence {
    // SAFETY: the caller's promise.
    let info = unsafe { &*info };
    let code = info.si_code;
    let has_sender = match code {
        _ if names::is_sent(code) => true,
        libc::CLD_EXITED..=libc::CLD_CONTINUED => signal == libc::SIGCHLD,
        _ => false,
    };
    if !has_sender {
        return Occurrence { signal, code, pid: None, uid: None };
    }
    // SAFETY: with these codes the kernel has filled in the sender's process.
    let pid = unsafe { info.si_pid() };
    // SAFETY: and its user.
    let uid = unsafe { info.si_uid() };
    let pid = u32::try_from(pid).ok().filter(|&pid| pid != 0);
    let uid = (pid.is_some() || names::HIDES_SENDERS).then_some(uid);
    Occurrence { signal, code, pid, uid }
}

/// Sends the calling thread a signal; async-signal-safe.
pub(crate) fn raise(signal: c_int) {
    // SAFETY: takes no pointer. It fails only for a number that is no signal.
    unsafe { libc::raise(signal) };
}

/// Sends a forked child, which is the caller and has but one thread, a signal; async-signal-safe.
///
/// Not by raise(3): after a bare clone(2) musl still has the number of the parent's thread.
pub(super) fn raise_in_child(signal: c_int) {
    // SAFETY: takes no pointer. It fails only for a number that is no signal.
    unsafe { libc::kill(process_id(), signal) };
}

/// The kernel's word, never a cached one; async-signal-safe.
pub(super) fn process_id() -> i32 {
    // SAFETY: takes no pointer and cannot fail.
    unsafe { libc::getpid() }
}

/// Puts the calling thread's `errno` back when it goes, so that the code which a signal handler
/// interrupts does not notice.
pub(super) struct SavedErrno(c_int);

impl SavedErrno {
    pub(super) fn new() -> SavedErrno {
        // SAFETY: always a valid pointer to this thread's own variable.
        let place = unsafe { errno_location() };
        // SAFETY: as above.
        SavedErrno(unsafe { *place })
    }
}

impl Drop for SavedErrno {
    fn drop(&mut self) {
        // SAFETY: always a valid pointer to this thread's own variable.
        let place = unsafe { errno_location() };
        // SAFETY: as above.
        unsafe { *place = self.0 };
    }
}
