//! There are no sockets to open.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    time::Duration,
};

pub(crate) fn tcp_listen(
    _address: SocketAddr,
    _backlog: u32,
    _reuse_port: bool,
    _only_v6: Option<bool>,
) -> io::Result<TcpListener> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn tcp_accept(_listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn tcp_connect(_local: Option<SocketAddr>, _peer: SocketAddr) -> io::Result<TcpStream> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn set_linger(_stream: &TcpStream, _linger: Option<Duration>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn udp_bind(_address: SocketAddr) -> io::Result<UdpSocket> {
    Err(io::ErrorKind::Unsupported.into())
}
