//! [`UnixStream`].

use std::{io, net::Shutdown, os::unix::net, path::Path};

use super::SocketAddr;
use crate::{
    interest::Interest,
    newtype::{forward_read, forward_write, socket_newtype},
    sys::{Rearming, unix::local},
};

/// A connection between two processes of one machine, or within one.
///
/// `Read` and `Write` are implemented for it and for a reference to it.
///
/// ```
/// use std::io::{Read, Write};
/// use mio_core::{Events, Interest, Selector, Trigger, unix::UnixStream};
///
/// let (mut one, mut other) = UnixStream::pair()?;
/// let selector = Selector::new()?;
/// let mut events = Events::with_capacity(64);
/// selector.register(&other, 1, Interest::READABLE, Trigger::Edge)?;
///
/// one.write_all(b"hello")?;
/// selector.select(&mut events, None)?;
/// let mut bytes = [0; 64];
/// assert_eq!(other.read(&mut bytes)?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Source: unix(7), socketpair(2).
#[derive(Debug)]
pub struct UnixStream(Rearming<net::UnixStream>);

socket_newtype!(UnixStream, net::UnixStream);
forward_read!(UnixStream, &UnixStream);
forward_write!(UnixStream, &UnixStream);

impl UnixStream {
    /// Connects to the listener at `path`; the connection is made when this returns.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: the listener's queue is full. Unlike TCP, nothing is in progress then and no
    ///   event will tell when there is room: set a timer and connect again. Portability: so it is
    ///   on Linux; elsewhere it is `ConnectionRefused`.
    /// - `ConnectionRefused`: nobody listens there any more. `NotFound`: nothing is there.
    /// - `InvalidInput`: `path` is longer than the system allows (107 bytes on Linux) or has a zero
    ///   byte in it.
    /// - `PermissionDenied`; no descriptor left (`EMFILE`, `ENFILE`), and others.
    pub fn connect(path: impl AsRef<Path>) -> io::Result<UnixStream> {
        UnixStream::connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Like [`connect`](UnixStream::connect), to a path or an abstract name.
    ///
    /// # Errors
    ///
    /// As `connect`; `ConnectionRefused` if nobody has that abstract name.
    pub fn connect_addr(peer: &SocketAddr) -> io::Result<UnixStream> {
        local::connect(peer).map(UnixStream::wrap)
    }

    /// Two streams that are connected to each other.
    ///
    /// # Errors
    ///
    /// The system's: no descriptor (`EMFILE`, `ENFILE`) or no memory left.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, other) = local::stream_pair()?;
        Ok((UnixStream::wrap(one), UnixStream::wrap(other)))
    }

    /// Reads without taking: the next read sees the same bytes.
    ///
    /// # Errors
    ///
    /// Those of a read.
    #[inline]
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.attempt(Interest::READABLE, |socket| local::peek(socket, buffer))
    }

    /// Ends one direction or both. The peer reads to the end of what was written before.
    ///
    /// # Errors
    ///
    /// `NotConnected`, and others of the system's.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    /// The address of this side, which mostly is unnamed.
    ///
    /// # Errors
    ///
    /// The system's, none of which an open socket meets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// The address of the other side.
    ///
    /// # Errors
    ///
    /// The system's, none of which a connected socket meets.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The way for calls that move bytes of it.
    #[inline]
    pub(crate) fn rearming(&self) -> &Rearming<net::UnixStream> {
        &self.0
    }

    /// For a socket that is non-blocking already.
    #[inline]
    pub(super) fn wrap(stream: net::UnixStream) -> UnixStream {
        UnixStream(Rearming::born(stream))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{ErrorKind, IoSlice, IoSliceMut, Read, Write},
        net::Shutdown,
        os::{fd::AsRawFd, unix::net},
    };

    use super::UnixStream;
    use crate::{
        awaited::awaited,
        sys::unix::{is_flagged, local, without_flags},
        unix::{SocketAddr, UnixListener, tests::TempPath},
    };

    #[test]
    fn both_of_a_pair_are_non_blocking_and_close_on_exec() {
        let (mut one, other) = UnixStream::pair().unwrap();
        assert!(is_flagged(&one) && is_flagged(&other));
        assert!(one.peer_addr().unwrap().is_unnamed());
        assert_eq!(one.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn peeked_bytes_are_read_again() {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(one.peek(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
        other.write_all(b"twice").unwrap();
        for _ in 0..2 {
            assert_eq!(one.peek(&mut buffer).unwrap(), 5);
            assert_eq!(&buffer[..5], b"twice");
        }
        assert_eq!(one.read(&mut buffer).unwrap(), 5);
        drop(other);
        assert_eq!(awaited(|| one.peek(&mut buffer).ok()), 0);
    }

    #[test]
    fn vectors_move_in_order_and_a_half_close_leaves_the_other_half() {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        let slices = [IoSlice::new(b"to"), IoSlice::new(b"gether")];
        assert_eq!(one.write_vectored(&slices).unwrap(), 8);
        one.shutdown(Shutdown::Write).unwrap();
        let (mut head, mut tail) = ([0; 3], [0; 9]);
        let mut vector = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut tail)];
        assert_eq!(other.read_vectored(&mut vector).unwrap(), 8);
        assert_eq!((&head, &tail[..5]), (b"tog", b"ether".as_slice()));
        assert_eq!(other.read(&mut tail).unwrap(), 0);
        other.write_all(b"still").unwrap();
        assert_eq!(one.read(&mut tail).unwrap(), 5);
    }

    #[test]
    fn a_full_queue_is_would_block_and_there_is_nothing_in_progress() {
        let path = TempPath::new();
        let address = SocketAddr::from_pathname(&path).unwrap();
        let listener = UnixListener::from(local::listen(&address, 1).unwrap());
        let mut waiting = Vec::new();
        let error = loop {
            assert!(waiting.len() < 64, "the queue never fills");
            match UnixStream::connect(&path) {
                Ok(stream) => waiting.push(stream),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let (accepted, _) = listener.accept().unwrap();
        let client = UnixStream::connect(&path).unwrap();
        // Who listens has a name, and who has connected none.
        let ours = Some(path.as_ref());
        assert_eq!(client.peer_addr().unwrap().as_pathname(), ours);
        assert!(client.local_addr().unwrap().is_unnamed());
        assert_eq!(accepted.local_addr().unwrap().as_pathname(), ours);
        assert!(accepted.peer_addr().unwrap().is_unnamed());
    }

    #[test]
    fn a_connect_without_a_listener_fails_at_once() {
        let path = TempPath::new();
        assert_eq!(UnixStream::connect(&path).unwrap_err().kind(), ErrorKind::NotFound);
        drop(UnixListener::bind(&path).unwrap());
        let error = awaited(|| UnixStream::connect(&path).err());
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn writing_to_a_peer_that_is_gone_is_an_error_and_no_signal() {
        let (mut one, other) = UnixStream::pair().unwrap();
        drop(other);
        assert_eq!(awaited(|| one.write(b"x").err()).kind(), ErrorKind::BrokenPipe);
        let slices = [IoSlice::new(b"x")];
        assert_eq!(one.write_vectored(&slices).unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn goes_to_std_and_back_and_is_made_non_blocking() {
        let (std, _peer) = net::UnixStream::pair().unwrap();
        let number = std.as_raw_fd();
        let stream = UnixStream::from(std);
        assert!(is_flagged(&stream));
        let stream = UnixStream::from(without_flags(stream));
        assert!(is_flagged(&stream));
        let std = net::UnixStream::from(stream);
        assert_eq!(std.as_raw_fd(), number);
    }
}
