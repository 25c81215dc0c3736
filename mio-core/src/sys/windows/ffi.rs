//! Winsock and the console: one function, one call, its error as it comes.
#![allow(unsafe_code)]

use std::{
    io,
    os::windows::io::{AsRawSocket, BorrowedSocket, FromRawSocket, OwnedSocket, RawSocket},
    ptr,
    sync::OnceLock,
};

use windows_sys::Win32::{
    Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation},
    Networking::WinSock::{
        FIONBIO, INVALID_SOCKET, LINGER, SIO_UDP_CONNRESET, SO_CONNECT_TIME, SO_LINGER, SOCKET,
        SOL_SOCKET, WSA_FLAG_NO_HANDLE_INHERIT, WSA_FLAG_OVERLAPPED, WSADATA, WSAGetLastError,
        WSAIoctl, WSASocketW, WSAStartup, bind as wsa_bind, connect as wsa_connect, getsockopt,
        ioctlsocket, listen as wsa_listen, setsockopt,
    },
    System::Console::SetConsoleCtrlHandler,
};

use super::address::Address;

fn raw(socket: BorrowedSocket<'_>) -> SOCKET {
    socket.as_raw_socket() as SOCKET
}

fn check(result: i32) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

fn last_error() -> io::Error {
    // SAFETY: takes no pointer.
    io::Error::from_raw_os_error(unsafe { WSAGetLastError() })
}

/// Starts Winsock, once; it is never stopped, since sockets may be open to the end.
fn start() -> io::Result<()> {
    static STARTED: OnceLock<i32> = OnceLock::new();
    const VERSION: u16 = 0x0202;
    let outcome = *STARTED.get_or_init(|| {
        let mut data = WSADATA::default();
        // SAFETY: `data` lives until the call returns.
        unsafe { WSAStartup(VERSION, &raw mut data) }
    });
    if outcome == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(outcome)) }
}

/// Not inheritable; blocking.
pub(super) fn socket(family: i32, kind: i32) -> io::Result<OwnedSocket> {
    start()?;
    let flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    // SAFETY: takes no pointer.
    let socket = unsafe { WSASocketW(family, kind, 0, ptr::null(), 0, flags) };
    if socket == INVALID_SOCKET {
        return Err(last_error());
    }
    // SAFETY: the system has just opened it for us alone.
    Ok(unsafe { OwnedSocket::from_raw_socket(socket as RawSocket) })
}

pub(super) fn set_nonblocking(socket: BorrowedSocket<'_>) -> io::Result<()> {
    let mut yes = 1;
    // SAFETY: `yes` lives until the call returns.
    check(unsafe { ioctlsocket(raw(socket), FIONBIO, &raw mut yes) })
}

/// Keeps children from inheriting the socket.
pub(super) fn set_uninherited(socket: BorrowedSocket<'_>) -> io::Result<()> {
    let handle = ptr::without_provenance_mut(raw(socket));
    // SAFETY: takes no pointer but a handle, which is open.
    let done = unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
pub(super) fn is_inherited(socket: BorrowedSocket<'_>) -> io::Result<bool> {
    use windows_sys::Win32::Foundation::GetHandleInformation;
    let handle = ptr::without_provenance_mut(raw(socket));
    let mut flags = 0;
    // SAFETY: `flags` lives until the call returns.
    let told = unsafe { GetHandleInformation(handle, &raw mut flags) };
    if told == 0 { Err(io::Error::last_os_error()) } else { Ok(flags & HANDLE_FLAG_INHERIT != 0) }
}

pub(super) fn bind(socket: BorrowedSocket<'_>, address: &Address) -> io::Result<()> {
    let (pointer, length) = address.as_raw();
    // SAFETY: `address` vouches for `length` bytes at `pointer`, which are only read.
    check(unsafe { wsa_bind(raw(socket), pointer, length) })
}

pub(super) fn listen(socket: BorrowedSocket<'_>, backlog: i32) -> io::Result<()> {
    // SAFETY: takes no pointer.
    check(unsafe { wsa_listen(raw(socket), backlog) })
}

pub(super) fn connect(socket: BorrowedSocket<'_>, address: &Address) -> io::Result<()> {
    let (pointer, length) = address.as_raw();
    // SAFETY: `address` vouches for `length` bytes at `pointer`, which are only read.
    check(unsafe { wsa_connect(raw(socket), pointer, length) })
}

/// Sets a socket option whose value is an `int`.
pub(super) fn set_int(
    socket: BorrowedSocket<'_>,
    level: i32,
    name: i32,
    value: i32,
) -> io::Result<()> {
    let size = size_of::<i32>() as i32;
    // SAFETY: the pointer is to the `size` bytes of the parameter, which are only read.
    check(unsafe { setsockopt(raw(socket), level, name, (&raw const value).cast(), size) })
}

/// For how long the socket has been connected; `None` if it is not.
#[inline]
pub(super) fn connected_seconds(socket: BorrowedSocket<'_>) -> io::Result<Option<u32>> {
    let mut seconds = 0_u32;
    let mut size = size_of::<u32>() as i32;
    let value = (&raw mut seconds).cast();
    // SAFETY: `value` points to the `size` bytes of `seconds`; both live until the call returns.
    check(unsafe { getsockopt(raw(socket), SOL_SOCKET, SO_CONNECT_TIME, value, &raw mut size) })?;
    Ok((seconds != u32::MAX).then_some(seconds))
}

/// Sets `SO_LINGER`, in seconds; `None` turns it off.
pub(super) fn set_linger(socket: BorrowedSocket<'_>, seconds: Option<u16>) -> io::Result<()> {
    let linger =
        LINGER { l_onoff: u16::from(seconds.is_some()), l_linger: seconds.unwrap_or_default() };
    let size = size_of::<LINGER>() as i32;
    let value = (&raw const linger).cast();
    // SAFETY: `value` points to the `size` bytes of `linger`, which are only read.
    check(unsafe { setsockopt(raw(socket), SOL_SOCKET, SO_LINGER, value, size) })
}

/// Keeps an unreachable peer from making a later receive fail.
pub(super) fn ignore_unreachable(socket: BorrowedSocket<'_>) -> io::Result<()> {
    let no = 0_u32;
    let mut written = 0;
    // SAFETY: both live until the call returns, which without an OVERLAPPED is when it is done; `no` is only read.
    check(unsafe {
        WSAIoctl(
            raw(socket),
            SIO_UDP_CONNRESET,
            (&raw const no).cast(),
            size_of_val(&no) as u32,
            ptr::null_mut(),
            0,
            &raw mut written,
            ptr::null_mut(),
            None,
        )
    })
}

/// What hears of console control events; it answers whether it has seen to one, and runs in a thread of its own.
pub(super) type ControlHandler = extern "system" fn(u32) -> i32;

/// Adds a handler, or takes it out again.
pub(super) fn set_control_handler(handler: ControlHandler, add: bool) -> io::Result<()> {
    // SAFETY: the handler is a function, which is always there and may be called by any thread with any number.
    let done = unsafe { SetConsoleCtrlHandler(Some(handler), i32::from(add)) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
