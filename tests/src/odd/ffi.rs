//! What `std` does not do with a socket.
#![allow(unsafe_code)]

use std::net::TcpStream;
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
#[cfg(windows)]
use std::os::windows::io::{AsRawSocket, BorrowedSocket, RawSocket};

/// Sends one byte out of band.
///
/// # Panics
/// If it cannot be sent.
pub fn send_out_of_band(stream: &TcpStream, byte: u8) {
    #[cfg(unix)]
    // SAFETY: the byte lives across the call.
    let sent =
        unsafe { libc::send(stream.as_raw_fd(), (&raw const byte).cast(), 1, libc::MSG_OOB) };
    #[cfg(windows)]
    // SAFETY: the byte lives across the call.
    let sent = unsafe { send(stream.as_raw_socket(), &raw const byte, 1, MSG_OOB) };
    assert_eq!(sent, 1);
}

/// Has the system keep no more than about so many bytes of what this socket sends, and of what it gets, which are else
/// as many as it sees fit. What a listener was told goes for those whom it accepts. See socket(7).
///
/// # Panics
/// If the system refuses.
#[cfg(unix)]
pub fn small_buffers(socket: impl AsFd, bytes: i32) {
    for option in [libc::SO_SNDBUF, libc::SO_RCVBUF] {
        let descriptor = socket.as_fd().as_raw_fd();
        let value = (&raw const bytes).cast();
        let length = size_of::<i32>() as libc::socklen_t;
        // SAFETY: the value lives across the call, and is as long as that is told.
        let set = unsafe { libc::setsockopt(descriptor, libc::SOL_SOCKET, option, value, length) };
        assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
    }
}

#[cfg(windows)]
const MSG_OOB: i32 = 1;

#[cfg(windows)]
#[link(name = "ws2_32")]
unsafe extern "system" {
    fn send(socket: RawSocket, bytes: *const u8, length: i32, flags: i32) -> i32;
}

/// A descriptor that is not open: its number is above any that the system gives away.
#[cfg(unix)]
#[must_use]
pub fn closed() -> BorrowedFd<'static> {
    // SAFETY: nothing is borrowed that exists.
    unsafe { BorrowedFd::borrow_raw(i32::MAX - 1) }
}

/// A socket that is not open: its number is none that the system gives away.
#[cfg(windows)]
#[must_use]
pub fn closed() -> BorrowedSocket<'static> {
    // SAFETY: nothing is borrowed that exists.
    unsafe { BorrowedSocket::borrow_raw(0x7FFF_FFF0) }
}
