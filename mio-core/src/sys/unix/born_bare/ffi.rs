//! Kernels that open descriptors without any flag: Darwin's.

use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
};

use libc::c_int;

use crate::sys::unix::address::Address;

/// What makes a socket non-blocking and close-on-exec in the call that opens it: nothing.
pub(in crate::sys) const SOCKET: c_int = 0;

/// How to send so that a peer that is gone raises no `SIGPIPE`: the socket is told once.
pub(in crate::sys) const SEND: c_int = 0;

/// The option of a socket without which writing to a peer that is gone raises `SIGPIPE`.
pub(in crate::sys) const NO_SIGPIPE: Option<c_int> = Some(libc::SO_NOSIGPIPE);

/// The option that lingers in seconds; `SO_LINGER` counts the ticks of a clock here.
pub(in crate::sys) const LINGER_SECONDS: c_int = libc::SO_LINGER_SEC;

/// There is no such call.
pub(in crate::sys) fn accept4(_: BorrowedFd<'_>) -> io::Result<(OwnedFd, Address)> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

/// There is no such call.
pub(in crate::sys) fn pipe2() -> io::Result<(OwnedFd, OwnedFd)> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}
