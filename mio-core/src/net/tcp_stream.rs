//! [`TcpStream`].

use std::{
    io,
    net::{self, Shutdown, SocketAddr},
    time::Duration,
};

use crate::{
    interest::Interest,
    newtype::{forward_read, forward_write, socket_newtype},
    sys::{Rearming, socket},
};

/// A TCP connection, being made or made.
///
/// `Read` and `Write` are implemented for it and for a reference to it.
///
/// ```
/// use std::io::{self, Read, Write};
/// use mio_core::{Events, Interest, Selector, Trigger, net::TcpStream};
///
/// let server = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let selector = Selector::new()?;
/// let mut events = Events::with_capacity(64);
///
/// let mut stream = TcpStream::connect(server.local_addr()?)?;
/// selector.register(&stream, 1, Interest::READABLE | Interest::WRITABLE, Trigger::Edge)?;
/// while !stream.finish_connect()? {
///     selector.select(&mut events, None)?;
/// }
/// stream.write_all(b"ping")?;
/// assert_eq!(stream.read(&mut [0; 64]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
/// # Ok::<(), io::Error>(())
/// ```
///
/// Source: connect(2), tcp(7).
#[derive(Debug)]
pub struct TcpStream(Rearming<net::TcpStream>);

socket_newtype!(TcpStream, net::TcpStream);
forward_read!(TcpStream, &TcpStream);
forward_write!(TcpStream, &TcpStream);

impl TcpStream {
    /// Starts to connect to `peer` and does not wait for the end.
    ///
    /// The stream becomes writable when the attempt has ended, either way;
    /// [`finish_connect`](TcpStream::finish_connect) says which. Nothing but the system bounds how
    /// long that takes (two minutes, say): set a timer of your own.
    ///
    /// Dropping the stream gives the attempt up.
    ///
    /// # Errors
    ///
    /// What the system knows at once: `NetworkUnreachable`, `AddrNotAvailable` when no local port is
    /// left, no descriptor left (`EMFILE`, `ENFILE`), and others.
    ///
    /// Portability: some systems know at once that a peer on the same machine refuses.
    #[inline]
    pub fn connect(peer: SocketAddr) -> io::Result<TcpStream> {
        socket::tcp_connect(None, peer).map(TcpStream::wrap)
    }

    /// Like [`connect`](TcpStream::connect), from a local address; port 0 lets the system choose one.
    ///
    /// # Errors
    ///
    /// As `connect`; `AddrInUse` or `AddrNotAvailable` for the local address.
    pub fn connect_from(local: SocketAddr, peer: SocketAddr) -> io::Result<TcpStream> {
        socket::tcp_connect(Some(local), peer).map(TcpStream::wrap)
    }

    /// Whether the connection is made: `Ok(false)` while the attempt still goes on, its error when
    /// it has failed.
    ///
    /// To be called when the stream is reported writable, closed or in error. It is one system call
    /// when connected, and two otherwise.
    ///
    /// The error is told once, here or by the first read or write, whichever comes first. After that
    /// this says `Ok(false)` for ever: drop the stream.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused`, `TimedOut`, `HostUnreachable` and whatever else ended the attempt;
    /// `ConnectionReset` if it succeeded and the peer has reset the connection since.
    ///
    /// Portability: Windows leaves that one to the next read or write, and goes on telling of an attempt that has failed.
    pub fn finish_connect(&self) -> io::Result<bool> {
        // First, since it may have been made and broken since.
        let connected = socket::is_connected(&self.0);
        if let Ok(true) = connected {
            return connected;
        }
        self.0.take_error()?.map_or(connected, Err)
    }

    /// Reads without taking: the next read sees the same bytes.
    ///
    /// # Errors
    ///
    /// Those of a read.
    #[inline]
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.attempt(Interest::READABLE, |socket| socket.peek(buffer))
    }

    /// Ends one direction or both. The peer reads to the end of what was written before.
    ///
    /// # Errors
    ///
    /// `NotConnected`, also when the peer has ended the connection already; and others of the
    /// system's.
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

    /// The address of the other side.
    ///
    /// # Errors
    ///
    /// `NotConnected` before the connection is made, and after it was reset.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// Whether small writes go out at once (`true`) or may be held back to be joined (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be set.
    #[inline]
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        socket::set_nodelay(&self.0, nodelay)
    }

    /// What [`set_nodelay`](TcpStream::set_nodelay) has set; `false` at first.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be asked.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.0.nodelay()
    }

    /// How many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be set.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.0.set_ttl(ttl)
    }

    /// How many routers a packet may pass.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be asked.
    pub fn ttl(&self) -> io::Result<u32> {
        self.0.ttl()
    }

    /// What a drop does with the connection (`SO_LINGER`).
    ///
    /// - `None`, as at first: returns at once; the system goes on sending what was written.
    /// - `Some(Duration::ZERO)`: returns at once, throws away what was not sent, and resets the
    ///   connection: the peer sees `ConnectionReset` instead of the end. A proxy tells one side in
    ///   this way that the other has failed.
    /// - Any other duration: waits up to that long, in whole seconds rounded up, for the peer to
    ///   take everything.
    ///
    /// Portability: with a duration Linux waits although the socket is non-blocking, and the loop with it; other systems
    /// need not. On WebAssembly `Unsupported`.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be set.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        // Rounded up, so that only zero is zero.
        let seconds = |linger: Duration| {
            linger.as_secs().saturating_add(u64::from(linger.subsec_nanos() > 0))
        };
        socket::set_linger(&self.0, linger.map(seconds))
    }

    /// The way for calls that move bytes of it.
    #[inline]
    pub(crate) fn rearming(&self) -> &Rearming<net::TcpStream> {
        &self.0
    }

    /// For a socket that is non-blocking already.
    #[inline]
    pub(crate) fn wrap(stream: net::TcpStream) -> TcpStream {
        TcpStream(Rearming::born(stream))
    }
}

#[cfg(all(test, any(unix, windows)))]
mod tests {
    use std::{
        io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write},
        net::{self, Shutdown, SocketAddr},
        time::{Duration, Instant},
    };

    use super::TcpStream;
    use crate::{
        Events, Interest, Selector, Source, Trigger,
        awaited::awaited,
        net::{ListenOptions, TcpListener},
        sys::is_flagged,
    };

    /// Waits until `source` is ready, at most ten seconds.
    fn wait(source: &impl Source, interest: Interest) {
        let selector = Selector::new().unwrap();
        let mut events = Events::with_capacity(1);
        selector.register(source, 0, interest, Trigger::Level).unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        while events.is_empty() {
            let left = end.checked_duration_since(Instant::now()).expect("ready in time");
            selector.select(&mut events, Some(left)).unwrap();
        }
    }

    fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        wait(&listener, Interest::READABLE);
        let (server, _) = listener.accept().unwrap();
        wait(&client, Interest::WRITABLE);
        assert!(client.finish_connect().unwrap());
        (client, server)
    }

    fn kind<T: std::fmt::Debug>(outcome: io::Result<T>) -> ErrorKind {
        outcome.unwrap_err().kind()
    }

    #[test]
    fn a_refused_connect_is_reported_once() {
        // No other test has this address, so that none takes the port over.
        let closed = net::TcpListener::bind("127.0.0.3:0").unwrap().local_addr().unwrap();
        awaited(|| net::TcpStream::connect(closed).err());
        let stream = match TcpStream::connect(closed) {
            Ok(stream) => stream,
            Err(error) => return assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
        };
        wait(&stream, Interest::WRITABLE);
        assert_eq!(kind(stream.finish_connect()), ErrorKind::ConnectionRefused);
        // Windows goes on saying so.
        assert!(cfg!(windows) || !stream.finish_connect().unwrap());
    }

    #[test]
    fn a_connect_is_in_progress_until_the_peer_has_room_for_it() {
        let options = ListenOptions { backlog: 0, ..ListenOptions::default() };
        let listener = TcpListener::bind_with("127.0.0.1:0".parse().unwrap(), options).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let mut streams = Vec::new();
        let pending = loop {
            assert!(streams.len() < 64, "the queue never fills");
            let stream = TcpStream::connect(address).unwrap();
            std::thread::sleep(Duration::from_millis(10));
            if !stream.finish_connect().unwrap() {
                break stream;
            }
            streams.push(stream);
        };
        assert_eq!(kind((&pending).read(&mut [0])), ErrorKind::WouldBlock);
        // Wine has the address already.
        assert!(cfg!(windows) || kind(pending.peer_addr()) == ErrorKind::NotConnected);
        while listener.accept().is_ok() {}
        wait(&pending, Interest::WRITABLE);
        assert!(pending.finish_connect().unwrap());
    }

    #[test]
    fn a_backlog_beyond_all_bounds_is_the_longest_queue_there_is() {
        let options = ListenOptions { backlog: u32::MAX, ..ListenOptions::default() };
        let listener = TcpListener::bind_with("127.0.0.1:0".parse().unwrap(), options).unwrap();
        let address = listener.local_addr().unwrap();
        let streams = [(); 8].map(|()| TcpStream::connect(address).unwrap());
        for stream in streams {
            wait(&stream, Interest::WRITABLE);
            assert!(stream.finish_connect().unwrap());
        }
    }

    // Windows leaves that to the next read.
    #[cfg(unix)]
    #[test]
    fn finish_connect_says_so_when_the_connection_was_reset_since() {
        let (client, server) = connected();
        server.set_linger(Some(Duration::ZERO)).unwrap();
        drop(server);
        wait(&client, Interest::READABLE);
        assert_eq!(kind(client.finish_connect()), ErrorKind::ConnectionReset);
    }

    #[test]
    fn connects_from_the_local_address_that_was_asked_for() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let local: SocketAddr = "127.0.0.2:0".parse().unwrap();
        let stream = TcpStream::connect_from(local, listener.local_addr().unwrap()).unwrap();
        assert_eq!(listener.accept().unwrap().1.ip(), local.ip());
        assert_eq!(stream.local_addr().unwrap().ip(), local.ip());
        let elsewhere = TcpStream::connect_from("192.0.2.1:0".parse().unwrap(), local);
        assert_eq!(kind(elsewhere), ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn connects_over_ipv6() {
        let Ok(listener) = net::TcpListener::bind("[::1]:0") else { return };
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(listener.accept().unwrap().1, stream.local_addr().unwrap());
    }

    #[test]
    fn is_non_blocking_and_close_on_exec() {
        let (client, _server) = connected();
        assert!(is_flagged(&client));
        assert_eq!(kind((&client).read(&mut [0])), ErrorKind::WouldBlock);
    }

    #[test]
    fn peeked_bytes_are_read_again_and_vectors_move_in_order() {
        let (mut client, mut server) = connected();
        let sent = client.write_vectored(&[IoSlice::new(b"to"), IoSlice::new(b"gether")]);
        assert_eq!(sent.unwrap(), 8);
        wait(&server, Interest::READABLE);
        let mut peeked = [0; 4];
        assert_eq!(server.peek(&mut peeked).unwrap(), 4);
        assert_eq!(&peeked, b"toge");
        let (mut one, mut other) = ([0; 3], [0; 9]);
        let mut vector = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut other)];
        assert_eq!(server.read_vectored(&mut vector).unwrap(), 8);
        assert_eq!((&one, &other[..5]), (b"tog", b"ether".as_slice()));
    }

    #[test]
    fn shutdown_ends_one_direction_only() {
        let (mut client, mut server) = connected();
        client.shutdown(Shutdown::Write).unwrap();
        wait(&server, Interest::READABLE);
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
        server.write_all(b"still").unwrap();
        wait(&client, Interest::READABLE);
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 5);
    }

    #[test]
    fn writing_to_a_reset_connection_is_an_error_and_no_signal() {
        let (mut client, server) = connected();
        server.set_linger(Some(Duration::ZERO)).unwrap();
        drop(server);
        wait(&client, Interest::READABLE);
        let after = if cfg!(windows) { ErrorKind::ConnectionReset } else { ErrorKind::BrokenPipe };
        assert_eq!(kind(client.write(b"x")), ErrorKind::ConnectionReset);
        assert_eq!(kind(client.write(b"x")), after);
        // Windows remembers whom it was connected to.
        if cfg!(unix) {
            assert_eq!(kind(client.peer_addr()), ErrorKind::NotConnected);
            assert_eq!(kind(client.shutdown(Shutdown::Write)), ErrorKind::NotConnected);
        }
        let vector = [IoSlice::new(b"x")];
        assert_eq!(kind(client.write_vectored(&vector)), after);
    }

    #[test]
    fn without_linger_a_drop_is_the_end_and_no_reset() {
        let (mut client, server) = connected();
        server.set_linger(Some(Duration::ZERO)).unwrap();
        server.set_linger(None).unwrap();
        drop(server);
        wait(&client, Interest::READABLE);
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn no_linger_but_zero_is_a_reset_however_short_or_long() {
        for linger in [Duration::from_nanos(1), Duration::MAX] {
            let (mut client, server) = connected();
            server.set_linger(Some(linger)).unwrap();
            // It waits for the end of the peer, which so comes first.
            client.shutdown(Shutdown::Write).unwrap();
            drop(server);
            wait(&client, Interest::READABLE);
            assert_eq!(client.read(&mut [0]).unwrap(), 0);
        }
    }

    #[test]
    fn options_are_read_back() {
        let (client, _server) = connected();
        assert!(!client.nodelay().unwrap(), "not at first");
        client.set_nodelay(true).unwrap();
        client.set_ttl(17).unwrap();
        assert_eq!((client.nodelay().unwrap(), client.ttl().unwrap()), (true, 17));
        assert!(client.take_error().unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn goes_to_std_and_back_and_is_made_non_blocking() {
        use std::os::fd::{AsFd, AsRawFd, IntoRawFd};

        use crate::sys::unix::without_flags;

        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let std = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let number = std.as_raw_fd();
        let stream = TcpStream::from(std);
        assert!(is_flagged(&stream));
        let stream = TcpStream::from(without_flags(stream));
        assert!(is_flagged(&stream));
        assert_eq!(stream.as_fd().as_raw_fd(), stream.as_raw_fd());
        let stream = TcpStream::from_std(stream.into()).unwrap();
        assert_eq!(stream.as_std().as_raw_fd(), number);
        assert_eq!(net::TcpStream::from(stream).into_raw_fd(), number);
    }
}
