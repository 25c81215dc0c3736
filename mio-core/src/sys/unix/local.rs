//! Unix sockets, which are local to the machine.

use std::{
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream},
    },
};

use super::{
    address::{Address, unnamed},
    ffi, socket,
};

/// `socket`, `bind`, `listen`.
pub(crate) fn listen(address: &SocketAddr, backlog: u32) -> io::Result<UnixListener> {
    let socket = socket::open(libc::AF_UNIX, libc::SOCK_STREAM)?;
    socket::listen(socket, &Address::of_local(address), backlog).map(UnixListener::from)
}

/// One system call; two if the peer has a name that `std` cannot build from its parts.
#[inline]
pub(crate) fn accept(listener: &UnixListener) -> io::Result<(UnixStream, SocketAddr)> {
    let mut address = Address::room();
    let stream = socket::accept(listener, &mut address)?;
    let stream = UnixStream::from(stream);
    // A connection is not lost for the name of its peer.
    let address = address.to_local().or_else(|_| stream.peer_addr()).or_else(|_| unnamed())?;
    Ok((stream, address))
}

/// `socket` and `connect`, which ends at once either way.
pub(crate) fn connect(peer: &SocketAddr) -> io::Result<UnixStream> {
    let socket = socket::open(libc::AF_UNIX, libc::SOCK_STREAM)?;
    socket::connect(socket, &Address::of_local(peer)).map(UnixStream::from)
}

pub(crate) fn stream_pair() -> io::Result<(UnixStream, UnixStream)> {
    let (one, other) = socket::pair(libc::AF_UNIX, libc::SOCK_STREAM)?;
    Ok((one.into(), other.into()))
}

/// Receives and leaves the bytes where they are, which `std` cannot do yet.
#[inline]
pub(crate) fn peek(stream: &UnixStream, buffer: &mut [u8]) -> io::Result<usize> {
    ffi::recv(stream, buffer, libc::MSG_PEEK)
}

pub(crate) fn datagram() -> io::Result<UnixDatagram> {
    socket::open(libc::AF_UNIX, libc::SOCK_DGRAM).map(UnixDatagram::from)
}

/// `socket` and `bind`.
pub(crate) fn datagram_bind(address: &SocketAddr) -> io::Result<UnixDatagram> {
    let socket: OwnedFd = datagram()?.into();
    ffi::bind(socket.as_fd(), &Address::of_local(address))?;
    Ok(socket.into())
}

pub(crate) fn datagram_pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
    let (one, other) = socket::pair(libc::AF_UNIX, libc::SOCK_DGRAM)?;
    Ok((one.into(), other.into()))
}

#[cfg(test)]
mod tests {
    use std::os::{fd::AsFd, unix::net::SocketAddr};

    use super::{Address, accept, ffi, listen, socket};
    use crate::{sys::abstract_names::SocketAddrExt, unix::tests::TempPath};

    /// The address that `accept` tells of a peer that is bound to `name`.
    fn told(name: &SocketAddr) -> SocketAddr {
        let path = TempPath::new();
        let address = SocketAddr::from_pathname(&path).unwrap();
        let listener = listen(&address, 8).unwrap();
        let peer = socket::open(libc::AF_UNIX, libc::SOCK_STREAM).unwrap();
        ffi::bind(peer.as_fd(), &Address::of_local(name)).unwrap();
        ffi::connect(peer.as_fd(), &Address::of_local(&address)).unwrap();
        let (stream, told) = accept(&listener).unwrap();
        assert_eq!(stream.peer_addr().unwrap().as_pathname(), told.as_pathname());
        told
    }

    #[test]
    fn accept_tells_the_path_of_a_peer() {
        let path = TempPath::new();
        let name = SocketAddr::from_pathname(&path).unwrap();
        assert_eq!(told(&name).as_pathname(), Some(path.as_ref()));
    }

    #[test]
    fn accept_tells_the_abstract_name_of_a_peer() {
        let name = [b"peer \0 ".as_slice(), &std::process::id().to_ne_bytes()].concat();
        let Ok(address) = <SocketAddr as SocketAddrExt>::from_abstract_name(&name) else { return };
        assert_eq!(told(&address).as_abstract_name(), Some(name.as_slice()));
    }
}
