//! The exit of a child, seen without taking it from its parent's `wait`.
//!
//! waitid(2) with `WNOWAIT` tells how a child ended and leaves it waitable, so that
//! [`std::process::Child::wait`] still works afterwards, and still has to be called.

mod ffi;

use std::io;

pub(in crate::sys) use ffi::peek_by;

/// How the child `pid` ended, as wait(2) encodes it, if it has ended. `ECHILD`: it is no child of this
/// process, or somebody has reaped it.
pub(crate) fn peek(pid: u32) -> io::Result<Option<i32>> {
    peek_by(libc::P_PID, pid)
}
