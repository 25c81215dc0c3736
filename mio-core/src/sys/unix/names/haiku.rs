//! The numbers that signals have on Haiku.

pub(crate) use libc::{
    SIGABRT, SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGPIPE, SIGPOLL as SIGIO, SIGPROF,
    SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH,
    SIGXCPU, SIGXFSZ,
};
use libc::{SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSTOP, SIGSYS, SIGTRAP};

/// There is none, and no signal has this number.
pub(crate) const SIGPWR: i32 = 64;

/// The signals that a handler cannot have, or had better not.
pub(crate) const REFUSED: [i32; 8] =
    [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGKILL, SIGSTOP];

/// None that can be asked for by number.
pub(crate) fn real_time() -> (i32, i32) {
    (1, 0)
}

/// Whether a signal with this `si_code` was sent by a process: `SI_USER` or `SI_QUEUE`, which are 0 and 1.
pub(crate) fn is_sent(code: i32) -> bool {
    matches!(code, 0 | 1)
}

/// Whether a process may have the number 0.
pub(crate) const HIDES_SENDERS: bool = false;
