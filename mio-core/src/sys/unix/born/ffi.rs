//! Kernels that open sockets with their flags set.
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use libc::c_int;

use crate::sys::unix::{
    address::Address,
    ffi::{check, own},
};

/// What makes a socket non-blocking and close-on-exec in the call that opens it.
pub(in crate::sys) const SOCKET: c_int = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;

/// Accepts non-blocking and close-on-exec.
#[inline]
pub(in crate::sys) fn accept4(
    listener: &impl AsRawFd,
    address: &mut Address,
) -> io::Result<OwnedFd> {
    let (pointer, length) = address.as_raw_mut();
    // SAFETY: `address` vouches for `*length` bytes at `pointer`; both live until the call returns.
    let fd = check(unsafe { libc::accept4(listener.as_raw_fd(), pointer, length, SOCKET) })?;
    // SAFETY: the kernel has just opened it for us alone.
    Ok(unsafe { own(fd) })
}
