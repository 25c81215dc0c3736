//! The numbers that signals have on illumos and Solaris.

pub(crate) use libc::{
    SIGABRT, SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGPROF, SIGPWR, SIGQUIT,
    SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU,
    SIGXFSZ,
};
use libc::{SIGBUS, SIGEMT, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSTOP, SIGSYS, SIGTRAP};

/// The signals that a handler cannot have, or had better not.
pub(crate) const REFUSED: [i32; 9] =
    [SIGILL, SIGTRAP, SIGEMT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGKILL, SIGSTOP];

/// Some real-time signals are above 64: none.
pub(crate) fn real_time() -> (i32, i32) {
    (1, 0)
}

/// Whether a signal with this `si_code` was sent by a process: `SI_USER`, `SI_LWP` or `SI_QUEUE`. For what else is
/// not above 0 the process is 0.
pub(crate) fn is_sent(code: i32) -> bool {
    code <= 0
}

/// Whether a process may have the number 0.
pub(crate) const HIDES_SENDERS: bool = false;
