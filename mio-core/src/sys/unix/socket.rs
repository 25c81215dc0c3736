//! Sockets: IPv4 and IPv6 here, Unix ones in [`local`](super::local).

use std::{
    io, mem,
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use libc::c_int;

use super::{address::Address, ffi, flag_late, refused};
use crate::{
    sync::global::{AtomicBool, Ordering},
    sys::{NO_SIGPIPE, REFUSING, REUSE_PORT, born},
};

/// Binds and listens: `socket`, `setsockopt`, `bind`, `listen`.
pub(crate) fn tcp_listen(
    address: SocketAddr,
    backlog: u32,
    reuse_port: bool,
    only_v6: Option<bool>,
) -> io::Result<TcpListener> {
    let address = Address::of_ip(&address);
    let socket = open(address.family(), libc::SOCK_STREAM)?;
    ffi::set_int(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    if reuse_port {
        let option = REUSE_PORT.ok_or(io::ErrorKind::Unsupported)?;
        ffi::set_int(&socket, libc::SOL_SOCKET, option, 1)?;
    }
    if let (Some(only_v6), libc::AF_INET6) = (only_v6, address.family()) {
        let value = c_int::from(only_v6);
        ffi::set_int(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, value)?;
    }
    listen(socket, &address, backlog).map(TcpListener::from)
}

/// One system call.
#[inline]
pub(crate) fn tcp_accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let mut address = Address::room_for_ip();
    let stream = accept(listener, &mut address)?;
    Ok((TcpStream::from(stream), address.to_ip()?))
}

/// Starts to connect: `socket`, `bind` if there is a local address, `connect`.
#[inline]
pub(crate) fn tcp_connect(local: Option<SocketAddr>, peer: SocketAddr) -> io::Result<TcpStream> {
    let peer = Address::of_ip(&peer);
    let socket = open(peer.family(), libc::SOCK_STREAM)?;
    if let Some(local) = local {
        ffi::bind(socket.as_fd(), &Address::of_ip(&local))?;
    }
    connect(socket, &peer).map(TcpStream::from)
}

/// What `std`'s `read` of a stream does, in fewer instructions.
#[inline(always)]
pub(crate) fn receive(stream: &impl AsRawFd, buffer: &mut [u8]) -> io::Result<usize> {
    ffi::recv(stream, buffer, 0)
}

/// What `std`'s `write` to a stream does, in fewer instructions.
#[inline(always)]
pub(crate) fn send(stream: &impl AsRawFd, bytes: &[u8]) -> io::Result<usize> {
    ffi::send(stream, bytes)
}

/// What `std`'s `set_nodelay` does, in fewer instructions.
#[inline]
pub(crate) fn set_nodelay(stream: &TcpStream, nodelay: bool) -> io::Result<()> {
    ffi::set_int(stream, libc::IPPROTO_TCP, libc::TCP_NODELAY, c_int::from(nodelay))
}

/// What `std`'s `shutdown` of the writing half does, in fewer instructions.
#[inline]
pub(crate) fn shut_writing(stream: &impl AsRawFd) -> io::Result<()> {
    ffi::shut_writing(stream)
}

/// Whether the connection is made. `getpeername` succeeds if and only if it is, whether or not there is an error to take.
#[inline]
pub(crate) fn is_connected(stream: &TcpStream) -> io::Result<bool> {
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

/// In seconds.
pub(crate) fn set_linger(stream: &TcpStream, linger: Option<u64>) -> io::Result<()> {
    let linger = linger.map(|seconds| c_int::try_from(seconds).unwrap_or(c_int::MAX));
    ffi::set_linger(stream.as_fd(), linger)
}

/// `socket` and `bind`.
pub(crate) fn udp_bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let address = Address::of_ip(&address);
    let socket = open(address.family(), libc::SOCK_DGRAM)?;
    ffi::bind(socket.as_fd(), &address)?;
    Ok(UdpSocket::from(socket))
}

#[inline]
pub(super) fn open(domain: c_int, kind: c_int) -> io::Result<OwnedFd> {
    let socket = ffi::socket(domain, kind)?;
    if born::SOCKET != 0 { Ok(socket) } else { flag_socket_late(socket) }
}

pub(super) fn pair(domain: c_int, kind: c_int) -> io::Result<(OwnedFd, OwnedFd)> {
    let (one, other) = ffi::socket_pair(domain, kind)?;
    if born::SOCKET != 0 {
        Ok((one, other))
    } else {
        Ok((flag_socket_late(one)?, flag_socket_late(other)?))
    }
}

/// The kernel cuts the backlog to its own bound.
pub(super) fn listen(socket: OwnedFd, address: &Address, backlog: u32) -> io::Result<OwnedFd> {
    ffi::bind(socket.as_fd(), address)?;
    ffi::listen(socket.as_fd(), c_int::try_from(backlog).unwrap_or(c_int::MAX))?;
    Ok(socket)
}

/// In progress is as good as connected.
#[inline]
pub(super) fn connect(socket: OwnedFd, peer: &Address) -> io::Result<OwnedFd> {
    match ffi::connect(socket.as_fd(), peer) {
        Ok(()) => Ok(socket),
        Err(error) => match error.raw_os_error() {
            Some(libc::EINPROGRESS | libc::EINTR) => {
                // A number, as it is with every connection: there is nothing to drop.
                mem::forget(error);
                Ok(socket)
            }
            _ => Err(error),
        },
    }
}

/// Accepts in one system call; in four where `accept4` is refused.
#[inline(always)]
pub(super) fn accept(listener: &impl AsRawFd, address: &mut Address) -> io::Result<OwnedFd> {
    match accept_once(listener, address) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            uninterrupted(|| accept_once(listener, address))
        }
        outcome => outcome,
    }
}

#[cold]
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Set when `accept4` was refused and `accept` was not.
// Relaxed: it guards nothing; who reads it too early makes a refused call.
static ACCEPT4_REFUSED: AtomicBool = AtomicBool::new(REFUSING);

#[inline(always)]
fn accept_once(listener: &impl AsRawFd, address: &mut Address) -> io::Result<OwnedFd> {
    if !ACCEPT4_REFUSED.load(Ordering::Relaxed) {
        match born::accept4(listener, address) {
            Err(error) if refused(&error) => {}
            outcome => return outcome,
        }
    }
    let accepted = accept_late(listener, address)?;
    // Only now: EPERM is also what a firewall answers, and then to both calls.
    ACCEPT4_REFUSED.store(true, Ordering::Relaxed);
    Ok(accepted)
}

#[cold]
fn accept_late(listener: &impl AsRawFd, address: &mut Address) -> io::Result<OwnedFd> {
    flag_socket_late(ffi::accept(listener, address)?)
}

fn flag_socket_late(socket: OwnedFd) -> io::Result<OwnedFd> {
    if let Some(option) = NO_SIGPIPE {
        ffi::set_int(&socket, libc::SOL_SOCKET, option, 1)?;
    }
    flag_late(socket)
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, net::TcpStream};

    use super::{Address, accept_late, tcp_listen, uninterrupted};
    use crate::sys::unix::is_flagged;

    #[test]
    fn what_is_interrupted_is_tried_again_and_other_errors_are_told() {
        let mut outcomes =
            [Err(ErrorKind::Interrupted), Err(ErrorKind::Interrupted), Ok(7)].into_iter();
        let mut next = || outcomes.next().unwrap_or(Err(ErrorKind::WouldBlock)).map_err(Into::into);
        assert_eq!(uninterrupted(&mut next).unwrap(), 7);
        assert_eq!(uninterrupted(&mut next).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn without_accept4_a_connection_gets_its_flags_late() {
        let listener = tcp_listen("127.0.0.1:0".parse().unwrap(), 8, false, None).unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut address = Address::room();
        let socket = accept_late(&listener, &mut address).unwrap();
        assert!(is_flagged(&socket));
        assert_eq!(address.to_ip().unwrap(), peer.local_addr().unwrap());
    }
}
