//! From a client in the queue of a listener to a pair whose upstream has yet to accept.

use std::{io, net::SocketAddr};

use mio_core::{
    EventLoop, Key, Readiness,
    proxy::{Accepting, Cause, Client, Closed, Connection},
};

use super::{ACCEPTS_PER_TURN, CONNECTING, On, Server, pair::Pair, seen::Hooked};

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
                Err(error) => Err(error),
            };
            if opened.is_err_and(|error| !Accepting::concerns_one_client(&error)) {
                return self.back_off(event_loop);
            }
        }
        self.accept_next_turn(event_loop)
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
    ) -> io::Result<()> {
        self.counters.accepted += 1;
        let entry = self.pairs.vacant_entry()?;
        let key = entry.key();
        let client = Client { key, listener, address, connection: &connection };
        self.gateway.accepted(&client);
        let Some(address) = self.gateway.upstream(&client) else {
            self.counters.not_opened += 1;
            return Ok(());
        };
        match Pair::open(event_loop, key, connection, &address, self.config.nodelay) {
            Ok(pair) => {
                entry.insert(pair);
                self.wait(event_loop, CONNECTING, key);
                Ok(())
            }
            Err(error) => {
                self.count_not_opened(key, &error);
                Err(error)
            }
        }
    }

    #[cold]
    fn count_not_opened(&mut self, key: Key, error: &io::Error) {
        let cause = if Accepting::concerns_one_client(error) {
            let cause = Cause::ConnectFailed(error.kind());
            self.counters.count(cause);
            cause
        } else {
            self.counters.not_opened += 1;
            Cause::NoRoom
        };
        self.gateway.closed(&Closed { key, cause, bytes_up: 0, bytes_down: 0 });
    }
}
