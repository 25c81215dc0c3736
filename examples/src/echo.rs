//! An echo server: every peer gets back what it sends.
//!
//! Small, and yet it has what each server on edges needs:
//!
//! - **Keys for tokens.** A peer that is gone leaves a stale key behind, which finds nothing.
//! - **No call without news.** A read that does not fill the buffer has drained the socket, a write
//!   that leaves something has filled it: neither is tried again before the next edge. Only once
//!   the peer has ended (`READ_CLOSED`) no further edge will come, and reads stop in front of an urgent
//!   byte (`PRIORITY`): after either it reads until it would block, or to the end.
//! - **Back-pressure.** A peer that does not read fills its ring; then nothing more is read from
//!   it.
//! - **Fairness.** A peer that never pauses yields after a few rounds.
//! - **Half-close.** The end of what a peer sends is no reason to keep back what it is still owed.

use std::{io, net::SocketAddr, time::Duration};

use mio_core::{
    EventLoop, Expiry, Handler, Interest, Key, Readiness, Slab, Trigger,
    buf::Ring,
    net::{AcceptFailure, TcpListener, TcpStream},
    relay::INTEREST,
};

/// Peers at a time; the next ones wait in the listener's queue.
pub const PEERS_MAX: usize = 1024;

const RING_BYTES: usize = 16 * 1024;
const ROUNDS_PER_TURN: usize = 16;
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// No key has so high a bit.
const LISTENER: u64 = 1 << 63;

/// An echo server. A message ends it.
#[derive(Debug)]
pub struct Echo {
    listener: TcpListener,
    peers: Slab<Peer>,
    /// A timer is set to accept again.
    retries: bool,
}

/// One of those served. It knows no event loop.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    ring: Ring<[u8; RING_BYTES]>,
    readable: bool,
    writable: bool,
    /// A short read does not mean that it is drained.
    reads_on: bool,
    /// All that the peer has sent is read, to the end.
    ended: bool,
    /// It stopped to be fair, and its turn will come.
    yielded: bool,
}

/// How far a peer got.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Nothing to do before the next edge.
    Waits,
    /// It could go on, but others want to be served too.
    Yields,
    Finished,
}

impl Echo {
    /// Listens on `address` and serves as soon as the loop runs.
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::bind`] and [`EventLoop::register`].
    pub fn new(event_loop: &mut EventLoop, address: SocketAddr) -> io::Result<Echo> {
        let listener = TcpListener::bind(address)?;
        event_loop.register_with(&listener, LISTENER, Interest::READABLE, Trigger::Edge)?;
        Ok(Echo { listener, peers: Slab::with_capacity(PEERS_MAX), retries: false })
    }

    /// The address it listens on.
    ///
    /// # Errors
    ///
    /// None that an open socket meets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts until nobody waits or the table is full; in both cases somebody calls again.
    fn accept(&mut self, event_loop: &mut EventLoop) {
        while let Ok(entry) = self.peers.vacant_entry() {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) => match AcceptFailure::of(&error) {
                    AcceptFailure::Nobody => return,
                    AcceptFailure::Connection => continue,
                    // No edge will tell when that changes.
                    AcceptFailure::Shortage => return self.retry_later(event_loop),
                    AcceptFailure::Listener => return event_loop.fail(error),
                },
            };
            let token = entry.key().to_bits();
            let served = stream
                .set_nodelay(true)
                .and_then(|()| event_loop.register_with(&stream, token, INTEREST, Trigger::Edge));
            if served.is_err() {
                continue;
            }
            entry.insert(Peer::new(stream));
        }
    }

    fn close(&mut self, event_loop: &mut EventLoop, key: Key) {
        let was_full = self.peers.is_full();
        if let Some(peer) = self.peers.remove(key) {
            let _ = event_loop.close(peer.stream, key.to_bits());
        }
        if was_full && event_loop.again(LISTENER, Readiness::READABLE).is_err() {
            self.retry_later(event_loop);
        }
    }

    /// If there is no room for a timer either, the loop ends with that error.
    fn retry_later(&mut self, event_loop: &mut EventLoop) {
        if !self.retries {
            self.retries = true;
            if let Err(error) = event_loop.timeout(LISTENER, ACCEPT_RETRY) {
                event_loop.fail(error);
            }
        }
    }
}

impl Handler for Echo {
    fn ready(&mut self, event_loop: &mut EventLoop, token: u64, readiness: Readiness) {
        let Some(key) = Key::from_bits(token) else { return self.accept(event_loop) };
        let Some(peer) = self.peers.get_mut(key) else { return };
        match peer.advance(readiness) {
            Ok(Progress::Waits) => {}
            Ok(Progress::Yields) => {
                if event_loop.again(token, Readiness::empty()).is_err() {
                    self.close(event_loop, key);
                }
            }
            // The peer vanished. Nothing that it was owed can reach it.
            Ok(Progress::Finished) | Err(_) => self.close(event_loop, key),
        }
    }

    fn timeout(&mut self, event_loop: &mut EventLoop, _token: u64, _expiry: Expiry) {
        self.retries = false;
        self.accept(event_loop);
    }

    fn message(&mut self, event_loop: &mut EventLoop, _stop: ()) {
        event_loop.shutdown();
    }
}

impl Peer {
    pub(crate) fn new(stream: TcpStream) -> Peer {
        Peer {
            stream,
            ring: Ring::new([0; RING_BYTES]),
            readable: false,
            writable: true,
            reads_on: false,
            ended: false,
            yielded: false,
        }
    }

    /// Moves what can be moved. No readiness is news of nothing: it goes on where it stopped to be fair.
    pub(crate) fn advance(&mut self, readiness: Readiness) -> io::Result<Progress> {
        self.readable |= readiness.wants_read() && !self.ended;
        self.writable |= readiness.wants_write();
        self.reads_on |= readiness.intersects(Readiness::READ_CLOSED | Readiness::PRIORITY);
        self.yielded &= !readiness.is_empty();
        if self.yielded {
            return Ok(Progress::Waits);
        }
        for _ in 0..ROUNDS_PER_TURN {
            if self.readable && !self.ring.is_full() {
                self.read()?;
            }
            if self.ring.is_empty() && self.ended {
                return Ok(Progress::Finished);
            }
            if self.ring.is_empty() || !self.writable {
                return Ok(Progress::Waits);
            }
            self.write()?;
        }
        self.yielded = true;
        Ok(Progress::Yields)
    }

    fn read(&mut self) -> io::Result<()> {
        let room = self.ring.free();
        match self.ring.fill_from(&mut self.stream) {
            Ok(0) => (self.readable, self.ended) = (false, true),
            Ok(n) => self.readable = n == room || self.reads_on,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        match self.ring.drain_to(&mut self.stream) {
            Ok(_) => self.writable = self.ring.is_empty(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
