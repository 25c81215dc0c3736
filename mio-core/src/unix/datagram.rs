//! [`UnixDatagram`].

use std::{io, net::Shutdown, os::unix::net, path::Path};

use super::SocketAddr;
use crate::{
    interest::Interest,
    newtype::socket_newtype,
    sys::{Rearming, unix::local},
};

/// Sends and receives datagrams between processes of one machine. None is lost, and they keep their
/// order.
///
/// ```
/// use mio_core::{Events, Interest, Selector, Trigger, unix::UnixDatagram};
///
/// let (one, other) = UnixDatagram::pair()?;
/// let selector = Selector::new()?;
/// let mut events = Events::with_capacity(64);
/// selector.register(&other, 1, Interest::READABLE, Trigger::Edge)?;
///
/// one.send(b"hello")?;
/// selector.select(&mut events, None)?;
/// let mut datagram = [0; 64];
/// assert_eq!(other.recv(&mut datagram)?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// A datagram longer than the buffer is cut short and its rest is lost.
///
/// Source: unix(7).
#[derive(Debug)]
pub struct UnixDatagram(Rearming<net::UnixDatagram>);

socket_newtype!(UnixDatagram, net::UnixDatagram);

impl UnixDatagram {
    /// A socket without a name: it can send, and receives only from the peer of a
    /// [`pair`](UnixDatagram::pair).
    ///
    /// # Errors
    ///
    /// The system's: no descriptor (`EMFILE`, `ENFILE`) or no memory left.
    pub fn unbound() -> io::Result<UnixDatagram> {
        local::datagram().map(UnixDatagram::wrap)
    }

    /// A socket at `path`.
    ///
    /// # Errors
    ///
    /// As [`UnixListener::bind`](super::UnixListener::bind).
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixDatagram> {
        UnixDatagram::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// A socket at a path or with an abstract name.
    ///
    /// # Errors
    ///
    /// As [`UnixListener::bind_addr`](super::UnixListener::bind_addr).
    pub fn bind_addr(address: &SocketAddr) -> io::Result<UnixDatagram> {
        local::datagram_bind(address).map(UnixDatagram::wrap)
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// As [`unbound`](UnixDatagram::unbound).
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, other) = local::datagram_pair()?;
        Ok((UnixDatagram::wrap(one), UnixDatagram::wrap(other)))
    }

    /// Sets the peer: [`send`](UnixDatagram::send) goes there, and only what comes from there is
    /// received.
    ///
    /// # Errors
    ///
    /// `NotFound`, `ConnectionRefused` if nobody is there, and others of the system's.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.0.connect(path)
    }

    /// Like [`connect`](UnixDatagram::connect), to a path or an abstract name.
    ///
    /// # Errors
    ///
    /// As `connect`.
    pub fn connect_addr(&self, peer: &SocketAddr) -> io::Result<()> {
        self.0.connect_addr(peer)
    }

    /// Sends one datagram to the socket at `path`; it goes whole or not at all.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when the receiver's queue or the send buffer is full; `NotFound` and `ConnectionRefused`
    /// when nobody is there; the raw `EMSGSIZE` when the datagram is too long; and others of the system's.
    ///
    /// Portability: on the BSDs and Darwin the raw `ENOBUFS` when the queue is full.
    #[inline]
    pub fn send_to(&self, datagram: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.0.attempt(Interest::WRITABLE, |socket| socket.send_to(datagram, path))
    }

    /// Like [`send_to`](UnixDatagram::send_to), to a path or an abstract name.
    ///
    /// # Errors
    ///
    /// As `send_to`.
    #[inline]
    pub fn send_to_addr(&self, datagram: &[u8], peer: &SocketAddr) -> io::Result<usize> {
        self.0.attempt(Interest::WRITABLE, |socket| socket.send_to_addr(datagram, peer))
    }

    /// Receives one datagram: how much of it is in `buffer`, and where it came from.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when none is there; and others of the system's.
    #[inline]
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.attempt(Interest::READABLE, |socket| socket.recv_from(buffer))
    }

    /// Sends one datagram to the peer.
    ///
    /// # Errors
    ///
    /// As [`send_to`](UnixDatagram::send_to); `NotConnected` without a peer.
    #[inline]
    pub fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.0.attempt(Interest::WRITABLE, |socket| socket.send(datagram))
    }

    /// Receives one datagram: how much of it is in `buffer`.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](UnixDatagram::recv_from).
    #[inline]
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.attempt(Interest::READABLE, |socket| socket.recv(buffer))
    }

    /// Ends one direction or both.
    ///
    /// # Errors
    ///
    /// `NotConnected`, and others of the system's.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    /// The address of this side.
    ///
    /// # Errors
    ///
    /// The system's, none of which an open socket meets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// `NotConnected` without a peer.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    fn wrap(socket: net::UnixDatagram) -> UnixDatagram {
        UnixDatagram(Rearming::born(socket))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::ErrorKind,
        os::{fd::AsRawFd, unix::net},
    };

    use super::{Shutdown, UnixDatagram};
    use crate::{
        awaited::awaited,
        sys::unix::{is_flagged, without_flags},
        unix::{SocketAddr, tests::TempPath},
    };

    #[test]
    fn every_kind_of_socket_is_non_blocking_and_close_on_exec() {
        let (one, other) = UnixDatagram::pair().unwrap();
        let path = TempPath::new();
        let bound = UnixDatagram::bind(&path).unwrap();
        let unbound = UnixDatagram::unbound().unwrap();
        for socket in [one, other, bound, unbound] {
            assert!(is_flagged(&socket));
            assert_eq!(socket.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        }
    }

    #[test]
    fn datagrams_keep_their_bounds_and_name_their_sender() {
        let (here, there) = (TempPath::new(), TempPath::new());
        let one = UnixDatagram::bind(&here).unwrap();
        let other = UnixDatagram::bind(&there).unwrap();
        one.send_to(b"first", &there).unwrap();
        one.send_to_addr(b"second", &SocketAddr::from_pathname(&there).unwrap()).unwrap();
        one.connect(&there).unwrap();
        one.send(b"third").unwrap();
        assert_eq!(one.peer_addr().unwrap().as_pathname(), Some(there.as_ref()));
        assert_eq!(one.local_addr().unwrap().as_pathname(), Some(here.as_ref()));
        let mut buffer = [0; 5];
        let (length, from) = other.recv_from(&mut buffer).unwrap();
        assert_eq!((length, &buffer), (5, b"first"));
        assert_eq!(from.as_pathname(), Some(here.as_ref()));
        assert_eq!((other.recv(&mut buffer).unwrap(), &buffer), (5, b"secon"));
        assert_eq!((other.recv(&mut buffer).unwrap(), &buffer), (5, b"third"));
    }

    #[test]
    fn a_receiver_with_a_full_queue_is_would_block() {
        let (one, other) = UnixDatagram::pair().unwrap();
        let error = (0..1_000_000).find_map(|_| one.send(b"x").err()).unwrap();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        other.recv(&mut [0]).unwrap();
        one.send(b"x").unwrap();
    }

    #[test]
    fn sending_to_nobody_is_an_error() {
        let path = TempPath::new();
        let socket = UnixDatagram::unbound().unwrap();
        assert_eq!(socket.send_to(b"x", &path).unwrap_err().kind(), ErrorKind::NotFound);
        drop(UnixDatagram::bind(&path).unwrap());
        let error = awaited(|| socket.send_to(b"x", &path).err());
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(socket.send(b"x").unwrap_err().kind(), ErrorKind::NotConnected);
        assert_eq!(socket.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
    }

    #[test]
    fn a_datagram_that_is_too_long_is_refused_by_the_system() {
        let (one, other) = UnixDatagram::pair().unwrap();
        let error = one.send(&vec![0; 64 << 20]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
        assert_eq!(other.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn what_is_shut_down_for_sending_still_receives() {
        let (one, other) = UnixDatagram::pair().unwrap();
        one.shutdown(Shutdown::Write).unwrap();
        assert_eq!(one.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        other.send(b"back").unwrap();
        assert_eq!(one.recv(&mut [0; 8]).unwrap(), 4);
    }

    #[test]
    fn goes_to_std_and_back_and_is_made_non_blocking() {
        let (std, _peer) = net::UnixDatagram::pair().unwrap();
        let number = std.as_raw_fd();
        let socket = UnixDatagram::from(std);
        assert!(is_flagged(&socket));
        let socket = UnixDatagram::from(without_flags(socket));
        assert!(is_flagged(&socket));
        let std = net::UnixDatagram::from(socket);
        assert_eq!(std.as_raw_fd(), number);
    }
}
