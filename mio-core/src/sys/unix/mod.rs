//! What the Unix backends share.
//!
//! # Sockets and pipes
//!
//! Every descriptor is born non-blocking and close-on-exec where the kernel can do that in the call
//! that opens it, so that a `fork` and `exec` in another thread inherits nothing. Kernels without
//! `accept4`, `pipe2` and the socket flags, and sandboxes that refuse them, get the flags in the
//! calls that follow, with that race left open.
//!
//! EINTR: `accept` is retried here. `connect` that is interrupted goes on by itself, which POSIX
//! promises, and counts as in progress. No other call of these can be interrupted: a descriptor
//! that does not block does not sleep.

pub(in crate::sys) mod address;
pub(crate) mod child;
pub(in crate::sys) mod ffi;
pub(crate) mod fork;
pub(crate) mod local;
pub(crate) mod pipe;
pub(crate) mod signal;
pub(crate) mod socket;

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

/// Sets close-on-exec on a descriptor that came from elsewhere.
pub(crate) fn set_cloexec(fd: &impl AsFd) -> io::Result<()> {
    ffi::set_cloexec(fd.as_fd())
}

/// Gives a fresh descriptor the flags that it was not born with.
fn flag_late(fd: OwnedFd) -> io::Result<OwnedFd> {
    ffi::set_cloexec(fd.as_fd())?;
    ffi::set_nonblocking(fd.as_fd())?;
    Ok(fd)
}

/// Whether the kernel lacks the call, or a sandbox forbids it.
pub(in crate::sys) fn refused(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM))
}

/// Whether a descriptor is as all of this crate's are: non-blocking and close-on-exec.
#[cfg(test)]
pub(crate) fn is_flagged(fd: &impl AsFd) -> bool {
    ffi::flags(fd.as_fd()).is_ok_and(|(status, descriptor)| {
        status & libc::O_NONBLOCK != 0 && descriptor & libc::FD_CLOEXEC != 0
    })
}

/// A descriptor as another library or an exec may hand it over: without either flag.
#[cfg(test)]
pub(crate) fn without_flags(fd: impl Into<OwnedFd>) -> OwnedFd {
    let fd = fd.into();
    ffi::clear_flags(fd.as_fd()).unwrap();
    assert!(!is_flagged(&fd));
    fd
}
