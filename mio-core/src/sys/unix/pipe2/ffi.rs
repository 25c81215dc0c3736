//! Kernels that open pipes with their flags set.
#![allow(unsafe_code)]

use std::{io, os::fd::OwnedFd};

use libc::c_int;

use crate::sys::unix::ffi::own_two;

/// Reading and writing end, non-blocking and close-on-exec.
pub(in crate::sys) fn pipe2() -> io::Result<(OwnedFd, OwnedFd)> {
    let open = |fds: &mut [c_int; 2]| {
        // SAFETY: `fds` has room for the two descriptors.
        unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_NONBLOCK | libc::O_CLOEXEC) }
    };
    // SAFETY: the kernel has just opened both for us alone.
    unsafe { own_two(open) }
}
