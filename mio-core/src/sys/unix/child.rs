//! The exit of a child, seen without taking it from its parent's `wait`.
//!
//! waitid(2) with `WNOWAIT` tells how a child ended and leaves it waitable, so that
//! [`std::process::Child::wait`] still works afterwards, and still has to be called.

mod ffi;

use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus};

pub(in crate::sys) use ffi::peek_by;

/// How the child `pid` ended, if it has ended. `ECHILD`: it is no child of this process, or somebody has
/// reaped it.
pub(crate) fn peek(pid: u32) -> io::Result<Option<ExitStatus>> {
    peek_by(libc::P_PID, pid as libc::id_t)
}

/// `InvalidInput`: no process has this number.
pub(in crate::sys) fn check(pid: u32) -> io::Result<()> {
    if pid == 0 || libc::pid_t::try_from(pid).is_err() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(())
}

/// The signal that ended it, if one did.
pub(crate) fn signal(status: ExitStatus) -> Option<i32> {
    status.signal()
}

/// Whether it left a core file.
pub(crate) fn core_dumped(status: ExitStatus) -> bool {
    status.core_dumped()
}
