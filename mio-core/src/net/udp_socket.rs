//! [`UdpSocket`].

use std::{
    io,
    net::{self, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use crate::{
    interest::Interest,
    newtype::socket_newtype,
    sys::{Rearming, socket},
};

/// Sends and receives datagrams.
///
/// ```
/// use mio_core::{Events, Interest, Selector, Trigger, net::UdpSocket};
///
/// let selector = Selector::new()?;
/// let mut events = Events::with_capacity(64);
/// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
/// selector.register(&socket, 1, Interest::READABLE, Trigger::Edge)?;
///
/// let peer = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
/// peer.send_to(b"hello", socket.local_addr()?)?;
/// selector.select(&mut events, None)?;
/// let mut datagram = [0; 1500];
/// let (length, from) = socket.recv_from(&mut datagram)?;
/// assert_eq!((&datagram[..length], from), (b"hello".as_slice(), peer.local_addr()?));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// A datagram longer than the buffer is cut short and its rest is lost.
///
/// Portability: on Windows that is an error besides, the raw `WSAEMSGSIZE`; what there is room for is in the buffer.
///
/// # Errors that come later
///
/// On a connected socket an ICMP answer to an earlier datagram makes a later call fail, once:
/// `ConnectionRefused` means that nobody listens over there. The socket is still good.
///
/// Portability: Windows does not tell (`SIO_UDP_CONNRESET` is turned off), since it would also fail calls of
/// unconnected sockets, for whichever peer.
///
/// Source: udp(7), ip(7).
#[derive(Debug)]
pub struct UdpSocket(Rearming<net::UdpSocket>);

socket_newtype!(UdpSocket, net::UdpSocket);

impl UdpSocket {
    /// A socket with this address; port 0 lets the system choose one.
    ///
    /// Portability: whether one for all of IPv6 (`::`) hears of IPv4 too is the system's choice, as it is for a listener
    /// ([`ListenOptions::only_v6`](super::ListenOptions::only_v6)).
    ///
    /// # Errors
    ///
    /// The system's: `AddrInUse`, `AddrNotAvailable`, `PermissionDenied` for a privileged port, no
    /// descriptor left (`EMFILE`, `ENFILE`), and others.
    pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
        socket::udp_bind(address).map(|socket| UdpSocket(Rearming::born(socket)))
    }

    /// Sets the peer: [`send`](UdpSocket::send) goes there, and only what comes from there is
    /// received. Ends at once; nothing is sent.
    ///
    /// # Errors
    ///
    /// The system's: no route to the peer, say.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        self.0.connect(peer)
    }

    /// Sends one datagram to `peer`; it goes whole or not at all.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when the send buffer is full; the raw `EMSGSIZE` when the datagram is too long;
    /// and others of the system's.
    #[inline]
    pub fn send_to(&self, datagram: &[u8], peer: SocketAddr) -> io::Result<usize> {
        self.0.attempt(Interest::WRITABLE, |socket| socket.send_to(datagram, peer))
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

    /// Like [`recv_from`](UdpSocket::recv_from), but leaves the datagram where it is.
    ///
    /// # Errors
    ///
    /// As `recv_from`.
    #[inline]
    pub fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.attempt(Interest::READABLE, |socket| socket.peek_from(buffer))
    }

    /// Sends one datagram to the peer of [`connect`](UdpSocket::connect).
    ///
    /// # Errors
    ///
    /// As [`send_to`](UdpSocket::send_to); the raw `EDESTADDRREQ` without a peer; an error that came
    /// later.
    #[inline]
    pub fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.0.attempt(Interest::WRITABLE, |socket| socket.send(datagram))
    }

    /// Receives one datagram from the peer of [`connect`](UdpSocket::connect).
    ///
    /// # Errors
    ///
    /// As [`recv_from`](UdpSocket::recv_from); an error that came later.
    #[inline]
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.attempt(Interest::READABLE, |socket| socket.recv(buffer))
    }

    /// Like [`recv`](UdpSocket::recv), but leaves the datagram where it is.
    ///
    /// # Errors
    ///
    /// As `recv`.
    #[inline]
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.attempt(Interest::READABLE, |socket| socket.peek(buffer))
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

    /// Whether it may send to broadcast addresses; not at first.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be set.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.0.set_broadcast(broadcast)
    }

    /// What [`set_broadcast`](UdpSocket::set_broadcast) has set.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be asked.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.0.broadcast()
    }

    /// How many routers a datagram may pass; those to a group have
    /// [their own](UdpSocket::set_multicast_ttl_v4).
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be set.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.0.set_ttl(ttl)
    }

    /// What [`set_ttl`](UdpSocket::set_ttl) has set.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be asked.
    pub fn ttl(&self) -> io::Result<u32> {
        self.0.ttl()
    }

    /// Receives what is sent to the IPv4 group from now on, on the interface with this address;
    /// 0.0.0.0 lets the system choose.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `group` is no group, and others of the system's.
    pub fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.0.join_multicast_v4(group, interface)
    }

    /// Ends what [`join_multicast_v4`](UdpSocket::join_multicast_v4) began.
    ///
    /// # Errors
    ///
    /// `AddrNotAvailable` if it is not in that group.
    pub fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.0.leave_multicast_v4(group, interface)
    }

    /// Receives what is sent to the IPv6 group from now on, on the interface with this index; 0 lets
    /// the system choose.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `group` is no group, and others of the system's.
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.0.join_multicast_v6(group, interface)
    }

    /// Ends what [`join_multicast_v6`](UdpSocket::join_multicast_v6) began.
    ///
    /// # Errors
    ///
    /// `AddrNotAvailable` if it is not in that group.
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.0.leave_multicast_v6(group, interface)
    }

    /// Whether what it sends to an IPv4 group comes back to this machine; it does at first.
    ///
    /// Portability: on Windows it is set where such datagrams are received, for those that this machine sends.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be set.
    pub fn set_multicast_loop_v4(&self, come_back: bool) -> io::Result<()> {
        self.0.set_multicast_loop_v4(come_back)
    }

    /// How many routers a datagram to an IPv4 group may pass; 1 at first: none.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be set.
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        self.0.set_multicast_ttl_v4(ttl)
    }
}

#[cfg(all(test, any(unix, windows)))]
mod tests {
    use std::{
        io::{self, ErrorKind},
        net::{Ipv4Addr, SocketAddr},
    };

    use super::UdpSocket;
    use crate::{awaited::awaited, sys::is_flagged};

    // Over loopback a datagram has arrived when the call that sends it returns.
    fn loopback() -> UdpSocket {
        UdpSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap()
    }

    #[test]
    fn is_non_blocking_and_close_on_exec() {
        let socket = loopback();
        assert!(is_flagged(&socket));
        assert_eq!(socket.recv_from(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn datagrams_keep_their_bounds_and_their_sender() {
        let (one, other) = (loopback(), loopback());
        let (from, to) = (one.local_addr().unwrap(), other.local_addr().unwrap());
        assert_eq!(one.send_to(b"first", to).unwrap(), 5);
        assert_eq!(one.send_to(b"", to).unwrap(), 0);
        assert_eq!(one.send_to(b"third", to).unwrap(), 5);
        let mut buffer = [0; 4];
        let cut_short = |received: io::Result<(usize, SocketAddr)>| match received {
            // WSAEMSGSIZE
            Err(error) if cfg!(windows) => assert_eq!(error.raw_os_error(), Some(10040)),
            received => assert_eq!(received.unwrap(), (4, from)),
        };
        cut_short(other.peek_from(&mut buffer));
        cut_short(other.recv_from(&mut buffer));
        assert_eq!(&buffer, b"firs");
        assert_eq!(other.recv_from(&mut buffer).unwrap(), (0, from));
        cut_short(other.recv_from(&mut buffer));
        assert_eq!(&buffer, b"thir");
    }

    #[test]
    fn a_connected_socket_hears_only_its_peer_and_learns_that_it_is_gone() {
        let (one, other, stranger) = (loopback(), loopback(), loopback());
        let address = one.local_addr().unwrap();
        one.connect(other.local_addr().unwrap()).unwrap();
        assert_eq!(one.peer_addr().unwrap(), other.local_addr().unwrap());
        stranger.send_to(b"no", address).unwrap();
        other.send_to(b"yes", address).unwrap();
        let mut buffer = [0; 8];
        assert_eq!(one.peek(&mut buffer).unwrap(), 3);
        assert_eq!(one.recv(&mut buffer).unwrap(), 3);
        assert_eq!(one.recv(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
        drop(other);
        let told = awaited(|| {
            one.send(b"anyone?").unwrap();
            let told = one.recv(&mut buffer).unwrap_err().kind();
            (told != ErrorKind::WouldBlock || cfg!(windows)).then_some(told)
        });
        assert!(told == ErrorKind::ConnectionRefused || cfg!(windows), "{told:?}");
        assert_eq!(one.recv(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn ipv6_datagrams_carry_the_address_of_the_sender() {
        let Ok(one) = UdpSocket::bind("[::1]:0".parse().unwrap()) else { return };
        let other = UdpSocket::bind("[::1]:0".parse().unwrap()).unwrap();
        one.send_to(b"six", other.local_addr().unwrap()).unwrap();
        let (length, from) = other.recv_from(&mut [0; 8]).unwrap();
        assert_eq!((length, from), (3, one.local_addr().unwrap()));
    }

    #[test]
    fn a_group_is_heard_from_joining_to_leaving() {
        let group = Ipv4Addr::new(239, 255, 77, 7);
        let member = UdpSocket::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let to = (group, member.local_addr().unwrap().port()).into();
        let sender = loopback();
        sender.set_multicast_loop_v4(true).unwrap();
        sender.set_multicast_ttl_v4(0).unwrap();
        let interface = Ipv4Addr::LOCALHOST;
        // A machine without multicast on its loopback has nothing to show here.
        if member.join_multicast_v4(&group, &interface).is_err()
            || sender.send_to(b"a", to).is_err()
        {
            return;
        }
        assert_eq!(member.recv(&mut [0; 8]).unwrap(), 1);
        member.leave_multicast_v4(&group, &interface).unwrap();
        let again = member.leave_multicast_v4(&group, &interface);
        // Wine has it the other way.
        let told = [ErrorKind::AddrNotAvailable, ErrorKind::InvalidInput];
        assert!(told[..1 + usize::from(cfg!(windows))].contains(&again.unwrap_err().kind()));
    }

    #[test]
    fn options_are_read_back() {
        let socket = loopback();
        assert!(!socket.broadcast().unwrap(), "not at first");
        socket.set_broadcast(true).unwrap();
        socket.set_ttl(17).unwrap();
        assert_eq!((socket.broadcast().unwrap(), socket.ttl().unwrap()), (true, 17));
        assert!(socket.take_error().unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_datagram_without_a_peer_or_too_long_is_refused_by_the_system() {
        let socket = loopback();
        let code = |sent: io::Result<usize>| sent.unwrap_err().raw_os_error();
        assert_eq!(code(socket.send(b"x")), Some(libc::EDESTADDRREQ));
        let to = socket.local_addr().unwrap();
        assert_eq!(code(socket.send_to(&vec![0; 70_000], to)), Some(libc::EMSGSIZE));
        assert_eq!(socket.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
        assert_eq!(socket.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[cfg(unix)]
    #[test]
    fn what_a_group_is_sent_is_as_it_was_set() {
        let socket = loopback();
        let std = socket.as_std();
        let at_first = (std.multicast_loop_v4().unwrap(), std.multicast_ttl_v4().unwrap());
        assert_eq!(at_first, (true, 1));
        socket.set_multicast_loop_v4(false).unwrap();
        socket.set_multicast_ttl_v4(7).unwrap();
        let std = std::net::UdpSocket::from(socket);
        let read_back = (std.multicast_loop_v4().unwrap(), std.multicast_ttl_v4().unwrap());
        assert_eq!(read_back, (false, 7));
    }

    #[cfg(unix)]
    #[test]
    fn an_ipv6_group_that_was_joined_can_be_left_once() {
        let group = "ff02::77:7".parse().unwrap();
        // There are machines without IPv6, and some without a route for groups.
        let Ok(socket) = UdpSocket::bind("[::]:0".parse().unwrap()) else { return };
        if socket.join_multicast_v6(&group, 0).is_ok() {
            socket.leave_multicast_v6(&group, 0).unwrap();
        }
        let again = socket.leave_multicast_v6(&group, 0);
        assert_eq!(again.unwrap_err().kind(), ErrorKind::AddrNotAvailable);
    }

    #[cfg(unix)]
    #[test]
    fn goes_to_std_and_back_and_is_made_non_blocking() {
        use std::os::fd::AsRawFd;

        use crate::sys::unix::without_flags;

        let std = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let number = std.as_raw_fd();
        let socket = UdpSocket::from(std);
        assert!(is_flagged(&socket));
        let socket = UdpSocket::from(without_flags(socket));
        assert!(is_flagged(&socket));
        let std = std::net::UdpSocket::from(socket);
        assert_eq!(std.as_raw_fd(), number);
    }
}
