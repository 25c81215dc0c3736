//! Sockets, pipes and descriptor flags: one function, one system call, its error as it comes.
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use libc::c_int;

use super::address::Address;
use crate::sys::{LINGER_SECONDS, SEND, born};

#[inline]
pub(in crate::sys) fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 { Err(failure()) } else { Ok(result) }
}

#[cold]
fn failure() -> io::Error {
    io::Error::last_os_error()
}

/// Takes over what the kernel has just opened.
///
/// # Safety
///
/// `fd` is open and nobody else's.
#[inline]
pub(in crate::sys) unsafe fn own(fd: c_int) -> OwnedFd {
    // SAFETY: the caller promises the same.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Takes over the two descriptors that `open` puts into its argument when it answers 0.
///
/// # Safety
///
/// `open` answers either -1 or with two descriptors that are open and nobody else's.
pub(in crate::sys) unsafe fn own_two(
    open: impl FnOnce(&mut [c_int; 2]) -> c_int,
) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    check(open(&mut fds))?;
    // SAFETY: the caller promises it of the first.
    let first = unsafe { own(fds[0]) };
    // SAFETY: the caller promises it of the second.
    let second = unsafe { own(fds[1]) };
    Ok((first, second))
}

#[inline]
pub(super) fn socket(domain: c_int, kind: c_int) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = check(unsafe { libc::socket(domain, kind | born::SOCKET, 0) })?;
    // SAFETY: the kernel has just opened it for us alone.
    Ok(unsafe { own(fd) })
}

pub(super) fn socket_pair(domain: c_int, kind: c_int) -> io::Result<(OwnedFd, OwnedFd)> {
    let open = |fds: &mut [c_int; 2]| {
        // SAFETY: `fds` has room for the two descriptors.
        unsafe { libc::socketpair(domain, kind | born::SOCKET, 0, fds.as_mut_ptr()) }
    };
    // SAFETY: the kernel has just opened both for us alone.
    unsafe { own_two(open) }
}

pub(super) fn bind(socket: BorrowedFd<'_>, address: &Address) -> io::Result<()> {
    let (pointer, length) = address.as_raw();
    // SAFETY: `address` vouches for `length` bytes at `pointer`, which the kernel only reads.
    check(unsafe { libc::bind(socket.as_raw_fd(), pointer, length) })?;
    Ok(())
}

pub(super) fn listen(socket: BorrowedFd<'_>, backlog: c_int) -> io::Result<()> {
    // SAFETY: takes no pointer.
    check(unsafe { libc::listen(socket.as_raw_fd(), backlog) })?;
    Ok(())
}

#[inline]
pub(super) fn connect(socket: BorrowedFd<'_>, address: &Address) -> io::Result<()> {
    let (pointer, length) = address.as_raw();
    // SAFETY: `address` vouches for `length` bytes at `pointer`, which the kernel only reads.
    let result = unsafe { libc::connect(socket.as_raw_fd(), pointer, length) };
    // `check` has failures out of line. This one mostly fails, with `EINPROGRESS`.
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Accepts without any flag: they are for the caller to set.
pub(super) fn accept(listener: &impl AsRawFd, address: &mut Address) -> io::Result<OwnedFd> {
    let (pointer, length) = address.as_raw_mut();
    // SAFETY: `address` vouches for `*length` bytes at `pointer`; both live until the call returns.
    let fd = check(unsafe { libc::accept(listener.as_raw_fd(), pointer, length) })?;
    // SAFETY: the kernel has just opened it for us alone.
    Ok(unsafe { own(fd) })
}

#[inline(always)]
pub(super) fn recv(socket: &impl AsRawFd, buffer: &mut [u8], flags: c_int) -> io::Result<usize> {
    let (pointer, length) = (buffer.as_mut_ptr().cast(), buffer.len());
    // SAFETY: `buffer` has `length` writable bytes at `pointer`.
    let received = unsafe { libc::recv(socket.as_raw_fd(), pointer, length, flags) };
    if received < 0 { Err(failure()) } else { Ok(received as usize) }
}

#[inline(always)]
pub(super) fn send(socket: &impl AsRawFd, bytes: &[u8]) -> io::Result<usize> {
    let (pointer, length) = (bytes.as_ptr().cast(), bytes.len());
    // SAFETY: `bytes` has `length` bytes at `pointer`, which the kernel only reads.
    let sent = unsafe { libc::send(socket.as_raw_fd(), pointer, length, SEND) };
    if sent < 0 { Err(failure()) } else { Ok(sent as usize) }
}

/// Reading and writing end, without any flag.
pub(super) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let open = |fds: &mut [c_int; 2]| {
        // SAFETY: `fds` has room for the two descriptors.
        unsafe { libc::pipe(fds.as_mut_ptr()) }
    };
    // SAFETY: the kernel has just opened both for us alone.
    unsafe { own_two(open) }
}

#[inline]
pub(super) fn shut_writing(socket: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: takes no pointer.
    check(unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_WR) })?;
    Ok(())
}

/// Sets a socket option whose value is an `int`.
#[inline]
pub(super) fn set_int(
    socket: &impl AsRawFd,
    level: c_int,
    name: c_int,
    value: c_int,
) -> io::Result<()> {
    let size = size_of::<c_int>() as libc::socklen_t;
    let value = (&raw const value).cast();
    // SAFETY: `value` points to the `size` bytes of the parameter, which the kernel only reads.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value, size) })?;
    Ok(())
}

/// Sets `SO_LINGER`, in seconds; `None` turns it off.
pub(super) fn set_linger(socket: BorrowedFd<'_>, seconds: Option<c_int>) -> io::Result<()> {
    let linger =
        libc::linger { l_onoff: c_int::from(seconds.is_some()), l_linger: seconds.unwrap_or(0) };
    let name = LINGER_SECONDS;
    let size = size_of::<libc::linger>() as libc::socklen_t;
    let value = (&raw const linger).cast();
    // SAFETY: `value` points to the `size` bytes of `linger`, which the kernel only reads.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, value, size) })?;
    Ok(())
}

pub(super) fn set_cloexec(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes no pointer. The descriptor has no other flag that this could clear.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
    Ok(())
}

/// Two calls, or one if it is non-blocking already.
pub(super) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes no pointer.
    let flags = check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })?;
    if flags & libc::O_NONBLOCK == 0 {
        // SAFETY: takes no pointer.
        check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) })?;
    }
    Ok(())
}

/// The status flags of the open file and the flags of the descriptor.
#[cfg(test)]
pub(super) fn flags(fd: BorrowedFd<'_>) -> io::Result<(c_int, c_int)> {
    // SAFETY: takes no pointer.
    let status = check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })?;
    // SAFETY: takes no pointer.
    let descriptor = check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) })?;
    Ok((status, descriptor))
}

/// As after an `open` without any flag.
#[cfg(test)]
pub(super) fn clear_flags(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes no pointer.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, 0) })?;
    // SAFETY: takes no pointer.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, 0) })?;
    Ok(())
}
