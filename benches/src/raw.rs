//! The yardstick: an event loop written by hand over libc's epoll, as lean as care allows.
//!
//! What the bars of this project are measured against must not be a straw man, nor a toy that leaves
//! out what no server can leave out. So this file is frozen: it changes only for a fault, in a commit
//! of its own that says which, and never together with mio-core.
//!
//! What it does, because every handwritten loop that carries real work does it:
//!
//! - It waits without a timeout, through libc's wrapper, into a buffer of 1,024 events on the stack,
//!   and goes round again on `EINTR`.
//! - It tells its sources apart by a `match` on the 64-bit token: an eventfd, by which another thread
//!   could stop it, the listener, and everything else, which is an index into a table. The index is
//!   checked against the table's length, as any safe program's is.
//! - It looks at the readiness before it acts. `EPOLLERR` and `EPOLLHUP` count as readable, so that the
//!   read finds the error out; a loop that did not would spin or leak on a reset.
//! - It registers in edge mode, once. Interest never changes afterwards, so that steady state is one
//!   wait a batch and nothing but the work for each event.
//!
//! What it leaves out, because a program can be right without it: timers, a queue, signals, fairness,
//! generations in its tokens, a handler to call. Those are what an event loop sells, and the bars say
//! how much it may ask for them: 30 user instructions a turn and 8 an event.
//!
//! The work itself (`Chain`, `Echo`) is the same inlined code under every synchronous peer, so that a
//! difference between two peers is the loop's own and nothing else. Both loops are written out, not
//! one made generic over the work, since that is how one would write them.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use libc::{EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, epoll_event};

use crate::chain::Chain;
use crate::echo::{Echo, LISTENER};
use crate::measure::{Cost, measure};
use crate::os;

const STOP: u64 = 1 << 33;
const READABLE: u32 = (EPOLLIN | EPOLLERR | EPOLLHUP) as u32;
const WRITABLE: u32 = (EPOLLOUT | EPOLLERR | EPOLLHUP) as u32;
const EVENTS: usize = 1024;

type Events = [MaybeUninit<epoll_event>; EVENTS];

/// The many-pipes chain.
pub fn pipes(chain: &mut Chain) -> Cost {
    let epoll = new_epoll();
    let stop = os::eventfd(0);
    add(&epoll, stop.as_raw_fd(), STOP, EPOLLIN);
    for (token, &reader) in chain.readers().iter().enumerate() {
        add(&epoll, reader, token as u64, EPOLLIN | EPOLLET);
    }
    measure(|| {
        chain.start();
        run_pipes(&epoll, chain);
    })
}

// Each loop is a function of its own, as it would be in a program: what is around the measuring has
// no say in its registers.
#[inline(never)]
fn run_pipes(epoll: &OwnedFd, chain: &mut Chain) {
    let mut events: Events = [MaybeUninit::uninit(); EVENTS];
    loop {
        for event in wait(epoll, &mut events) {
            match event.u64 {
                STOP => return,
                token => {
                    if event.events & READABLE != 0 && chain.readable(token as usize) {
                        return;
                    }
                }
            }
        }
    }
}

/// TCP echo.
pub fn echo(echo: &mut Echo) -> Cost {
    let epoll = new_epoll();
    let stop = os::eventfd(0);
    add(&epoll, stop.as_raw_fd(), STOP, EPOLLIN);
    add(&epoll, echo.listener.as_raw_fd(), LISTENER, EPOLLIN);
    for (token, connection) in echo.connections.iter().enumerate() {
        let interest = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        add(&epoll, connection.stream.as_raw_fd(), token as u64, interest);
    }
    measure(|| run_echo(&epoll, echo))
}

#[inline(never)]
fn run_echo(epoll: &OwnedFd, echo: &mut Echo) {
    let mut events: Events = [MaybeUninit::uninit(); EVENTS];
    loop {
        for event in wait(epoll, &mut events) {
            match event.u64 {
                STOP => return,
                LISTENER => echo.accept(),
                token => {
                    let bits = event.events;
                    if bits & READABLE != 0 && echo.readable(token as usize) {
                        return;
                    }
                    if bits & WRITABLE != 0 && echo.writable(token as usize) {
                        return;
                    }
                }
            }
        }
    }
}

/// The events of one wait: at least one, unless a signal cut it short.
#[inline(always)]
fn wait<'a>(epoll: &OwnedFd, events: &'a mut Events) -> &'a [epoll_event] {
    let buffer = events.as_mut_ptr().cast::<epoll_event>();
    // SAFETY: the buffer has room for as many events as the call is told.
    let ready = unsafe { libc::epoll_wait(epoll.as_raw_fd(), buffer, EVENTS as i32, -1) };
    if ready < 0 {
        interrupted();
        return &[];
    }
    // SAFETY: the kernel has filled in the first `ready` events, and they are borrowed from `events`.
    unsafe { std::slice::from_raw_parts(buffer, ready as usize) }
}

#[cold]
fn interrupted() {
    let error = io::Error::last_os_error();
    assert_eq!(error.kind(), io::ErrorKind::Interrupted, "epoll_wait: {error}");
}

fn new_epoll() -> OwnedFd {
    // SAFETY: the call takes no memory.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    assert!(fd >= 0, "epoll_create1: {}", io::Error::last_os_error());
    // SAFETY: a new descriptor that nobody else owns.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

fn add(epoll: &OwnedFd, fd: RawFd, token: u64, interest: i32) {
    let mut event = epoll_event { events: interest as u32, u64: token };
    // SAFETY: the event lives across the call, which only reads it.
    let result = unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) };
    assert_eq!(result, 0, "epoll_ctl: {}", io::Error::last_os_error());
}
