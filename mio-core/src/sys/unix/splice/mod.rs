//! Bytes from a socket into a pipe and from there into another socket, without a copy: splice(2).
//!
//! - A pipe has a number of slots, not of bytes; its size is that number times 4 KiB. A slot takes a piece of
//!   a packet, however short or long. So a pipe may be full after fewer bytes than asked for, or take more
//!   than its size.
//! - Out-of-band data stops it: in front of an urgent byte a TCP socket says `EAGAIN` for ever, where
//!   recv(2) passes over that byte and goes on (net/ipv4/tcp.c: `tcp_read_sock`). Whoever wants to know
//!   whether there is something to read has to read.
//! - There is no `MSG_NOSIGNAL`: a peer that is gone raises SIGPIPE, which Rust's runtime ignores, but not
//!   every program has that runtime.
//!
//! What else a relay asks of this kernel alone is here too.

mod ffi;

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use libc::c_int;

use crate::{interest::Interest, sys::pipe};

/// What tells of an urgent byte, in front of which reads end.
pub(crate) const URGENT: Interest = Interest::PRIORITY;

/// Whether the length of a segment can be asked for.
#[cfg(test)]
pub(crate) const KNOWS_SEGMENTS: bool = true;

/// The length of the segments that a TCP socket sends now, or 1 if that cannot be asked.
pub(crate) fn segment(socket: &impl AsFd) -> usize {
    let length = ffi::segment(socket.as_fd()).ok();
    length.and_then(|length| usize::try_from(length).ok()).unwrap_or(1)
}

/// A pipe inside the kernel, through which bytes pass that nobody looks at.
#[derive(Debug)]
pub(crate) struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Pipe {
    /// Opens one with room for so many bytes, or with less where the system allows no more.
    ///
    /// `Unsupported` if a peer that is gone would get the process killed.
    pub(crate) fn open(bytes: usize) -> io::Result<Pipe> {
        if ffi::broken_pipes_kill()? {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let (reader, writer) = pipe::open()?;
        // Refused when the user has too many pages in pipes: the default is small, but enough.
        let _ = ffi::set_pipe_size(writer.as_fd(), c_int::try_from(bytes).unwrap_or(c_int::MAX));
        Ok(Pipe { reader, writer })
    }

    /// From a socket into the pipe.
    #[inline]
    pub(crate) fn fill(&self, source: &impl AsFd, max: usize) -> io::Result<usize> {
        ffi::splice(source.as_fd(), self.writer.as_fd(), max)
    }

    /// From the pipe into a socket.
    #[inline]
    pub(crate) fn drain(&self, sink: &impl AsFd, max: usize) -> io::Result<usize> {
        ffi::splice(self.reader.as_fd(), sink.as_fd(), max)
    }
}
