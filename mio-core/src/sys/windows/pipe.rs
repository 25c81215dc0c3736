//! Pipes, which on Windows are connected sockets: its own pipes cannot be waited for beside sockets.

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
};

/// What both ends are to `std`.
pub(crate) type End = TcpStream;

/// Reading and writing end, connected over loopback; non-blocking and not inheritable.
pub(crate) fn new() -> io::Result<(End, End)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let writer = TcpStream::connect(listener.local_addr()?)?;
    let reader = accept(&listener, &writer)?;
    writer.set_nodelay(true)?;
    for end in [&reader, &writer] {
        end.set_nonblocking(true)?;
        super::ffi::set_uninherited(std::os::windows::io::AsSocket::as_socket(end))?;
    }
    Ok((reader, writer))
}

/// Anybody on this machine can connect to the listener: others are turned away.
fn accept(listener: &TcpListener, peer: &TcpStream) -> io::Result<TcpStream> {
    let expected = peer.local_addr()?;
    loop {
        let (stream, address) = listener.accept()?;
        if address == expected {
            return Ok(stream);
        }
    }
}
