//! [`UnixListener`].

use std::{io, os::unix::net, path::Path};

use super::{SocketAddr, UnixStream};
use crate::{
    interest::Interest,
    net::BACKLOG,
    newtype::socket_newtype,
    sys::{Rearming, unix::local},
};

/// Accepts connections of Unix stream sockets, one system call each.
///
/// ```
/// use mio_core::{Events, Interest, Selector, Trigger, unix::{UnixListener, UnixStream}};
///
/// let selector = Selector::new()?;
/// let mut events = Events::with_capacity(64);
/// let path = std::env::temp_dir().join(format!("listener-{}", std::process::id()));
/// let listener = UnixListener::bind(&path)?;
/// selector.register(&listener, 1, Interest::READABLE, Trigger::Edge)?;
///
/// let client = UnixStream::connect(&path)?;
/// selector.select(&mut events, None)?;
/// let (connection, peer) = listener.accept()?;
/// assert!(peer.is_unnamed());
/// std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Source: unix(7), accept(2).
#[derive(Debug)]
pub struct UnixListener(Rearming<net::UnixListener>);

socket_newtype!(UnixListener, net::UnixListener);

impl UnixListener {
    /// Listens at `path`, with room for [`BACKLOG`] connections that wait to be accepted.
    ///
    /// # Errors
    ///
    /// - `AddrInUse`: there is something at `path`; a socket left behind by a process that is gone,
    ///   perhaps. Remove it first.
    /// - `InvalidInput`: `path` is longer than the system allows (107 bytes on Linux) or has a zero
    ///   byte in it.
    /// - those of creating a file there: `NotFound`, `PermissionDenied`; no descriptor left
    ///   (`EMFILE`, `ENFILE`), and others.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixListener> {
        UnixListener::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Like [`bind`](UnixListener::bind), at a path or an abstract name.
    ///
    /// Portability: for an unnamed address Linux invents an abstract name; others refuse it.
    ///
    /// # Errors
    ///
    /// As `bind`; `AddrInUse` if somebody has that abstract name.
    pub fn bind_addr(address: &SocketAddr) -> io::Result<UnixListener> {
        local::listen(address, BACKLOG).map(|listener| UnixListener(Rearming::born(listener)))
    }

    /// Takes the first of the connections that wait, and its peer's address, which mostly is unnamed.
    ///
    /// One system call: the connection is non-blocking and close-on-exec already. Where a kernel or a
    /// sandbox refuses that call (`accept4`), the same in four. One more for a peer whose path is so
    /// long that no zero ends it.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when nobody waits; `EMFILE`, `ENFILE`, `OutOfMemory` as
    /// [`TcpListener::accept`](crate::net::TcpListener::accept) describes.
    ///
    /// `Interrupted` is retried here.
    #[inline]
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, peer) = self.0.attempt(Interest::READABLE, local::accept)?;
        Ok((UnixStream::wrap(stream), peer))
    }

    /// The address that it listens at.
    ///
    /// # Errors
    ///
    /// The system's, none of which an open socket meets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{ErrorKind, Read, Write},
        os::{fd::AsRawFd, unix::net},
    };

    use super::UnixListener;
    use crate::{
        sys::unix::{is_flagged, without_flags},
        unix::tests::TempPath,
    };

    #[test]
    fn listener_and_accepted_connection_are_non_blocking_and_close_on_exec() {
        let path = TempPath::new();
        let listener = UnixListener::bind(&path).unwrap();
        assert!(is_flagged(&listener));
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        let mut peer = net::UnixStream::connect(&path).unwrap();
        let (mut connection, address) = listener.accept().unwrap();
        assert!(is_flagged(&connection) && address.is_unnamed());
        peer.write_all(b"ping").unwrap();
        assert_eq!(connection.read(&mut [0; 8]).unwrap(), 4);
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(path.as_ref()));
        assert!(listener.take_error().unwrap().is_none());
    }

    #[test]
    fn a_path_is_taken_until_it_is_removed() {
        let path = TempPath::new();
        drop(UnixListener::bind(&path).unwrap());
        assert_eq!(UnixListener::bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
        std::fs::remove_file(&path).unwrap();
        UnixListener::bind(&path).unwrap();
    }

    #[test]
    fn a_path_that_is_too_long_or_has_a_zero_in_it_is_invalid() {
        for path in ["x".repeat(108), "x\0y".to_owned()] {
            assert_eq!(UnixListener::bind(path).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn goes_to_std_and_back_and_is_made_non_blocking() {
        let path = TempPath::new();
        let std = net::UnixListener::bind(&path).unwrap();
        let number = std.as_raw_fd();
        let listener = UnixListener::from(std);
        assert!(is_flagged(&listener));
        let listener = UnixListener::from(without_flags(listener));
        assert!(is_flagged(&listener));
        let std = net::UnixListener::from(listener);
        assert_eq!(std.as_raw_fd(), number);
    }
}
