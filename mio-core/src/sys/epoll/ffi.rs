//! epoll, eventfd and pidfds.
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    time::Duration,
};

use libc::c_int;
pub(super) use libc::epoll_event;

use super::events::Events;

#[inline(always)]
fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 { Err(failure()) } else { Ok(result) }
}

#[cold]
fn failure() -> io::Error {
    io::Error::last_os_error()
}

pub(super) fn epoll_create() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    // SAFETY: the kernel has just opened this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[inline]
pub(super) fn epoll_ctl(
    epoll: BorrowedFd<'_>,
    operation: c_int,
    fd: BorrowedFd<'_>,
    mut event: epoll_event,
) -> io::Result<()> {
    // SAFETY: `event` lives until the call returns; the kernel only reads it.
    check(unsafe {
        libc::epoll_ctl(epoll.as_raw_fd(), operation, fd.as_raw_fd(), &raw mut event)
    })?;
    Ok(())
}

/// Replaces the contents of `events` by what is ready, as far as there is room.
#[inline]
pub(super) fn epoll_wait(
    epoll: BorrowedFd<'_>,
    events: &mut Events,
    timeout_ms: c_int,
) -> io::Result<()> {
    let (buffer, room) = events.room();
    // SAFETY: `events` owns `room` places from `buffer` on, into which the kernel writes.
    let ready = check(unsafe { libc::epoll_wait(epoll.as_raw_fd(), buffer, room, timeout_ms) })?;
    events.filled(ready as usize);
    Ok(())
}

/// The kernel's `struct __kernel_timespec`: 64 bits on every architecture.
#[repr(C)]
struct KernelTimespec {
    seconds: i64,
    nanoseconds: i64,
}

const _: () = assert!(size_of::<KernelTimespec>() == 16);

/// As [`epoll_wait`], with a timeout in nanoseconds. Linux 5.11.
#[inline]
pub(super) fn epoll_pwait2(
    epoll: BorrowedFd<'_>,
    events: &mut Events,
    timeout: Duration,
) -> io::Result<()> {
    let (buffer, room) = events.room();
    let timeout = KernelTimespec {
        seconds: timeout.as_secs().min(i64::MAX as u64) as i64,
        nanoseconds: timeout.subsec_nanos().into(),
    };
    // SAFETY: `events` owns `room` places from `buffer` on, into which the kernel writes; `timeout` lives until the
    // call returns; without a signal mask its size is not looked at.
    let ready = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll.as_raw_fd(),
            buffer,
            room,
            &raw const timeout,
            std::ptr::null::<libc::sigset_t>(),
            0_usize,
        )
    };
    events.filled(check(ready as c_int)? as usize);
    Ok(())
}

pub(super) fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
    // SAFETY: the kernel has just opened this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The descriptor is closed by execve(2).
pub(super) fn pidfd_open(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as libc::pid_t, 0) };
    let fd = check(fd as c_int)?;
    // SAFETY: the kernel has just opened this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
