//! Kernels that open sockets without any flag.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use libc::c_int;

use crate::sys::unix::address::Address;

/// What makes a socket non-blocking and close-on-exec in the call that opens it: nothing.
pub(in crate::sys) const SOCKET: c_int = 0;

/// There is no such call.
pub(in crate::sys) fn accept4(_: &impl AsRawFd, _: &mut Address) -> io::Result<OwnedFd> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}
