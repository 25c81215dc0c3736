//! From a client in the queue of a listener to a pair whose upstream has yet to accept.

use std::{io, net::SocketAddr};

use mio_core::{
    EventLoop, Key, Readiness,
    proxy::{Accepting, Cause, Client, Closed, Connection, Counters, ProxyConfig},
};

use super::{ACCEPTS_PER_TURN, CONNECTING, On, Phase, Server, pair::Pair, seen::Hooked};

impl<H: Hooked> Server<H> {
    /// Accepts until nobody waits, or until there is a reason to pause. Whoever ends the pause calls again.
    pub(super) fn accept<L>(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
        self.accepting.resume();
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(number) = self.accepting.turn() else { return Ok(()) };
            let Some(listener) = self.listeners.get_mut(number) else { return Ok(()) };
            if self.pairs.is_full() {
                self.accepting.until_room();
                return Ok(());
            }
            let opened = match listener.accept() {
                Ok((client, address)) => self.open(event_loop, number, client, address),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.accepting.drained(number);
                    Ok(())
                }
                Err(error) => Err(why(&error)),
            };
            if opened == Err(Cause::NoRoom) {
                return self.back_off(event_loop);
            }
        }
        self.accept_next_turn(event_loop)
    }

    /// Takes in a client that somebody else has accepted, as if it had come to the listener of this number. It must not be
    /// registered any more; what it has sent and nobody has read goes to its upstream.
    ///
    /// It is handed back if there is no room for another pair, or if the server does not serve any more. That descriptors
    /// ran out is no reason for that: the hooks tell of it, and of all else that becomes of the client.
    pub fn adopt<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        listener: u8,
        client: Connection,
    ) -> Result<(), Connection> {
        if self.phase != Phase::Serving || self.pairs.is_full() {
            return Err(client);
        }
        let address = client.peer_addr();
        // Who paused has to be whoever accepts.
        let _ = self.open(event_loop, listener.into(), client, address);
        Ok(())
    }

    /// No descriptor, no port or no memory is left. No event will tell when that changes.
    fn back_off<L>(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
        self.counters.back_offs += 1;
        self.accepting.until_timer();
        event_loop.timeout(On::Retry, self.config.accept_retry).map(drop)
    }

    pub(super) fn accept_next_turn<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
    ) -> io::Result<()> {
        self.accepting.until_next_turn();
        match event_loop.again(On::Listener(0), Readiness::empty()) {
            Ok(()) => Ok(()),
            Err(_) => self.back_off(event_loop),
        }
    }

    /// Begins to connect a client to its upstream. On an error the client is closed.
    fn open<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        listener: usize,
        connection: Connection,
        address: Option<SocketAddr>,
    ) -> Result<(), Cause> {
        self.counters.accepted += 1;
        let Server { gateway, config, pairs, counters, .. } = self;
        let entry = pairs.vacant_entry().map_err(|_| Cause::NoRoom)?;
        let key = entry.key();
        let (tries, failed) = (0, None);
        let client = Client { key, listener, address, connection: &connection, tries, failed };
        gateway.accepted(&client);
        let Some(address) = gateway.upstream(&client) else {
            counters.not_opened += 1;
            return Ok(());
        };
        let upstream = match Connection::connect(&address, config.nodelay) {
            Ok(upstream) => upstream,
            Err(error) => {
                return self.open_another(event_loop, key, listener, connection, &error);
            }
        };
        match Pair::open(event_loop, key, connection, listener, upstream, 0) {
            Ok(pair) => {
                entry.insert(pair);
                self.wait(event_loop, CONNECTING, key);
                Ok(())
            }
            Err(cause) => self.not_opened(key, cause),
        }
    }

    /// It is known at once that the upstream cannot be reached: begins to connect the client to another one.
    #[cold]
    fn open_another<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        key: Key,
        listener: usize,
        connection: Connection,
        error: &io::Error,
    ) -> Result<(), Cause> {
        let Server { gateway, config, pairs, counters, .. } = self;
        let client = Client {
            key,
            listener,
            address: connection.peer_addr(),
            connection: &connection,
            tries: 0,
            failed: None,
        };
        let opened = reach_another(gateway, config, counters, client, why(error))
            .and_then(|(upstream, tries)| {
                Pair::open(event_loop, key, connection, listener, upstream, tries)
            })
            // It gets the key that was shown before.
            .and_then(|pair| pairs.insert(pair).map_err(|_| Cause::NoRoom));
        match opened {
            Ok(key) => {
                self.wait(event_loop, CONNECTING, key);
                Ok(())
            }
            Err(cause) => self.not_opened(key, cause),
        }
    }

    #[cold]
    fn not_opened(&mut self, key: Key, cause: Cause) -> Result<(), Cause> {
        if cause == Cause::NoRoom {
            self.counters.not_opened += 1;
        } else {
            self.counters.count(cause);
        }
        self.gateway.closed(&Closed { key, cause, bytes_up: 0, bytes_down: 0 });
        Err(cause)
    }

    /// The upstream of this pair was not reached: connects to another one, if the gateway may be asked and has one, or
    /// closes the pair.
    #[cold]
    pub(super) fn try_another<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        key: Key,
        cause: Cause,
    ) -> io::Result<()> {
        let Server { gateway, config, pairs, counters, .. } = self;
        let Some(pair) = pairs.get_mut(key) else { return Ok(()) };
        let reached = reach_another(gateway, config, counters, pair.client_again(key), cause);
        let opened =
            reached.and_then(|(upstream, tries)| pair.reconnect(event_loop, key, upstream, tries));
        match opened {
            Ok(()) => {
                self.wait(event_loop, CONNECTING, key);
                Ok(())
            }
            Err(cause) => self.close(event_loop, key, cause),
        }
    }
}

/// Begins to connect a client to another upstream than one that was not reached, as often as that may be tried. Answers
/// how many were tried before that one, too.
#[cold]
fn reach_another<H: Hooked>(
    gateway: &mut H,
    config: &ProxyConfig,
    counters: &mut Counters,
    mut client: Client<'_>,
    mut cause: Cause,
) -> Result<(Connection, u32), Cause> {
    while client.tries < config.retries && cause != Cause::NoRoom {
        (client.tries, client.failed) = (client.tries + 1, Some(cause));
        let Some(address) = gateway.upstream(&client) else { break };
        counters.retries += 1;
        match Connection::connect(&address, config.nodelay) {
            Ok(upstream) => return Ok((upstream, client.tries)),
            Err(error) => cause = why(&error),
        }
    }
    Err(cause)
}

/// What an error of accepting or connecting comes to.
#[cold]
pub(super) fn why(error: &io::Error) -> Cause {
    if Accepting::concerns_one_client(error) {
        Cause::ConnectFailed(error.kind())
    } else {
        Cause::NoRoom
    }
}
