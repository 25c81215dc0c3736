//! splice(2), the size of a pipe, and that of a segment.
#![allow(unsafe_code)]

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
};

use libc::c_int;

use crate::sys::unix::ffi::check;

/// Moves up to `max` bytes; one of both ends is a pipe.
#[inline]
pub(super) fn splice(from: BorrowedFd<'_>, to: BorrowedFd<'_>, max: usize) -> io::Result<usize> {
    let flags = libc::SPLICE_F_NONBLOCK | libc::SPLICE_F_MOVE;
    let (from, to) = (from.as_raw_fd(), to.as_raw_fd());
    // SAFETY: a null offset means the descriptor's own; no other pointer is taken.
    let moved = unsafe { libc::splice(from, ptr::null_mut(), to, ptr::null_mut(), max, flags) };
    usize::try_from(moved).map_err(|_| io::Error::last_os_error())
}

/// Asks for room for so many bytes. The kernel rounds up.
pub(super) fn set_pipe_size(pipe: BorrowedFd<'_>, bytes: c_int) -> io::Result<()> {
    // SAFETY: takes no pointer.
    check(unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) })?;
    Ok(())
}

/// The length of the longest segments that a TCP socket sends now.
pub(super) fn segment(socket: BorrowedFd<'_>) -> io::Result<c_int> {
    let mut length: c_int = 0;
    let mut size = size_of::<c_int>() as libc::socklen_t;
    let (level, name) = (libc::IPPROTO_TCP, libc::TCP_MAXSEG);
    let (value, size) = ((&raw mut length).cast(), &raw mut size);
    // SAFETY: `value` has room for the `size` bytes that it is told of, and both live until the call returns.
    check(unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, value, size) })?;
    Ok(length)
}

/// Whether writing to a peer that is gone would kill the process.
pub(super) fn broken_pipes_kill() -> io::Result<bool> {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: nothing is set, and `action` has room for what is asked.
    check(unsafe { libc::sigaction(libc::SIGPIPE, ptr::null(), action.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded, so the kernel has filled it.
    let action = unsafe { action.assume_init() };
    Ok(action.sa_sigaction == libc::SIG_DFL)
}
