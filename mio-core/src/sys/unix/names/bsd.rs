//! The numbers that signals have on Apple's systems, the BSDs and the Hurd.

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

/// Whether a signal with this `si_code` was sent by a process: `SI_USER`, `SI_QUEUE` or `SI_LWP`, which are 65,537 and
/// more on Darwin and FreeBSD, and 0 and less elsewhere. For what else has such a code the process is 0.
pub(crate) fn is_sent(code: i32) -> bool {
    code <= 0 || matches!(code, 0x1_0001 | 0x1_0002 | 0x1_0007)
}

/// Whether a process may have the number 0.
pub(crate) const HIDES_SENDERS: bool = false;
