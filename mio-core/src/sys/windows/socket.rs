//! Sockets: IPv4 and IPv6.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::windows::io::{AsSocket, OwnedSocket},
};

use windows_sys::Win32::Networking::WinSock::{
    AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, SOCK_DGRAM, SOCK_STREAM,
};

use super::{address::Address, ffi};

/// `Unsupported` to share a port: `SO_REUSEADDR` would let anybody steal it. Nor is that needed to bind again
/// while old connections linger on.
pub(crate) fn tcp_listen(
    address: SocketAddr,
    backlog: u32,
    reuse_port: bool,
    only_v6: Option<bool>,
) -> io::Result<TcpListener> {
    if reuse_port {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let address = Address::of(&address);
    let socket = open(&address, SOCK_STREAM)?;
    if let (Some(only_v6), true) = (only_v6, address.family() == i32::from(AF_INET6)) {
        ffi::set_int(socket.as_socket(), IPPROTO_IPV6, IPV6_V6ONLY, i32::from(only_v6))?;
    }
    ffi::bind(socket.as_socket(), &address)?;
    ffi::listen(socket.as_socket(), i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// Two calls. The connection does not block, as its listener.
pub(crate) fn tcp_accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, address) = listener.accept()?;
    ffi::set_uninherited(stream.as_socket())?;
    Ok((stream, address))
}

/// Starts to connect.
pub(crate) fn tcp_connect(local: Option<SocketAddr>, peer: SocketAddr) -> io::Result<TcpStream> {
    let peer = Address::of(&peer);
    let socket = open(&peer, SOCK_STREAM)?;
    if let Some(local) = local {
        ffi::bind(socket.as_socket(), &Address::of(&local))?;
    }
    match ffi::connect(socket.as_socket(), &peer) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        _ => Ok(socket.into()),
    }
}

/// What `std`'s `read` of a stream does.
#[inline]
pub(crate) fn receive(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    stream.read(buffer)
}

/// What `std`'s `write` to a stream does.
#[inline]
pub(crate) fn send(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    stream.write(bytes)
}

pub(crate) fn set_nodelay(stream: &TcpStream, nodelay: bool) -> io::Result<()> {
    stream.set_nodelay(nodelay)
}

pub(crate) fn shut_writing(stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)
}

/// Whether the connection is made, as `SO_CONNECT_TIME` tells: `getpeername` may have the peer's address before, as under
/// Wine 10.
#[inline]
pub(crate) fn is_connected(stream: &TcpStream) -> io::Result<bool> {
    ffi::connected_seconds(stream.as_socket()).map(|seconds| seconds.is_some())
}

/// In seconds.
pub(crate) fn set_linger(stream: &TcpStream, linger: Option<u64>) -> io::Result<()> {
    let linger = linger.map(|seconds| u16::try_from(seconds).unwrap_or(u16::MAX));
    ffi::set_linger(stream.as_socket(), linger)
}

/// A peer that nobody listens at goes unnoticed: otherwise one such peer would make the socket fail for all.
pub(crate) fn udp_bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let address = Address::of(&address);
    let socket = open(&address, SOCK_DGRAM)?;
    ffi::ignore_unreachable(socket.as_socket())?;
    ffi::bind(socket.as_socket(), &address)?;
    Ok(socket.into())
}

fn open(address: &Address, kind: i32) -> io::Result<OwnedSocket> {
    let socket = ffi::socket(address.family(), kind)?;
    ffi::set_nonblocking(socket.as_socket())?;
    Ok(socket)
}
