//! The yardstick of the proxies: `relay copy|splice --listen ADDR --upstream ADDR`, a TCP relay written
//! by hand over libc's epoll, as lean as care allows.
//!
//! What the bars are measured against must be no straw man, nor a toy that leaves out what no relay
//! can leave out. So these files are frozen: they change only for a fault, in a commit of its own
//! that says which, and never together with mio-core.
//!
//! What it does, because every relay that carries real work does it:
//!
//! - A half-close is passed on as a half-close; a pair ends when both ways have. An error ends both.
//! - Nothing is read that could not be written; what the sink did not take is held.
//! - Both streams are registered once, in edge mode, for both directions. A short read has drained
//!   the source unless its end was announced, a short write has filled the sink.
//! - Both streams send at once (`TCP_NODELAY`), as those of every peer do.
//! - Pairs that ended are closed after the batch, so that an event never finds a number used anew.
//! - Out of descriptors it closes the client and goes on.
//!
//! What it leaves out, because a program can be right without it: timeouts, fairness, limits, a drain,
//! signals, counters, names instead of addresses.

#[path = "../../proxies/arguments.rs"]
mod arguments;
mod copy;
mod splice;
mod sys;

use std::net::SocketAddrV4;
use std::os::fd::RawFd;

use libc::{EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, epoll_event};

/// How much is moved at a time, by every peer.
const BUFFER_BYTES: usize = 64 * 1024;
const EVENTS: usize = 1024;
const ACCEPTS_PER_TURN: usize = 64;
const LISTENER: u64 = u64::MAX;

const READABLE: u32 = (EPOLLIN | EPOLLERR | EPOLLHUP) as u32;
const WRITABLE: u32 = (EPOLLOUT | EPOLLERR | EPOLLHUP) as u32;
const ENDING: u32 = (EPOLLRDHUP | EPOLLERR | EPOLLHUP) as u32;

/// One stream; it stands in the table under its descriptor's number.
struct Side<H> {
    /// The stream of the other side; below zero there is none here.
    peer: RawFd,
    /// There may be something to read.
    readable: bool,
    /// There may be room to write.
    writable: bool,
    /// No more edge will come for reading, so that a short read proves nothing.
    ending: bool,
    /// The end was read.
    ended: bool,
    /// What was read from this one and the other did not take.
    held: Option<H>,
}

/// How bytes get from one stream to the other.
trait Way: Sized {
    type Held;
    /// Moves until the source is drained or the sink is full; `Err` if either is broken.
    fn pump(
        &mut self,
        from: RawFd,
        source: &mut Side<Self::Held>,
        sink: &mut Side<Self::Held>,
    ) -> Result<(), ()>;
    /// Takes back what a pair held that ended early.
    fn discard(&mut self, held: Self::Held);
}

struct Relay<W: Way> {
    epoll: RawFd,
    listener: RawFd,
    upstream: libc::sockaddr_in,
    sides: Vec<Side<W::Held>>,
    /// Of the pairs that ended in this batch, one stream each.
    ended: Vec<RawFd>,
    way: W,
}

fn main() {
    let mut all = std::env::args().skip(1);
    let how = all.next().unwrap_or_default();
    let (listen, upstream) = arguments::addresses(all);
    match how.as_str() {
        "copy" => Relay::new(listen, upstream, copy::Copy::new()).run(),
        "splice" => Relay::new(listen, upstream, splice::Splice::new()).run(),
        _ => panic!("relay copy|splice --listen ADDR --upstream ADDR"),
    }
}

impl<W: Way> Relay<W> {
    fn new(listen: SocketAddrV4, upstream: SocketAddrV4, way: W) -> Self {
        let (epoll, listener) = (sys::epoll(), sys::listen(listen));
        sys::add(epoll, listener, LISTENER, EPOLLIN);
        let (sides, ended) = (Vec::new(), Vec::new());
        Self { epoll, listener, upstream: sys::address(upstream), sides, ended, way }
    }

    fn run(&mut self) {
        let mut events = [epoll_event { events: 0, u64: 0 }; EVENTS];
        loop {
            for event in sys::wait(self.epoll, &mut events) {
                match event.u64 {
                    LISTENER => self.accept(),
                    fd => self.ready(fd as RawFd, event.events),
                }
            }
            while let Some(fd) = self.ended.pop() {
                self.close(fd);
            }
        }
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(client) = sys::accept(self.listener) else { return };
            let Some(server) = sys::connect(&self.upstream) else { return sys::close(client) };
            let most = client.max(server) as usize;
            if most >= self.sides.len() {
                self.sides.resize_with(most + 1, || Side::new(-1));
            }
            self.sides[client as usize] = Side { writable: true, ..Side::new(server) };
            self.sides[server as usize] = Side::new(client);
            for fd in [client, server] {
                sys::nodelay(fd);
                sys::add(self.epoll, fd, fd as u64, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
            }
        }
    }

    fn ready(&mut self, fd: RawFd, bits: u32) {
        let Some(side) = self.sides.get_mut(fd as usize) else { return };
        let peer = side.peer;
        if peer < 0 {
            return;
        }
        side.readable |= bits & READABLE != 0 && !side.ended;
        side.writable |= bits & WRITABLE != 0;
        side.ending |= bits & ENDING != 0;
        let (fd_at, peer_at) = (fd as usize, peer as usize);
        let (front, back) = self.sides.split_at_mut(fd_at.max(peer_at));
        let (one, other) = if fd_at < peer_at {
            (&mut front[fd_at], &mut back[0])
        } else {
            (&mut back[0], &mut front[peer_at])
        };
        let way = &mut self.way;
        let over = step(way, fd, one, peer, other).is_err()
            || step(way, peer, other, fd, one).is_err()
            || (one.is_over() && other.is_over());
        if over {
            // No event finds them any more; their numbers stay taken until the batch is over.
            (one.peer, other.peer) = (-1, -1);
            self.ended.push(fd);
            self.ended.push(peer);
        }
    }

    fn close(&mut self, fd: RawFd) {
        if let Some(held) = self.sides[fd as usize].held.take() {
            self.way.discard(held);
        }
        sys::close(fd);
    }
}

/// Moves one way what can be moved, and passes its end on.
#[inline(always)]
fn step<W: Way>(
    way: &mut W,
    from: RawFd,
    source: &mut Side<W::Held>,
    to: RawFd,
    sink: &mut Side<W::Held>,
) -> Result<(), ()> {
    if !(sink.writable && (source.readable || source.held.is_some())) {
        return Ok(());
    }
    let over = source.is_over();
    way.pump(from, source, sink)?;
    // If the other way is over too, closing says the same.
    if !over && source.is_over() && !sink.is_over() {
        sys::shutdown(to);
    }
    Ok(())
}

impl<H> Side<H> {
    fn new(peer: RawFd) -> Self {
        Self { peer, readable: false, writable: false, ending: false, ended: false, held: None }
    }

    /// All that it sent has been passed on.
    #[inline(always)]
    fn is_over(&self) -> bool {
        self.ended && self.held.is_none()
    }
}
