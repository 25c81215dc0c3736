//! Bytes that are to wait for those after them, so that segments become full: `MSG_MORE`.
//!
//! Each write to a stream without Nagle's delay ends a segment, however short. A relay that writes a buffer at a time ends
//! one that is nearly empty each time: on the loopback 65,536 bytes are a segment of 65,483 and one of 53, and both are
//! sent, received, acknowledged, and wake the peer. What is held back goes out with the next write, with the end, or after
//! 200 ms.

use std::{io, net::TcpStream};

use libc::c_int;

use super::{
    SEND,
    unix::ffi::{send_with, set_int},
};

/// Writes as [`send`](super::socket::send) does, and lets what does not fill a segment wait for what is written next.
#[inline]
pub(crate) fn send(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    send_with(stream, bytes, SEND | libc::MSG_MORE)
}

/// Nothing more comes for now: lets go what waits.
pub(crate) fn pull(stream: &TcpStream) {
    const OUT: c_int = 0;
    // Whatever is wrong with the stream, what is done with it next tells.
    let _ = set_int(stream, libc::IPPROTO_TCP, libc::TCP_CORK, OUT);
}
