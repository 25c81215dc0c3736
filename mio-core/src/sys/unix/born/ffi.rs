//! Kernels that open descriptors with their flags set.
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
};

use libc::c_int;

use crate::sys::unix::{
    address::Address,
    ffi::{check, own, own_two},
};

/// What makes a socket non-blocking and close-on-exec in the call that opens it.
pub(in crate::sys) const SOCKET: c_int = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;

/// How to send so that a peer that is gone raises no `SIGPIPE`.
pub(in crate::sys) const SEND: c_int = libc::MSG_NOSIGNAL;

/// The option of a socket without which writing to a peer that is gone raises `SIGPIPE`: none here.
pub(in crate::sys) const NO_SIGPIPE: Option<c_int> = None;

/// The option that lingers in seconds.
pub(in crate::sys) const LINGER_SECONDS: c_int = libc::SO_LINGER;

/// Accepts non-blocking and close-on-exec.
#[inline]
pub(in crate::sys) fn accept4(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, Address)> {
    let mut address = Address::room();
    let (pointer, length) = address.as_raw_mut();
    // SAFETY: `address` vouches for `*length` bytes at `pointer`; both live until the call returns.
    let fd = check(unsafe { libc::accept4(listener.as_raw_fd(), pointer, length, SOCKET) })?;
    // SAFETY: the kernel has just opened it for us alone.
    Ok((unsafe { own(fd) }, address))
}

/// Reading and writing end, non-blocking and close-on-exec.
pub(in crate::sys) fn pipe2() -> io::Result<(OwnedFd, OwnedFd)> {
    let open = |fds: &mut [c_int; 2]| {
        // SAFETY: `fds` has room for the two descriptors.
        unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_NONBLOCK | libc::O_CLOEXEC) }
    };
    // SAFETY: the kernel has just opened both for us alone.
    unsafe { own_two(open) }
}
