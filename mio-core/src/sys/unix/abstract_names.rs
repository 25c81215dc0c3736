//! The stand-in for `std`'s extension of the same name, on kernels without abstract names.

use std::{io, os::unix::net::SocketAddr};

/// No address has an abstract name.
pub(crate) trait SocketAddrExt: Sized {
    /// Such kernels answer with zeros for a socket without a name.
    fn from_abstract_name(_: &[u8]) -> io::Result<Self>;
    fn as_abstract_name(&self) -> Option<&[u8]>;
}

impl SocketAddrExt for SocketAddr {
    fn from_abstract_name(_: &[u8]) -> io::Result<SocketAddr> {
        SocketAddr::from_pathname("")
    }

    fn as_abstract_name(&self) -> Option<&[u8]> {
        None
    }
}
