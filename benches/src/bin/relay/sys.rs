//! The calls of the kernel, each in as few instructions as libc allows.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddrV4;
use std::os::fd::RawFd;
use std::ptr;

use libc::{SOCK_CLOEXEC, SOCK_NONBLOCK, epoll_event};

use crate::EVENTS;

/// Why a call moved nothing.
pub enum Trouble {
    /// Nothing there, or no room: an edge will come.
    Later,
    Broken,
}

pub fn epoll() -> RawFd {
    // SAFETY: the call takes no memory.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    assert!(fd >= 0, "epoll_create1: {}", io::Error::last_os_error());
    fd
}

/// The events of one wait; none if a signal cut it short.
#[inline(always)]
pub fn wait(epoll: RawFd, events: &mut [epoll_event; EVENTS]) -> &[epoll_event] {
    // SAFETY: the buffer has room for as many events as the call is told.
    let ready = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), EVENTS as i32, -1) };
    &events[..ready.max(0) as usize]
}

#[inline(always)]
pub fn add(epoll: RawFd, fd: RawFd, token: u64, interest: i32) {
    let mut event = epoll_event { events: interest as u32, u64: token };
    // SAFETY: the event lives across the call, which only reads it.
    let result = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &mut event) };
    assert_eq!(result, 0, "epoll_ctl");
}

pub fn address(address: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
        sin_zero: [0; 8],
    }
}

pub fn listen(at: SocketAddrV4) -> RawFd {
    let fd = socket().expect("a socket");
    let (on, at) = (1i32, address(at));
    // SAFETY: the option's value lives across the call and is as long as it says.
    let reuse = unsafe {
        let (level, name) = (libc::SOL_SOCKET, libc::SO_REUSEADDR);
        libc::setsockopt(fd, level, name, ptr::from_ref(&on).cast(), 4)
    };
    // SAFETY: the address lives across the call and is as long as it says.
    let bound = unsafe { libc::bind(fd, ptr::from_ref(&at).cast(), size_of_val(&at) as u32) };
    // SAFETY: the call takes no memory.
    let listens = unsafe { libc::listen(fd, 4096) };
    assert_eq!([reuse, bound, listens], [0; 3], "listen: {}", io::Error::last_os_error());
    fd
}

fn socket() -> Option<RawFd> {
    let kind = libc::SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    // SAFETY: the call takes no memory.
    let fd = unsafe { libc::socket(libc::AF_INET, kind, 0) };
    (fd >= 0).then_some(fd)
}

#[inline(always)]
pub fn accept(listener: RawFd) -> Option<RawFd> {
    let flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    // SAFETY: no address is asked for, so that no memory is written.
    let fd = unsafe { libc::accept4(listener, ptr::null_mut(), ptr::null_mut(), flags) };
    (fd >= 0).then_some(fd)
}

#[inline(always)]
pub fn connect(to: &libc::sockaddr_in) -> Option<RawFd> {
    let fd = socket()?;
    // SAFETY: the address lives across the call and is as long as it says.
    let result = unsafe { libc::connect(fd, ptr::from_ref(to).cast(), size_of_val(to) as u32) };
    if result < 0 && errno() != libc::EINPROGRESS {
        close(fd);
        return None;
    }
    Some(fd)
}

#[inline(always)]
pub fn nodelay(fd: RawFd) {
    let on = 1i32;
    // SAFETY: the option's value lives across the call and is as long as it says.
    unsafe {
        let (level, name) = (libc::IPPROTO_TCP, libc::TCP_NODELAY);
        libc::setsockopt(fd, level, name, ptr::from_ref(&on).cast(), 4);
    }
}

#[inline(always)]
pub fn recv(fd: RawFd, into: &mut [u8]) -> Result<usize, Trouble> {
    // SAFETY: the buffer is as long as the call is told.
    moved(|| unsafe { libc::recv(fd, into.as_mut_ptr().cast(), into.len(), 0) })
}

#[inline(always)]
pub fn send(fd: RawFd, bytes: &[u8]) -> Result<usize, Trouble> {
    // SAFETY: the bytes are as many as the call is told.
    moved(|| unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) })
}

#[inline(always)]
pub fn splice(from: RawFd, to: RawFd, length: usize) -> Result<usize, Trouble> {
    let flags = libc::SPLICE_F_MOVE | libc::SPLICE_F_NONBLOCK;
    // SAFETY: without offsets the call reads and writes no memory of ours.
    moved(|| unsafe { libc::splice(from, ptr::null_mut(), to, ptr::null_mut(), length, flags) })
}

#[inline(always)]
fn moved(mut call: impl FnMut() -> isize) -> Result<usize, Trouble> {
    loop {
        let result = call();
        if result >= 0 {
            return Ok(result as usize);
        }
        match errno() {
            libc::EINTR => {}
            libc::EAGAIN => return Err(Trouble::Later),
            _ => return Err(Trouble::Broken),
        }
    }
}

pub fn pipe() -> Option<(RawFd, RawFd)> {
    let mut ends = MaybeUninit::<[RawFd; 2]>::uninit();
    let flags = libc::O_NONBLOCK | libc::O_CLOEXEC;
    // SAFETY: the array has room for the two numbers that the call writes.
    let result = unsafe { libc::pipe2(ends.as_mut_ptr().cast(), flags) };
    // SAFETY: the call succeeded, so both are written.
    (result == 0).then(|| unsafe { ends.assume_init() }).map(|[reader, writer]| (reader, writer))
}

#[inline(always)]
pub fn shutdown(fd: RawFd) {
    // SAFETY: the call takes no memory.
    unsafe { libc::shutdown(fd, libc::SHUT_WR) };
}

#[inline(always)]
pub fn close(fd: RawFd) {
    // SAFETY: the number is that of a stream or a pipe of ours, which nobody uses from here on.
    unsafe { libc::close(fd) };
}

#[inline(always)]
fn errno() -> i32 {
    // SAFETY: libc's pointer to the calling thread's own number is always valid.
    unsafe { *libc::__errno_location() }
}
