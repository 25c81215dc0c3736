//! The exit of a child as a descriptor: pidfd_open(2), Linux 5.3.
//!
//! A pidfd is readable once the process has ended, whoever waits for it, and names that very process,
//! never a later one that was given the same number. It is pollable but knows nothing of the parent: that
//! the process is ours, and how it ended, is waitid(2)'s to say.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    process::ExitStatus,
};

use super::{ffi, selector::Selector};
use crate::{
    interest::{Interest, Trigger},
    sys::{REFUSING, unix::child},
};

/// A child whose end the selector can report.
#[derive(Debug)]
pub(crate) struct ChildWatch {
    pid: u32,
    fd: OwnedFd,
}

impl ChildWatch {
    /// `None` where the kernel or a sandbox has no pidfds.
    pub(crate) fn open(pid: u32) -> io::Result<Option<ChildWatch>> {
        child::check(pid)?;
        if REFUSING {
            return Ok(None);
        }
        match ffi::pidfd_open(pid) {
            Ok(fd) => Ok(Some(ChildWatch { pid, fd })),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
                Ok(None)
            }
            // There is no such process, so it is no child of ours.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
                Err(io::Error::from_raw_os_error(libc::ECHILD))
            }
            Err(error) => Err(error),
        }
    }

    /// As [`child::peek`], for that very process.
    pub(crate) fn peek(&self) -> io::Result<Option<ExitStatus>> {
        match child::peek_by(libc::P_PIDFD, self.fd.as_raw_fd() as libc::id_t) {
            // Linux 5.3 has pidfds, but waitid(2) does not know them.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => child::peek(self.pid),
            result => result,
        }
    }

    /// A pidfd whose process has ended is readable from the start, so that no end is missed.
    pub(crate) fn register(&self, selector: &Selector, token: u64) -> io::Result<bool> {
        selector.register(self.fd.as_fd(), token, Interest::READABLE, Trigger::Edge)?;
        Ok(true)
    }

    /// Not left to the closing: a child that is just being forked may hold a duplicate.
    pub(crate) fn deregister(&self, selector: &Selector) {
        let _ = selector.deregister(self.fd.as_fd());
    }
}
