//! poll(2) and fstat(2).
#![allow(unsafe_code)]

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd, BorrowedFd},
};

use libc::c_int;

/// Fills in `revents`; answers how many of them are not empty.
pub(super) fn poll(fds: &mut [libc::pollfd], timeout_ms: c_int) -> io::Result<usize> {
    let count = libc::nfds_t::try_from(fds.len()).unwrap_or(libc::nfds_t::MAX);
    // SAFETY: `fds` has `count` places at least, which live until the call returns.
    match unsafe { libc::poll(fds.as_mut_ptr(), count, timeout_ms) } {
        -1 => Err(io::Error::last_os_error()),
        ready => Ok(ready as usize),
    }
}

/// What an open file is, whichever number it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: libc::dev_t,
    inode: libc::ino_t,
    mode: libc::mode_t,
}

impl Identity {
    pub(super) fn of(fd: BorrowedFd<'_>) -> io::Result<Identity> {
        let mut stat = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `stat` has room for what is written to it.
        if unsafe { libc::fstat(fd.as_raw_fd(), stat.as_mut_ptr()) } == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has succeeded, so it has filled `stat`.
        let stat = unsafe { stat.assume_init() };
        Ok(Identity { device: stat.st_dev, inode: stat.st_ino, mode: stat.st_mode })
    }

    /// Regular files and directories are always ready.
    pub(super) fn is_pollable(&self) -> bool {
        !matches!(self.mode & libc::S_IFMT, libc::S_IFREG | libc::S_IFDIR)
    }
}
