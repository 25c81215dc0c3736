//! What `std` does not do with a socket.
#![allow(unsafe_code)]

use std::net::TcpStream;
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
#[cfg(windows)]
use std::os::windows::io::{AsRawSocket, AsSocket, BorrowedSocket, RawSocket};

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

/// Has the system keep no more than so many bytes of what this socket sends, and of what it gets. What a listener was
/// told goes for those whom it accepts.
///
/// # Panics
/// If the system refuses.
#[cfg(windows)]
pub fn small_buffers(socket: impl AsSocket, bytes: i32) {
    for option in [SO_SNDBUF, SO_RCVBUF] {
        let socket = socket.as_socket().as_raw_socket();
        let value = (&raw const bytes).cast();
        // SAFETY: the value lives across the call, and is as long as that is told.
        let set = unsafe { setsockopt(socket, SOL_SOCKET, option, value, size_of::<i32>() as i32) };
        assert_eq!(set, 0);
    }
}

#[cfg(windows)]
const MSG_OOB: i32 = 1;
#[cfg(windows)]
const SOL_SOCKET: i32 = 0xFFFF;
#[cfg(windows)]
const SO_SNDBUF: i32 = 0x1001;
#[cfg(windows)]
const SO_RCVBUF: i32 = 0x1002;

#[cfg(windows)]
#[link(name = "ws2_32")]
unsafe extern "system" {
    fn send(socket: RawSocket, bytes: *const u8, length: i32, flags: i32) -> i32;
    fn setsockopt(socket: RawSocket, level: i32, name: i32, value: *const u8, length: i32) -> i32;
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
