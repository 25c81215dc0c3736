//! Kernels that open pipes without any flag.

use std::{io, os::fd::OwnedFd};

/// There is no such call.
pub(in crate::sys) fn pipe2() -> io::Result<(OwnedFd, OwnedFd)> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}
