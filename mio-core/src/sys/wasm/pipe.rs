//! There are no pipes to be had, but WASI's standard streams may be some.

use std::{fs::File, io};

/// What both ends are to `std`.
pub(crate) type End = File;

pub(crate) fn new() -> io::Result<(End, End)> {
    Err(io::ErrorKind::Unsupported.into())
}

crate::sys::if_descriptors! {
    /// Makes an open file non-blocking, for all who share it.
    pub(crate) fn set_nonblocking(fd: &impl std::os::fd::AsFd) -> io::Result<()> {
        super::ffi::set_nonblocking(fd.as_fd())
    }
}
