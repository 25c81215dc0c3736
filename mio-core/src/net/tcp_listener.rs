//! [`TcpListener`].

use std::{
    io,
    net::{self, SocketAddr},
};

use super::{BACKLOG, TcpStream};
use crate::{
    interest::Interest,
    newtype::socket_newtype,
    sys::{Rearming, socket},
};

/// Accepts TCP connections, one system call each.
///
/// ```
/// use std::{io, time::Duration};
/// use mio_core::{Events, Interest, Selector, Trigger, net::{TcpListener, TcpStream}};
///
/// let selector = Selector::new()?;
/// let mut events = Events::with_capacity(64);
/// let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
/// selector.register(&listener, 1, Interest::READABLE, Trigger::Edge)?;
///
/// let client = TcpStream::connect(listener.local_addr()?)?;
/// selector.select(&mut events, None)?;
/// let (connection, peer) = listener.accept()?;
/// assert_eq!(peer, client.local_addr()?);
///
/// // Edge triggered: go on until nobody is left.
/// assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
/// # Ok::<(), io::Error>(())
/// ```
///
/// Source: socket(2), listen(2), accept(2), tcp(7).
#[derive(Debug)]
pub struct TcpListener(Rearming<net::TcpListener>);

socket_newtype!(TcpListener, net::TcpListener);

/// How a [`TcpListener`] is to listen.
///
/// ```
/// use mio_core::net::{ListenOptions, TcpListener};
///
/// // Two loops that share one port, each with a queue of its own.
/// let options = ListenOptions { reuse_port: true, ..ListenOptions::default() };
/// # if cfg!(windows) { return Ok(()) }
/// let one = TcpListener::bind_with("127.0.0.1:0".parse().unwrap(), options)?;
/// let other = TcpListener::bind_with(one.local_addr()?, options)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    /// How many connections may wait to be accepted; [`BACKLOG`] by default.
    pub backlog: u32,
    /// Whether other listeners that ask for the same may bind the address too (`SO_REUSEPORT`); each
    /// connection goes to one of them. Off by default.
    ///
    /// Portability: Linux spreads the connections evenly. Other Unixes may give all to one listener. On illumos,
    /// Solaris and Windows it is `Unsupported`.
    pub reuse_port: bool,
    /// Whether an IPv6 listener leaves IPv4 to others (`IPV6_V6ONLY`). `None`, the default, leaves
    /// that to the system. Means nothing to IPv4.
    ///
    /// Portability: mostly off on Linux, Darwin, illumos and Solaris, on on the BSDs and Windows. OpenBSD refuses to turn it
    /// off.
    pub only_v6: Option<bool>,
}

impl Default for ListenOptions {
    fn default() -> ListenOptions {
        ListenOptions { backlog: BACKLOG, reuse_port: false, only_v6: None }
    }
}

impl TcpListener {
    /// Listens on `address`; port 0 lets the system choose one.
    ///
    /// The port can be bound again as soon as this listener is gone, even while connections that it
    /// accepted linger on (`SO_REUSEADDR`).
    ///
    /// Portability: so it is on Windows without that option, which would let others take the port away there.
    ///
    /// # Errors
    ///
    /// The system's: `AddrInUse`, `AddrNotAvailable`, `PermissionDenied` for a privileged port, no
    /// descriptor left (`EMFILE`, `ENFILE`), and others.
    pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind_with(address, ListenOptions::default())
    }

    /// Listens on `address` as the options say.
    ///
    /// # Errors
    ///
    /// As [`bind`](TcpListener::bind).
    pub fn bind_with(address: SocketAddr, options: ListenOptions) -> io::Result<TcpListener> {
        let ListenOptions { backlog, reuse_port, only_v6 } = options;
        socket::tcp_listen(address, backlog, reuse_port, only_v6)
            .map(|listener| TcpListener(Rearming::born(listener)))
    }

    /// Takes the first of the connections that wait, and its peer's address.
    ///
    /// One system call: the connection is non-blocking and close-on-exec already. Where a kernel or a
    /// sandbox refuses that call (`accept4`), the same in four.
    ///
    /// Portability: Apple's systems and AIX have no such call, and between two of the several another thread's `exec` may
    /// inherit the connection. On Windows nothing is inherited by itself.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: nobody waits.
    /// - `ConnectionAborted`: the first in the queue went away before it was accepted; the next one
    ///   may wait, so go on. Linux passes other errors of that connection on in the same way:
    ///   `NetworkDown`, `HostUnreachable`, `NetworkUnreachable`, `EPROTO` and their like.
    /// - `EMFILE`, `ENFILE` (see [`raw_os_error`](io::Error::raw_os_error)), `OutOfMemory`: no
    ///   descriptor or memory left. The connection stays in the queue. With
    ///   [`Trigger::Edge`](crate::Trigger) no report follows for it, so set a timer and try again;
    ///   with [`Trigger::Level`](crate::Trigger) every wait reports it.
    ///
    /// `Interrupted` is retried here. [`AcceptFailure`](super::AcceptFailure) tells these apart.
    #[inline]
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.0.attempt(Interest::READABLE, socket::tcp_accept)?;
        Ok((TcpStream::wrap(stream), peer))
    }

    /// The address that it listens on, with the port that the system chose.
    ///
    /// # Errors
    ///
    /// The system's, none of which an open socket meets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[cfg(all(test, any(unix, windows)))]
mod tests {
    use std::{
        io::{ErrorKind, Read, Write},
        net::{self, SocketAddr},
    };

    use super::{ListenOptions, TcpListener};
    use crate::{awaited::awaited, sys::is_flagged};

    fn loopback() -> TcpListener {
        TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap()
    }

    #[test]
    fn accept_says_would_block_when_nobody_waits() {
        assert_eq!(loopback().accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn listener_and_accepted_connection_are_non_blocking_and_close_on_exec() {
        let listener = loopback();
        let peer = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (connection, address) = listener.accept().unwrap();
        assert!(is_flagged(&listener) && is_flagged(&connection));
        assert_eq!(address, peer.local_addr().unwrap());
        assert_eq!((&connection).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn accepts_over_ipv6_with_the_address_of_the_peer() {
        let Ok(listener) = TcpListener::bind("[::1]:0".parse().unwrap()) else { return };
        let mut peer = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut connection, address) = listener.accept().unwrap();
        assert_eq!(address, peer.local_addr().unwrap());
        connection.write_all(b"six").unwrap();
        let mut bytes = [0; 3];
        peer.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"six");
    }

    #[test]
    fn an_ipv6_listener_leaves_ipv4_to_others_only_if_told_so() {
        let any: SocketAddr = "[::]:0".parse().unwrap();
        let options = |only_v6| ListenOptions { only_v6: Some(only_v6), ..Default::default() };
        let Ok(both) = TcpListener::bind_with(any, options(false)) else { return };
        let port = both.local_addr().unwrap().port();
        net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert!(both.accept().unwrap().1.is_ipv6());

        // It means nothing to IPv4.
        TcpListener::bind_with("127.0.0.1:0".parse().unwrap(), options(true)).unwrap();
        let six = TcpListener::bind_with(any, options(true)).unwrap();
        let port = six.local_addr().unwrap().port();
        let refused = net::TcpStream::connect(("127.0.0.1", port)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn whether_an_ipv6_listener_hears_of_ipv4_is_up_to_the_system_unless_it_is_told() {
        let Ok(of_std) = net::TcpListener::bind("[::]:0") else { return };
        let ours = TcpListener::bind("[::]:0".parse().unwrap()).unwrap();
        let [expected, heard] = [of_std.local_addr(), ours.local_addr()]
            .map(|address| net::TcpStream::connect(("127.0.0.1", address.unwrap().port())).is_ok());
        assert_eq!(heard, expected);
    }

    #[test]
    fn a_port_is_shared_only_by_listeners_that_ask_for_it() {
        let options = ListenOptions { reuse_port: true, ..ListenOptions::default() };
        let one = TcpListener::bind_with("127.0.0.1:0".parse().unwrap(), options);
        if cfg!(windows) {
            return assert_eq!(one.unwrap_err().kind(), ErrorKind::Unsupported);
        }
        let one = one.unwrap();
        let address = one.local_addr().unwrap();
        let other = TcpListener::bind_with(address, options).unwrap();
        assert_eq!(other.local_addr().unwrap(), address);
        assert_eq!(TcpListener::bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn a_port_is_free_again_while_an_accepted_connection_lingers() {
        // No other test has this address, so that none takes the port over.
        let listener = TcpListener::bind("127.0.0.4:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let peer = net::TcpStream::connect(address).unwrap();
        let (connection, _) = listener.accept().unwrap();
        // Who closes first keeps the connection in TIME_WAIT.
        drop(connection);
        drop(peer);
        drop(listener);
        awaited(|| TcpListener::bind(address).ok());
    }

    #[cfg(unix)]
    #[test]
    fn goes_to_std_and_back_and_is_made_non_blocking() {
        use std::os::fd::AsRawFd;

        use crate::sys::unix::without_flags;

        let std = net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!is_flagged(&std));
        let number = std.as_raw_fd();
        let listener = TcpListener::from(std);
        assert!(is_flagged(&listener));
        let listener = TcpListener::from(without_flags(listener));
        assert!(is_flagged(&listener));
        let std = net::TcpListener::from(listener);
        assert_eq!(std.as_raw_fd(), number);
    }
}
