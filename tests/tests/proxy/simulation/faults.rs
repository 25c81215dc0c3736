//! Errors below the sockets: the calls that a server makes are defined here, in front of the C library's, and fail
//! now and then.
//!
//! Counts are not cut short here, since a kernel does not do that either: a short read in edge mode has drained the
//! socket. Small buffers in the kernel do it.
#![allow(unsafe_code)]

use std::{
    cell::{Cell, RefCell},
    ffi::{c_int, c_long, c_uint, c_void},
    io, mem,
};

use super::script::Random;

/// How many calls of ten thousand fail, so that the caller has to try again, and for good.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rates {
    pub(super) interrupted: u64,
    pub(super) fatal: u64,
    /// Of `accept`, `connect` and `epoll_ctl`.
    pub(super) opening: u64,
}

/// A call that was made to fail, and not merely interrupted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) call: Call,
    pub(super) fd: c_int,
    pub(super) errno: c_int,
    /// What [`about`] said last.
    pub(super) about: (usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Accept,
    Connect,
    Register,
    Read,
    Write,
}

impl Fault {
    pub(super) fn kind(&self) -> io::ErrorKind {
        io::Error::from_raw_os_error(self.errno).kind()
    }
}

struct Injector {
    random: Random,
    rates: Rates,
    faults: Vec<Fault>,
}

thread_local! {
    static INJECTOR: RefCell<Option<Injector>> = const { RefCell::new(None) };
    static ABOUT: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    /// How many are at work who are to be left alone.
    static CALM: Cell<u32> = const { Cell::new(0) };
}

/// Calls of this thread fail from now on.
pub(super) fn begin(seed: u64, rates: Rates) {
    let injector = Injector { random: Random::new(seed), rates, faults: Vec::new() };
    INJECTOR.set(Some(injector));
}

/// And now they do not any more.
pub(super) fn end() {
    INJECTOR.set(None);
}

/// The faults since this was asked last.
pub(super) fn take() -> Vec<Fault> {
    INJECTOR.with_borrow_mut(|injector| {
        injector.as_mut().map(|injector| mem::take(&mut injector.faults)).unwrap_or_default()
    })
}

/// What the next connection is for: this try of this pair.
pub(super) fn about(pair: usize, number: usize) {
    ABOUT.set((pair, number));
}

/// While this lives, all goes well.
pub(super) struct Calm(());

pub(super) fn calm() -> Calm {
    CALM.set(CALM.get() + 1);
    Calm(())
}

impl Drop for Calm {
    fn drop(&mut self) {
        CALM.set(CALM.get() - 1);
    }
}

/// Whether this call fails. `fatal` are the errors that are told of.
fn fails(call: Call, fd: c_int, passing: &[c_int], fatal: &[c_int]) -> Option<c_int> {
    if CALM.get() > 0 {
        return None;
    }
    let decide = |injector: &mut Option<Injector>| {
        let Injector { random, rates, faults } = injector.as_mut()?;
        let opens = matches!(call, Call::Accept | Call::Connect | Call::Register);
        let rate = if opens { rates.opening } else { rates.fatal };
        let number = random.below(10_000) as u64;
        if number < rate && !fatal.is_empty() {
            let errno = fatal[random.below(fatal.len())];
            faults.push(Fault { call, fd, errno, about: ABOUT.get() });
            return Some(errno);
        }
        let passes = number < rate + rates.interrupted && !passing.is_empty();
        passes.then(|| passing[random.below(passing.len())])
    };
    // Whoever ends the thread may call as well.
    let errno = INJECTOR.try_with(|injector| decide(&mut injector.borrow_mut())).ok().flatten()?;
    // SAFETY: takes nothing.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the place is this thread's own.
    unsafe { *place = errno };
    Some(errno)
}

const AGAIN: &[c_int] = &[libc::EINTR];
const LOST: &[c_int] = &[libc::ECONNRESET, libc::ETIMEDOUT, libc::EHOSTUNREACH, libc::ENOBUFS];

#[unsafe(no_mangle)]
extern "C" fn recv(fd: c_int, buffer: *mut c_void, length: usize, flags: c_int) -> isize {
    if fails(Call::Read, fd, AGAIN, LOST).is_some() {
        return -1;
    }
    // SAFETY: the caller vouches for the buffer; the kernel checks what it is handed.
    unsafe { libc::syscall(libc::SYS_recvfrom, fd, buffer, length, flags, 0, 0) as isize }
}

#[unsafe(no_mangle)]
extern "C" fn send(fd: c_int, buffer: *const c_void, length: usize, flags: c_int) -> isize {
    if fails(Call::Write, fd, AGAIN, LOST).is_some() {
        return -1;
    }
    // SAFETY: the caller vouches for the buffer; the kernel checks what it is handed.
    unsafe { libc::syscall(libc::SYS_sendto, fd, buffer, length, flags, 0, 0) as isize }
}

#[unsafe(no_mangle)]
extern "C" fn splice(
    from: c_int,
    from_at: *mut i64,
    to: c_int,
    to_at: *mut i64,
    length: usize,
    flags: c_uint,
) -> isize {
    // A byte from an empty pipe is a question, of which no error is an error.
    let lost = if length > 1 { LOST } else { &[] };
    let (call, fd) = if is_socket(from) { (Call::Read, from) } else { (Call::Write, to) };
    if fails(call, fd, AGAIN, lost).is_some() {
        return -1;
    }
    // SAFETY: the caller vouches for what it points to; the kernel checks what it is handed.
    unsafe { libc::syscall(libc::SYS_splice, from, from_at, to, to_at, length, flags) as isize }
}

fn is_socket(fd: c_int) -> bool {
    let (mut kind, mut length): (c_int, _) = (0, size_of::<c_int>() as libc::socklen_t);
    let kind = (&raw mut kind).cast();
    // SAFETY: both live across the call, and the length is that of the value.
    unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_TYPE, kind, &raw mut length) == 0 }
}

#[unsafe(no_mangle)]
extern "C" fn accept4(
    fd: c_int,
    address: *mut libc::sockaddr,
    length: *mut libc::socklen_t,
    flags: c_int,
) -> c_int {
    let passing = &[libc::EINTR, libc::ECONNABORTED];
    let shortage = &[libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    if fails(Call::Accept, fd, passing, shortage).is_some() {
        return -1;
    }
    // SAFETY: the caller vouches for both; the kernel checks what it is handed.
    unsafe { libc::syscall(libc::SYS_accept4, fd, address, length, flags) as c_int }
}

#[unsafe(no_mangle)]
extern "C" fn connect(fd: c_int, address: *const libc::sockaddr, length: libc::socklen_t) -> c_int {
    let lost = &[libc::EADDRNOTAVAIL, libc::ENETUNREACH, libc::EAGAIN];
    if fails(Call::Connect, fd, &[], lost).is_some() {
        return -1;
    }
    // SAFETY: the caller vouches for the address; the kernel checks what it is handed.
    unsafe { libc::syscall(libc::SYS_connect, fd, address, c_long::from(length as c_int)) as c_int }
}

#[unsafe(no_mangle)]
extern "C" fn epoll_ctl(
    epoll: c_int,
    operation: c_int,
    fd: c_int,
    event: *mut libc::epoll_event,
) -> c_int {
    let adds = operation == libc::EPOLL_CTL_ADD;
    let lost: &[c_int] = if adds { &[libc::ENOSPC, libc::ENOMEM] } else { &[] };
    if fails(Call::Register, fd, &[], lost).is_some() {
        return -1;
    }
    // SAFETY: the caller vouches for the event; the kernel checks what it is handed.
    unsafe { libc::syscall(libc::SYS_epoll_ctl, epoll, operation, fd, event) as c_int }
}
