//! A pair of connections.

use std::mem;

use mio_core::{
    EventLoop, Key, Readiness, Trigger,
    proxy::{Cause, Client, Closed, Connection, Counters, ProxyHeader, ProxyProtocol, Side},
    relay::{Flow, INTEREST, Pool, Progress},
};

use super::{
    On,
    accepting::why,
    seen::{Down, Hooked, Up},
};

/// Two connections, and the two ways between them.
pub(super) struct Pair {
    pub(super) client: Connection,
    pub(super) upstream: Connection,
    pub(super) up: Flow,
    pub(super) down: Flow,
    /// The number of the listener that the client came to.
    listener: u8,
    /// Upstreams that were tried before this one.
    tries: u32,
    /// The upstream has accepted.
    pub(super) connected: bool,
    /// It stopped to be fair, or because no buffer was left, and its turn will come.
    pub(super) asked: bool,
    /// It stands in the queue for a buffer.
    pub(super) queued: bool,
}

impl Pair {
    /// A client, and an upstream which has yet to accept, after so many others. On an error both are closed.
    #[inline(always)]
    pub(super) fn open<L>(
        event_loop: &mut EventLoop<L, On>,
        key: Key,
        client: Connection,
        listener: usize,
        upstream: Connection,
        tries: u32,
    ) -> Result<Pair, Cause> {
        let registered =
            event_loop.register_with(&client, On::Client(key), INTEREST, Trigger::Edge);
        registered.map_err(|error| why(&error))?;
        let token = On::Upstream(key);
        if let Err(error) = event_loop.register_with(&upstream, token, INTEREST, Trigger::Edge) {
            let _ = event_loop.close(client, On::Client(key));
            return Err(why(&error));
        }
        let (up, down) = (Flow::new(), Flow::to_a_ready_sink());
        let (listener, connected, asked, queued) = (listener as u8, false, false, false);
        Ok(Pair { client, upstream, up, down, listener, tries, connected, asked, queued })
    }

    /// Its client, as one for whom another upstream is to be chosen.
    pub(super) fn client_again(&self, key: Key) -> Client<'_> {
        Client {
            key,
            listener: self.listener.into(),
            address: self.client.peer_addr(),
            connection: &self.client,
            tries: self.tries,
            failed: None,
        }
    }

    /// Has this upstream instead of the one that was not reached, after so many others.
    pub(super) fn reconnect<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        key: Key,
        upstream: Connection,
        tries: u32,
    ) -> Result<(), Cause> {
        let token = On::Upstream(key);
        // What the kernel has said of the other one is not said of this one.
        let _ = event_loop.close(mem::replace(&mut self.upstream, upstream), token);
        (self.down, self.tries) = (Flow::to_a_ready_sink(), tries);
        let registered = event_loop.register_with(&self.upstream, token, INTEREST, Trigger::Edge);
        registered.map_err(|error| why(&error))
    }

    /// Takes in what the kernel says of one side; nothing, if the pair itself had asked for its turn.
    #[inline(always)]
    pub(super) fn hear(&mut self, side: Side, readiness: Readiness) -> Result<(), Cause> {
        if readiness.is_empty() {
            self.asked = false;
        }
        match side {
            Side::Client => {
                self.up.source_is(readiness);
                self.down.sink_is(readiness);
            }
            Side::Upstream => {
                self.down.source_is(readiness);
                self.up.sink_is(readiness);
            }
        }
        if readiness.contains(Readiness::ERROR) {
            self.check(side)?;
        }
        Ok(())
    }

    /// An error waits on this side, unless it was told already.
    #[cold]
    fn check(&self, side: Side) -> Result<(), Cause> {
        let connection = match side {
            Side::Client => &self.client,
            Side::Upstream => &self.upstream,
        };
        match connection.take_error() {
            None => Ok(()),
            Some(error) if side == Side::Upstream && !self.connected => {
                Err(Cause::ConnectFailed(error.kind()))
            }
            Some(error) => Err(Cause::Broken(side, error.kind())),
        }
    }

    /// Carries both ways as far as it is fair.
    #[inline(always)]
    pub(super) fn carry<H: Hooked>(
        &mut self,
        side: Side,
        key: Key,
        gateway: &mut H,
        pool: &mut Pool,
        counters: &mut Counters,
    ) -> Result<Progress, Cause> {
        let Pair { client, upstream, up, down, .. } = self;
        let [way_up, way_down] = &mut counters.ways;
        // Mostly only the way from this side has something to carry.
        let (went, has_finished) = match side {
            Side::Client if down.is_waiting() => {
                let mut filter = Up::new(gateway, key);
                let went = up.advance(client, upstream, pool, way_up, &mut filter);
                (went, up.is_finished())
            }
            Side::Upstream if up.is_waiting() => {
                let mut filter = Down::new(gateway, key);
                let went = down.advance(upstream, client, pool, way_down, &mut filter);
                (went, down.is_finished())
            }
            _ => return self.carry_both(key, None, gateway, pool, counters),
        };
        match went {
            Ok(_) if has_finished => self.after_end(),
            went => went.map_err(|broken| Cause::broken(broken, side)),
        }
    }

    /// At least one of the ways has finished.
    #[cold]
    fn after_end(&mut self) -> Result<Progress, Cause> {
        let Pair { up, down, .. } = self;
        match (up.is_finished(), down.is_finished()) {
            (true, true) => return Err(Cause::Finished),
            (true, false) => down.is_the_last(),
            (false, _) => up.is_the_last(),
        }
        Ok(Progress::Waits)
    }

    /// Carries both ways. The header, if there is one, goes up first.
    #[inline(never)]
    pub(super) fn carry_both<H: Hooked>(
        &mut self,
        key: Key,
        header: Option<ProxyHeader>,
        gateway: &mut H,
        pool: &mut Pool,
        counters: &mut Counters,
    ) -> Result<Progress, Cause> {
        let Pair { client, upstream, up, down, .. } = self;
        let [way_up, way_down] = &mut counters.ways;
        let mut filter = Up::new(gateway, key);
        let went_up = match header {
            None => up.advance(client, upstream, pool, way_up, &mut filter),
            Some(header) => {
                up.begin(header.as_bytes(), client, upstream, pool, way_up, &mut filter)
            }
        };
        let went_up = went_up.map_err(|broken| Cause::broken(broken, Side::Client))?;
        if up.is_finished() {
            down.is_the_last();
        }
        let mut filter = Down::new(gateway, key);
        let went_down = down.advance(upstream, client, pool, way_down, &mut filter);
        let went_down = went_down.map_err(|broken| Cause::broken(broken, Side::Upstream))?;
        if up.is_finished() || down.is_finished() {
            self.after_end()?;
        }
        // Who starves is found out again when it is its turn.
        Ok(match (went_up, went_down) {
            (Progress::Waits, went) | (_, went @ Progress::Yields) => went,
            (went, _) => went,
        })
    }

    /// Gives back what it holds. It is of no use any more.
    #[inline(always)]
    pub(super) fn end(&mut self, key: Key, cause: Cause, pool: &mut Pool) -> Closed {
        let Pair { client, upstream, up, down, queued, .. } = self;
        let closed = Closed { key, cause, bytes_up: up.bytes(), bytes_down: down.bytes() };
        up.close(pool);
        down.close(pool);
        if *queued {
            pool.leave_queue(key.into());
        }
        if cause.resets(Side::Client) {
            client.reset_on_drop();
        }
        if cause.resets(Side::Upstream) {
            upstream.reset_on_drop();
        }
        closed
    }

    /// Asks for another turn, after the others.
    #[cold]
    pub(super) fn ask<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        key: Key,
    ) -> Result<(), Cause> {
        if !self.asked {
            let asked = event_loop.again(On::Client(key), Readiness::empty());
            asked.map_err(|_| Cause::NoRoom)?;
            self.asked = true;
        }
        Ok(())
    }

    /// Lines up for a buffer.
    #[cold]
    pub(super) fn queue(&mut self, key: Key, pool: &mut Pool) -> Result<(), Cause> {
        if !self.queued {
            pool.queue(key.into()).map_err(|_| Cause::NoRoom)?;
            self.queued = true;
        }
        Ok(())
    }

    /// What the upstream is told of the client.
    #[inline]
    pub(super) fn header(&self, version: ProxyProtocol) -> Option<ProxyHeader> {
        if version == ProxyProtocol::Off {
            return None;
        }
        ProxyHeader::encode(version, self.client.peer_addr(), self.client.local_addr())
    }

    pub(super) fn bytes(&self) -> u64 {
        self.up.bytes() + self.down.bytes()
    }
}
