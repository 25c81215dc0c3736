//! The server of [`echo`](crate::echo) by `#[derive(Handler)]`, with a component that accepts.
//!
//! The peers are the same. What is left out is what the derive does, which makes tokens, takes them
//! apart, and carries each error to the one place that closes a peer; and the limits and the patience of
//! [`Listener`]. One thing is different: a method is not told that its peer has ended, so it reads
//! until it would block.

use std::{io, net::SocketAddr, time::Duration};

use listener::{Limits, Listener};
use mio_core::{EventLoop, Handler, Key, Readiness, Slab, net::TcpListener};

use crate::echo::{PEERS_MAX, Peer, Progress};

/// Its sources.
#[derive(Clone, Copy, Debug, Handler)]
#[handler(state = Echo)]
pub enum On {
    /// Where peers come in.
    #[nested(listener, method = accepted)]
    Listener(listener::On),
    /// A peer.
    #[io(readable, writable)]
    Peer(Key),
    /// A peer that stopped to be fair goes on.
    #[timer]
    Turn(Key),
}

type Loop = EventLoop<(), On>;

/// An echo server. A message ends it.
#[derive(Debug)]
pub struct Echo {
    listener: Listener,
    peers: Slab<Peer>,
}

impl Echo {
    /// Listens on `address` and serves as soon as the loop runs.
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::bind`] and [`EventLoop::register`].
    pub fn new(event_loop: &mut EventLoop, address: SocketAddr) -> io::Result<Echo> {
        let socket = TcpListener::bind(address)?;
        let limits = Limits { live: PEERS_MAX, ..Limits::default() };
        let listener = Listener::new(&mut event_loop.nested(On::LISTENER), socket, limits)?;
        Ok(Echo { listener, peers: Slab::with_capacity(PEERS_MAX) })
    }

    /// The address it listens on.
    ///
    /// # Errors
    ///
    /// None that an open socket meets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    fn serve(&mut self, event_loop: &mut Loop, key: Key, news: Readiness) -> io::Result<()> {
        let Some(peer) = self.peers.get_mut(key) else { return Ok(()) };
        match peer.advance(news)? {
            Progress::Waits => Ok(()),
            Progress::Yields => event_loop.timeout(On::Turn(key), Duration::ZERO).map(drop),
            Progress::Finished => self.close(event_loop, key),
        }
    }

    fn close(&mut self, event_loop: &mut Loop, key: Key) -> io::Result<()> {
        let Some(peer) = self.peers.remove(key) else { return Ok(()) };
        event_loop.close(peer.stream, On::Peer(key))?;
        self.listener.release(&mut event_loop.nested(On::LISTENER))
    }
}

impl OnHandler for Echo {
    fn accepted(&mut self, event_loop: &mut Loop) -> io::Result<()> {
        while let Some((stream, _)) = self.listener.take() {
            let entry = self.peers.vacant_entry()?;
            let peer = On::Peer(entry.key());
            if stream.set_nodelay(true).and_then(|()| event_loop.register(&stream, peer)).is_ok() {
                entry.insert(Peer::new(stream));
            } else {
                self.listener.release(&mut event_loop.nested(On::LISTENER))?;
            }
        }
        Ok(())
    }

    fn peer_readable(&mut self, event_loop: &mut Loop, key: Key) -> io::Result<()> {
        self.serve(event_loop, key, Readiness::READABLE | Readiness::READ_CLOSED)
    }

    fn peer_writable(&mut self, event_loop: &mut Loop, key: Key) -> io::Result<()> {
        self.serve(event_loop, key, Readiness::WRITABLE)
    }

    fn turn(&mut self, event_loop: &mut Loop, key: Key) -> io::Result<()> {
        self.serve(event_loop, key, Readiness::empty())
    }

    fn error(&mut self, event_loop: &mut Loop, source: On, error: io::Error) {
        let closed = match source {
            // The peer vanished. Nothing that it was owed can reach it.
            On::Peer(key) | On::Turn(key) => self.close(event_loop, key),
            On::Listener(_) => Err(error),
        };
        closed.unwrap_or_else(|error| event_loop.fail(error));
    }

    fn message(&mut self, event_loop: &mut Loop, _stop: ()) -> io::Result<()> {
        event_loop.shutdown();
        Ok(())
    }
}
