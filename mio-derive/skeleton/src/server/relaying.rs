//! A pair from when its upstream accepts to its end.

use std::io;

use mio_core::{
    EventLoop, Key, Readiness,
    proxy::{Cause, Side},
    relay::Progress,
};

use super::{IDLE, On, Server, seen::Hooked};

impl<H: Hooked> Server<H> {
    /// Takes in what the kernel says of one side of a pair, and carries what can be carried.
    #[inline(always)]
    pub(super) fn serve_pair<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        key: Key,
        side: Side,
        readiness: Readiness,
    ) -> io::Result<()> {
        let Server { gateway, pairs, waits, pool, counters, .. } = self;
        let Some(pair) = pairs.get_mut(key) else { return Ok(()) };
        let bytes = pair.bytes();
        if let Err(cause) = pair.hear(side, readiness) {
            return self.lose(event_loop, key, cause);
        }
        if !pair.connected {
            let connected = side == Side::Upstream && readiness.wants_write();
            return if connected { self.begin(event_loop, key) } else { Ok(()) };
        }
        if pair.asked {
            // Its turn will come.
            return Ok(());
        }
        let carried = pair.carry(side, key, gateway, pool, counters);
        if pair.bytes() != bytes {
            waits.touch(IDLE, key.index(), event_loop.now_ns());
        }
        self.after(event_loop, key, carried)
    }

    /// The upstream has accepted.
    #[cold]
    fn begin<L>(&mut self, event_loop: &mut EventLoop<L, On>, key: Key) -> io::Result<()> {
        self.wait(event_loop, IDLE, key);
        let Server { gateway, config, pairs, pool, counters, .. } = self;
        let Some(pair) = pairs.get_mut(key) else { return Ok(()) };
        pair.connected = true;
        gateway.connected(key, &pair.upstream);
        let carried = match pair.header(config.proxy_protocol) {
            // Only the client can have sent something.
            None => pair.carry(Side::Client, key, gateway, pool, counters),
            header => pair.carry_both(key, header, gateway, pool, counters),
        };
        self.after(event_loop, key, carried)
    }

    /// Does what a pair needs after it has carried what it could, which mostly is nothing.
    #[inline(always)]
    fn after<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        key: Key,
        carried: Result<Progress, Cause>,
    ) -> io::Result<()> {
        match carried {
            Ok(Progress::Waits) => self.serve_queue(event_loop),
            Ok(progress) => self.go_on(event_loop, key, progress),
            Err(cause) => self.close(event_loop, key, cause),
        }
    }

    #[cold]
    fn go_on<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        key: Key,
        progress: Progress,
    ) -> io::Result<()> {
        let Some(pair) = self.pairs.get_mut(key) else { return Ok(()) };
        let goes_on = match progress {
            Progress::Waits => Ok(()),
            Progress::Yields => pair.ask(event_loop, key),
            Progress::Starves => pair.queue(key, &mut self.pool),
        };
        match goes_on {
            Ok(()) => self.serve_queue(event_loop),
            Err(cause) => self.close(event_loop, key, cause),
        }
    }

    /// Gives a buffer that has become free to the pair that has waited longest for one.
    #[inline]
    fn serve_queue<L>(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
        while let Some(token) = self.pool.next_in_queue() {
            let key = Key::from_bits_truncate(token);
            // It may have gone.
            let Some(pair) = self.pairs.get_mut(key) else { continue };
            pair.queued = false;
            return match pair.ask(event_loop, key) {
                Ok(()) => Ok(()),
                Err(cause) => self.close(event_loop, key, cause),
            };
        }
        Ok(())
    }

    /// An error was met: of one that is connecting, there may be another upstream to try.
    #[cold]
    fn lose<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        key: Key,
        cause: Cause,
    ) -> io::Result<()> {
        match cause {
            Cause::ConnectFailed(_) => self.try_another(event_loop, key, cause),
            cause => self.close(event_loop, key, cause),
        }
    }

    /// Closes a pair, and lets others have what it had.
    pub(super) fn close<L>(
        &mut self,
        event_loop: &mut EventLoop<L, On>,
        key: Key,
        cause: Cause,
    ) -> io::Result<()> {
        self.end_pair(key, cause);
        self.end_if_drained(event_loop);
        if self.accepting.made_room() {
            self.accept_next_turn(event_loop)?;
        }
        self.serve_queue(event_loop)
    }

    #[inline(always)]
    pub(super) fn end_pair(&mut self, key: Key, cause: Cause) {
        let Some(pair) = self.pairs.get_mut(key) else { return };
        let closed = pair.end(key, cause, &mut self.pool);
        self.waits.stop(key.index());
        // Nobody else has its descriptors, so dropping them deregisters them. What the loop has yet to say of
        // them finds nothing under the key.
        self.pairs.remove(key);
        self.counters.count(cause);
        self.gateway.closed(&closed);
    }
}
