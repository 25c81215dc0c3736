//! A kqueue, which is its process's alone.
#![allow(unsafe_code)]

use std::{
    io,
    mem::ManuallyDrop,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use super::{
    ffi,
    registry::{Kernel, kevent::Kevent, system::System},
};
use crate::sys::unix::{fork, set_cloexec};

#[derive(Debug)]
pub(super) struct Queue {
    fd: ManuallyDrop<OwnedFd>,
    /// The process that it belongs to: a forked child has another generation.
    generation: usize,
    /// Whether several changes go in one call.
    receipts: bool,
}

impl Queue {
    pub(super) fn new(system: &System) -> io::Result<Queue> {
        debug_assert!(ffi::fits(system), "the table has the numbers of the C headers");
        let generation = fork::watch()?;
        let fd = ffi::kqueue()?;
        set_cloexec(&fd)?;
        Ok(Queue { fd: ManuallyDrop::new(fd), generation, receipts: system.receipts })
    }

    /// `Unsupported` in a forked child, which has no kqueue.
    #[inline]
    pub(super) fn check_process(&self) -> io::Result<()> {
        fork::check(self.generation)
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Kernel for Queue {
    fn apply(&self, changes: &[Kevent], receipts: &mut [i32]) -> io::Result<()> {
        self.check_process()?;
        if self.receipts {
            return ffi::change_all(self.as_fd(), changes, receipts);
        }
        for (change, receipt) in changes.iter().zip(receipts) {
            *receipt = match ffi::change(self.as_fd(), change) {
                Err(error) => error.raw_os_error().unwrap_or(0),
                Ok(()) => 0,
            };
        }
        Ok(())
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        if self.check_process().is_ok() {
            // SAFETY: nothing comes after this drop, so that it is the only one.
            unsafe { ManuallyDrop::drop(&mut self.fd) };
        }
    }
}
