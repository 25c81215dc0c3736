//! Where no write says that more is to come.

use std::{io, net::TcpStream};

/// Writes as [`send`](super::socket::send) does.
#[inline]
pub(crate) fn send(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    super::socket::send(stream, bytes)
}

/// Nothing waits.
pub(crate) fn pull(_: &TcpStream) {}
