//! The numbers that signals have on Apple's systems and the BSDs.

pub(crate) use libc::{
    SIGABRT, SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGPROF, SIGQUIT, SIGTERM,
    SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ,
};
use libc::{SIGBUS, SIGEMT, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSTOP, SIGSYS, SIGTRAP};

/// Only NetBSD has one, of another number. No kernel of these has this number.
pub(crate) const SIGPWR: i32 = 64;

/// The signals that a handler cannot have, or had better not.
pub(crate) const REFUSED: [i32; 9] =
    [SIGILL, SIGTRAP, SIGEMT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGKILL, SIGSTOP];

/// Real-time signals are above 64 or not to be had: none.
pub(crate) fn real_time() -> (i32, i32) {
    (1, 0)
}
