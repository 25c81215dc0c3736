//! The numbers that signals have where there are none of Unix: those of Linux, of which the C library of Windows
//! shares some.

pub(crate) const SIGHUP: i32 = 1;
pub(crate) const SIGINT: i32 = 2;
pub(crate) const SIGQUIT: i32 = 3;
pub(crate) const SIGABRT: i32 = 6;
pub(crate) const SIGUSR1: i32 = 10;
pub(crate) const SIGUSR2: i32 = 12;
pub(crate) const SIGPIPE: i32 = 13;
pub(crate) const SIGALRM: i32 = 14;
pub(crate) const SIGTERM: i32 = 15;
pub(crate) const SIGCHLD: i32 = 17;
pub(crate) const SIGCONT: i32 = 18;
pub(crate) const SIGTSTP: i32 = 20;
pub(crate) const SIGTTIN: i32 = 21;
pub(crate) const SIGTTOU: i32 = 22;
pub(crate) const SIGURG: i32 = 23;
pub(crate) const SIGXCPU: i32 = 24;
pub(crate) const SIGXFSZ: i32 = 25;
pub(crate) const SIGVTALRM: i32 = 26;
pub(crate) const SIGPROF: i32 = 27;
pub(crate) const SIGWINCH: i32 = 28;
pub(crate) const SIGIO: i32 = 29;
pub(crate) const SIGPWR: i32 = 30;

/// The signals that a handler cannot have, or had better not: ILL, TRAP, BUS, FPE, KILL, SEGV, STOP and SYS.
pub(crate) const REFUSED: [i32; 8] = [4, 5, 7, 8, 9, 11, 19, 31];

/// There are none.
pub(crate) fn real_time() -> (i32, i32) {
    (1, 0)
}
