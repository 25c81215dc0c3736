//! Sockets that the host has handed over, by `std`, which also knows where there are none.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
};

pub(crate) fn tcp_listen(
    _address: SocketAddr,
    _backlog: u32,
    _reuse_port: bool,
    _only_v6: Option<bool>,
) -> io::Result<TcpListener> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Two calls. The address is 0.0.0.0:0: WASI does not tell it.
pub(crate) fn tcp_accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, address) = listener.accept()?;
    stream.set_nonblocking(true)?;
    Ok((stream, address))
}

pub(crate) fn tcp_connect(_local: Option<SocketAddr>, _peer: SocketAddr) -> io::Result<TcpStream> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn receive(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    stream.read(buffer)
}

pub(crate) fn send(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    stream.write(bytes)
}

pub(crate) fn set_nodelay(stream: &TcpStream, nodelay: bool) -> io::Result<()> {
    stream.set_nodelay(nodelay)
}

pub(crate) fn shut_writing(stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)
}

/// Whoever hands a socket over has connected it.
pub(crate) fn is_connected(stream: &TcpStream) -> io::Result<bool> {
    stream.peer_addr().map(|_| true)
}

pub(crate) fn set_linger(_stream: &TcpStream, _linger: Option<u64>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn udp_bind(_address: SocketAddr) -> io::Result<UdpSocket> {
    Err(io::ErrorKind::Unsupported.into())
}
