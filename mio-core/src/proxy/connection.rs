//! [`Connection`] and [`Listener`]: TCP or Unix, the rest need not know which.

#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(windows)]
use std::os::windows::io::{AsSocket, BorrowedSocket};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr},
    time::Duration,
};

use super::Address;
#[cfg(unix)]
use crate::unix::{UnixListener, UnixStream};
use crate::{
    EventLoop, In, Interest, Trigger,
    net::{ListenOptions, TcpListener, TcpStream},
    relay::{KernelPipe, Stream},
    sys,
};

/// A connection of a proxy, over TCP or a Unix socket. It is as small as a descriptor.
///
/// `Read` and `Write` are implemented for it and for a reference to it.
#[derive(Debug)]
pub struct Connection(TcpStream);

impl Connection {
    /// Starts to connect, and does not wait. The stream becomes writable when the attempt has ended,
    /// either way. With `nodelay` small writes go out at once, if the system lets them.
    ///
    /// # Errors
    ///
    /// Those of [`TcpStream::connect`] and `UnixStream::connect`, of
    /// which one is `WouldBlock`: the queue of a Unix socket is full, and no event will tell when it has
    /// room again.
    #[inline]
    pub fn connect(address: &Address, nodelay: bool) -> io::Result<Connection> {
        match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(*address)?;
                if nodelay {
                    let _ = stream.set_nodelay(true);
                }
                Ok(Connection(stream))
            }
            #[cfg(unix)]
            Address::Unix(address) => UnixStream::connect_addr(address).map(Connection::from),
        }
    }

    /// The address of this side; `None` for a Unix socket, and if the system does not tell.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.0.local_addr().ok()
    }

    /// The address of the other side; `None` for a Unix socket, and if it is gone.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.peer_addr().ok()
    }

    /// Makes the drop of this stream a reset, so that the peer does not take what it got for all
    /// there was. If that cannot be had, the peer sees an end.
    pub fn reset_on_drop(&self) {
        let _ = self.0.set_linger(Some(Duration::ZERO));
    }

    /// Ends a direction, or both.
    ///
    /// # Errors
    ///
    /// As [`TcpStream::shutdown`].
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    /// Takes the error that waits on the socket, if there is one; the one of asking, if that fails.
    #[must_use]
    pub fn take_error(&self) -> Option<io::Error> {
        self.0.take_error().unwrap_or_else(Some)
    }
}

impl From<TcpStream> for Connection {
    fn from(stream: TcpStream) -> Connection {
        Connection(stream)
    }
}

/// The calls on a connected socket are the same for both families, so one type has them.
#[cfg(unix)]
impl From<UnixStream> for Connection {
    fn from(stream: UnixStream) -> Connection {
        Connection(TcpStream::wrap(OwnedFd::from(stream).into()))
    }
}

impl Stream for Connection {
    #[inline(always)]
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Stream::read(&self.0, buffer)
    }

    #[inline(always)]
    fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Stream::peek(&self.0, buffer)
    }

    #[inline(always)]
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Stream::write(&self.0, bytes)
    }

    fn segment(&self) -> usize {
        Stream::segment(&self.0)
    }

    #[inline(always)]
    fn finish(&self) -> io::Result<()> {
        Stream::finish(&self.0)
    }

    #[inline(always)]
    fn fill(&self, pipe: &KernelPipe, max: usize) -> io::Result<usize> {
        self.0.fill(pipe, max)
    }

    #[inline(always)]
    fn drain(&self, pipe: &KernelPipe, max: usize) -> io::Result<usize> {
        self.0.drain(pipe, max)
    }
}

impl Read for &Connection {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut &self.0, buffer)
    }
}

impl Write for &Connection {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(&mut &self.0, bytes)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Connection {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut self.0, buffer)
    }
}

impl Write for Connection {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(&mut self.0, bytes)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(windows)]
impl AsSocket for Connection {
    #[inline]
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.0.as_socket()
    }
}

sys::if_descriptors! {
    use std::os::fd::{AsFd, BorrowedFd};

    impl AsFd for Connection {
        #[inline]
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    impl AsFd for Listener {
        #[inline]
        fn as_fd(&self) -> BorrowedFd<'_> {
            match &self.socket {
                Socket::Tcp(listener) => listener.as_fd(),
                #[cfg(unix)]
                Socket::Unix(listener) => listener.as_fd(),
            }
        }
    }
}

/// Accepts clients, over TCP or a Unix socket.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    nodelay: Nodelay,
    /// Another loop waits for the same queue.
    shared: bool,
}

/// How connections come to send small writes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nodelay {
    /// They do not.
    Off,
    /// The listener was told so, which saves a call for each connection where they inherit it. Nobody has looked
    /// yet.
    Told,
    Inherited,
    /// Each is told.
    Each,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Listener {
    /// Listens. Several listeners of one TCP port, each with a queue of its own, are had with
    /// `reuse_port`; see [`ListenOptions`]. With `nodelay` the small writes to clients go out at once, if
    /// the system lets them.
    ///
    /// A Unix socket that a process left behind at the path is replaced, if nobody listens there.
    /// It stays there when this listener is gone.
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::bind`] and
    /// `UnixListener::bind`; `InvalidInput` for a Unix socket with
    /// `reuse_port`, which those do not know.
    pub fn bind(address: &Address, reuse_port: bool, nodelay: bool) -> io::Result<Listener> {
        let socket = match address {
            Address::Tcp(address) => {
                let options = ListenOptions { reuse_port, ..ListenOptions::default() };
                Socket::Tcp(TcpListener::bind_with(*address, options)?)
            }
            #[cfg(unix)]
            Address::Unix(_) if reuse_port => return Err(io::ErrorKind::InvalidInput.into()),
            #[cfg(unix)]
            Address::Unix(name) => Socket::Unix(match UnixListener::bind_addr(name) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    remove_if_dead(address)?;
                    UnixListener::bind_addr(name)?
                }
                result => result?,
            }),
        };
        let nodelay = match (&socket, nodelay) {
            (Socket::Tcp(listener), true) => tell_nodelay(listener),
            _ => Nodelay::Off,
        };
        Ok(Listener { socket, nodelay, shared: false })
    }

    /// Takes the next client, and its address if it has one.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::accept`].
    #[inline]
    pub fn accept(&mut self) -> io::Result<(Connection, Option<SocketAddr>)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept()?;
                if self.nodelay == Nodelay::Told {
                    let inherited = stream.nodelay().unwrap_or(false);
                    self.nodelay = if inherited { Nodelay::Inherited } else { Nodelay::Each };
                }
                if self.nodelay == Nodelay::Each {
                    let _ = stream.set_nodelay(true);
                }
                Ok((Connection(stream), Some(peer)))
            }
            #[cfg(unix)]
            Socket::Unix(listener) => listener.accept().map(|(stream, _)| (stream.into(), None)),
        }
    }

    /// Where it listens, with the port that the system chose.
    ///
    /// # Errors
    ///
    /// The system's, none of which an open socket meets.
    pub fn local_addr(&self) -> io::Result<Address> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Socket::Unix(listener) => listener.local_addr().map(Address::from),
        }
    }

    /// Another one with the same queue, for another loop. One of the loops that wait is woken for a client, not all: so
    /// each of these is to be [registered](Listener::register) as it is, and the one that they came from not at all.
    ///
    /// Portability: epoll. Elsewhere all of them are woken, and one finds the client.
    ///
    /// # Errors
    ///
    /// No descriptor left.
    pub fn share(&self) -> io::Result<Listener> {
        let socket = match &self.socket {
            Socket::Tcp(listener) => {
                Socket::Tcp(TcpListener::from_std(listener.as_std().try_clone()?)?)
            }
            #[cfg(unix)]
            Socket::Unix(listener) => {
                Socket::Unix(UnixListener::from_std(listener.as_std().try_clone()?)?)
            }
        };
        Ok(Listener { socket, nodelay: self.nodelay, shared: true })
    }

    /// Waits for clients, edge triggered.
    ///
    /// # Errors
    ///
    /// Those of [`EventLoop::register`] and, for one that is shared, of
    /// [`EventLoop::register_exclusive`].
    pub fn register<M, S, T: In<S>>(
        &self,
        event_loop: &mut EventLoop<M, S>,
        token: T,
    ) -> io::Result<()> {
        if self.shared {
            match event_loop.register_exclusive(self, token) {
                // Then all of them are woken, and one finds the client.
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                result => return result,
            }
        }
        event_loop.register_with(self, token, Interest::READABLE, Trigger::Edge)
    }
}

sys::if_sourceless! {
    impl crate::source::Source for Connection {}
    impl crate::source::Source for Listener {}
}

/// Linux and the BSDs hand the option of a listener on to what it accepts; that is not written anywhere.
#[cfg(unix)]
fn tell_nodelay(listener: &TcpListener) -> Nodelay {
    let told = listener.as_std().try_clone().and_then(|listener| {
        // The option is the socket's, whatever it is used for.
        std::net::TcpStream::from(OwnedFd::from(listener)).set_nodelay(true)
    });
    if told.is_ok() { Nodelay::Told } else { Nodelay::Each }
}

#[cfg(not(unix))]
fn tell_nodelay(_: &TcpListener) -> Nodelay {
    Nodelay::Each
}

/// Removes a socket that nobody listens at.
#[cfg(unix)]
fn remove_if_dead(address: &Address) -> io::Result<()> {
    let Err(error) = Connection::connect(address, false) else { return Ok(()) };
    match address.path() {
        Some(path) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Ok(()),
    }
}

#[cfg(windows)]
impl AsSocket for Listener {
    #[inline]
    fn as_socket(&self) -> BorrowedSocket<'_> {
        let Socket::Tcp(listener) = &self.socket;
        listener.as_socket()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(address: &Address) {
        let mut listener = Listener::bind(address, false, true).unwrap();
        let mut client = Connection::connect(&listener.local_addr().unwrap(), true).unwrap();
        let (server, peer) = listener.accept().unwrap();
        assert_eq!(peer, client.local_addr());
        let is_known = sys::splice::KNOWS_SEGMENTS && address.tcp().is_some();
        assert_eq!(Stream::segment(&server) > 1, is_known);
        client.write_all(b"hello").unwrap();
        let mut bytes = [0; 8];
        assert_eq!(Stream::peek(&server, &mut bytes).unwrap(), 5);
        assert_eq!(server.read(&mut bytes).unwrap(), 5);
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(server.read(&mut bytes).unwrap(), 0);
        assert!(server.take_error().is_none());
    }

    #[test]
    fn both_families_are_used_alike() {
        exchange(&"127.0.0.1:0".parse().unwrap());
        #[cfg(unix)]
        {
            let path = crate::unix::tests::TempPath::new();
            exchange(&format!("unix:{}", path.as_ref().display()).parse().unwrap());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_unix_socket_whose_queue_is_full_is_live() {
        use crate::sys::unix::local;

        let path = crate::unix::tests::TempPath::new();
        let address: Address = format!("unix:{}", path.as_ref().display()).parse().unwrap();
        let Address::Unix(name) = &address else { unreachable!() };
        let listener = local::listen(name, 1).unwrap();
        let clients: Vec<_> = (0..64).map_while(|_| UnixStream::connect_addr(name).ok()).collect();
        assert!(clients.len() < 64, "the queue never fills");
        let error = Listener::bind(&address, false, true).unwrap_err();
        // Where a full queue refuses, it cannot be told from nobody.
        if UnixStream::connect_addr(name).unwrap_err().kind() == io::ErrorKind::WouldBlock {
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
            listener.accept().unwrap();
            UnixStream::connect_addr(name).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_unix_socket_that_was_left_behind_is_replaced_and_a_live_one_is_not() {
        use crate::awaited::awaited;

        let path = crate::unix::tests::TempPath::new();
        let address: Address = format!("unix:{}", path.as_ref().display()).parse().unwrap();
        drop(Listener::bind(&address, false, true).unwrap());
        let _live = awaited(|| Listener::bind(&address, false, true).ok());
        let error = Listener::bind(&address, false, true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        // Only TCP has ports that are shared.
        let error = Listener::bind(&address, true, true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
