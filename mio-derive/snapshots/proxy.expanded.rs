/// The server of [`Louder`](super::Louder).
#[allow(dead_code, missing_debug_implementations, unused_imports)]
#[allow(clippy::all)]
mod louder_server {
    //! The server: one event loop that accepts clients, connects each to the upstream that its gateway chooses,
    //! and carries bytes between the two.
    mod accepting {
        //! From a client in the queue of a listener to a pair whose upstream has yet to accept.
        use std::{io, net::SocketAddr};
        use mio_core::{
            EventLoop, Key, Readiness,
            proxy::{Accepting, Cause, Client, Closed, Connection, Counters, ProxyConfig},
        };
        use super::{
            ACCEPTS_PER_TURN, CONNECTING, On, Phase, Server, pair::Pair, seen::Hooked,
        };
        impl<H: Hooked> Server<H> {
            /// Accepts until nobody waits, or until there is a reason to pause. Whoever ends the pause calls again.
            pub(super) fn accept<L>(
                &mut self,
                event_loop: &mut EventLoop<L, On>,
            ) -> io::Result<()> {
                self.accepting.resume();
                for _ in 0..ACCEPTS_PER_TURN {
                    let Some(number) = self.accepting.turn() else { return Ok(()) };
                    let Some(listener) = self.listeners.get_mut(number) else {
                        return Ok(())
                    };
                    if self.pairs.is_full() {
                        self.accepting.until_room();
                        return Ok(());
                    }
                    let opened = match listener.accept() {
                        Ok((client, address)) => {
                            self.open(event_loop, number, client, address)
                        }
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
                let _ = self.open(event_loop, listener.into(), client, address);
                Ok(())
            }
            /// No descriptor, no port or no memory is left. No event will tell when that changes.
            fn back_off<L>(
                &mut self,
                event_loop: &mut EventLoop<L, On>,
            ) -> io::Result<()> {
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
                let client = Client {
                    key,
                    listener,
                    address,
                    connection: &connection,
                    tries,
                    failed,
                };
                gateway.accepted(&client);
                let Some(address) = gateway.upstream(&client) else {
                    counters.not_opened += 1;
                    return Ok(());
                };
                let upstream = match Connection::connect(&address, config.nodelay) {
                    Ok(upstream) => upstream,
                    Err(error) => {
                        return self
                            .open_another(event_loop, key, listener, connection, &error);
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
                        Pair::open(
                            event_loop,
                            key,
                            connection,
                            listener,
                            upstream,
                            tries,
                        )
                    })
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
                self.gateway
                    .closed(
                        &Closed {
                            key,
                            cause,
                            bytes_up: 0,
                            bytes_down: 0,
                        },
                    );
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
                let reached = reach_another(
                    gateway,
                    config,
                    counters,
                    pair.client_again(key),
                    cause,
                );
                let opened = reached
                    .and_then(|(upstream, tries)| {
                        pair.reconnect(event_loop, key, upstream, tries)
                    });
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
        use ::std;
        use ::std::prelude::rust_2021::*;
        use ::mio_core as mio_core;
    }
    mod pair {
        //! A pair of connections.
        use std::mem;
        use mio_core::{
            EventLoop, Key, Readiness, Trigger,
            proxy::{
                Cause, Client, Closed, Connection, Counters, ProxyHeader, ProxyProtocol,
                Side,
            },
            relay::{Flow, INTEREST, Pool, Progress},
        };
        use super::{On, accepting::why, seen::{Down, Hooked, Up}};
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
                let registered = event_loop
                    .register_with(&client, On::Client(key), INTEREST, Trigger::Edge);
                registered.map_err(|error| why(&error))?;
                let token = On::Upstream(key);
                if let Err(error) = event_loop
                    .register_with(&upstream, token, INTEREST, Trigger::Edge)
                {
                    let _ = event_loop.close(client, On::Client(key));
                    return Err(why(&error));
                }
                let (up, down) = (Flow::new(), Flow::to_a_ready_sink());
                let (listener, connected, asked, queued) = (
                    listener as u8,
                    false,
                    false,
                    false,
                );
                Ok(Pair {
                    client,
                    upstream,
                    up,
                    down,
                    listener,
                    tries,
                    connected,
                    asked,
                    queued,
                })
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
                let _ = event_loop
                    .close(mem::replace(&mut self.upstream, upstream), token);
                (self.down, self.tries) = (Flow::to_a_ready_sink(), tries);
                let registered = event_loop
                    .register_with(&self.upstream, token, INTEREST, Trigger::Edge);
                registered.map_err(|error| why(&error))
            }
            /// Takes in what the kernel says of one side; nothing, if the pair itself had asked for its turn.
            #[inline(always)]
            pub(super) fn hear(
                &mut self,
                side: Side,
                readiness: Readiness,
            ) -> Result<(), Cause> {
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
                let (went, has_finished) = match side {
                    Side::Client if down.is_waiting() => {
                        let mut filter = Up::new(gateway, key);
                        let went = up
                            .advance(client, upstream, pool, way_up, &mut filter);
                        (went, up.is_finished())
                    }
                    Side::Upstream if up.is_waiting() => {
                        let mut filter = Down::new(gateway, key);
                        let went = down
                            .advance(upstream, client, pool, way_down, &mut filter);
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
                        up.begin(
                            header.as_bytes(),
                            client,
                            upstream,
                            pool,
                            way_up,
                            &mut filter,
                        )
                    }
                };
                let went_up = went_up
                    .map_err(|broken| Cause::broken(broken, Side::Client))?;
                if up.is_finished() {
                    down.is_the_last();
                }
                let mut filter = Down::new(gateway, key);
                let went_down = down
                    .advance(upstream, client, pool, way_down, &mut filter);
                let went_down = went_down
                    .map_err(|broken| Cause::broken(broken, Side::Upstream))?;
                if up.is_finished() || down.is_finished() {
                    self.after_end()?;
                }
                Ok(
                    match (went_up, went_down) {
                        (Progress::Waits, went) | (_, went @ Progress::Yields) => went,
                        (went, _) => went,
                    },
                )
            }
            /// Gives back what it holds. It is of no use any more.
            #[inline(always)]
            pub(super) fn end(
                &mut self,
                key: Key,
                cause: Cause,
                pool: &mut Pool,
            ) -> Closed {
                let Pair { client, upstream, up, down, queued, .. } = self;
                let closed = Closed {
                    key,
                    cause,
                    bytes_up: up.bytes(),
                    bytes_down: down.bytes(),
                };
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
            pub(super) fn queue(
                &mut self,
                key: Key,
                pool: &mut Pool,
            ) -> Result<(), Cause> {
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
                ProxyHeader::encode(
                    version,
                    self.client.peer_addr(),
                    self.client.local_addr(),
                )
            }
            pub(super) fn bytes(&self) -> u64 {
                self.up.bytes() + self.down.bytes()
            }
        }
        use ::std;
        use ::std::prelude::rust_2021::*;
        use ::mio_core as mio_core;
    }
    mod relaying {
        //! A pair from when its upstream accepts to its end.
        use std::io;
        use mio_core::{
            EventLoop, Key, Readiness, proxy::{Cause, Side},
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
            fn begin<L>(
                &mut self,
                event_loop: &mut EventLoop<L, On>,
                key: Key,
            ) -> io::Result<()> {
                self.wait(event_loop, IDLE, key);
                let Server { gateway, config, pairs, pool, counters, .. } = self;
                let Some(pair) = pairs.get_mut(key) else { return Ok(()) };
                pair.connected = true;
                gateway.connected(key, &pair.upstream);
                let carried = match pair.header(config.proxy_protocol) {
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
            fn serve_queue<L>(
                &mut self,
                event_loop: &mut EventLoop<L, On>,
            ) -> io::Result<()> {
                while let Some(token) = self.pool.next_in_queue() {
                    let key = Key::from_bits_truncate(token);
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
                self.pairs.remove(key);
                self.counters.count(cause);
                self.gateway.closed(&closed);
            }
        }
        use ::std;
        use ::std::prelude::rust_2021::*;
        use ::mio_core as mio_core;
    }
    mod seen {
        //! Who sees the bytes, and what that takes.
        use mio_core::proxy::{Hooks, Unseen};
        /// Who sees the bytes from the clients. `Unseen` is nobody, and lets them be spliced; `SeenUp` is the
        /// `InspectUp` of the gateway.
        pub(super) type Up<'a, H> = mio_core::proxy::SeenUp<'a, H>;
        /// Who sees the bytes from the upstreams: nobody, or with `SeenDown` the gateway's `InspectDown`.
        pub(super) type Down<'a, H> = Unseen<'a, H>;
        /// What a gateway has to have: `Hooks`, and of `InspectUp` and `InspectDown` what is used above.
        pub trait Hooked: Hooks + mio_core::proxy::InspectUp {}
        impl<H: Hooks + mio_core::proxy::InspectUp> Hooked for H {}
        use ::std;
        use ::std::prelude::rust_2021::*;
        use ::mio_core as mio_core;
    }
    mod waiting {
        //! How long pairs wait.
        use std::{io, time::Duration};
        use mio_core::{EventLoop, Key, proxy::Cause};
        use super::{CLOSES_PER_TURN, IDLE, On, Server, seen::Hooked};
        impl<H: Hooked> Server<H> {
            /// A pair waits in this queue from now on.
            #[inline(always)]
            pub(super) fn wait<L>(
                &mut self,
                event_loop: &mut EventLoop<L, On>,
                queue: usize,
                key: Key,
            ) {
                self.waits.start(queue, key.index(), event_loop.now_ns());
                let (_, is_set) = self.alarms[queue];
                if !is_set {
                    self.set_alarm(event_loop, queue);
                }
            }
            /// Sets the timer of a queue to when the time of its first pair is up. Those that come later do not change that.
            #[cold]
            pub(super) fn set_alarm<L>(
                &mut self,
                event_loop: &mut EventLoop<L, On>,
                queue: usize,
            ) {
                let now = event_loop.now_ns();
                let left = self
                    .waits
                    .next_deadline(queue)
                    .map(|deadline| deadline.saturating_sub(now));
                let (timer, is_set) = &mut self.alarms[queue];
                *is_set = left.is_some();
                event_loop
                    .reschedule(
                        *timer,
                        left.map_or(Duration::MAX, Duration::from_nanos),
                    );
            }
            /// Closes the pairs whose time is up, unless there is another upstream to try.
            pub(super) fn close_late<L>(
                &mut self,
                event_loop: &mut EventLoop<L, On>,
                queue: usize,
            ) -> io::Result<()> {
                let now = event_loop.now_ns();
                for _ in 0..CLOSES_PER_TURN {
                    let Some(index) = self.waits.first_due(queue, now) else { break };
                    let Some(key) = self.pairs.key_at(index) else { break };
                    if queue == IDLE {
                        self.close(event_loop, key, Cause::IdleTimeout)?;
                    } else {
                        self.try_another(event_loop, key, Cause::ConnectTimeout)?;
                    }
                }
                Ok(())
            }
        }
        use ::std;
        use ::std::prelude::rust_2021::*;
        use ::mio_core as mio_core;
    }
    use std::{io, time::Duration};
    use mio_core::{
        EventLoop, Handler, Key, Readiness, SignalInfo, Slab, Timeout, TimeoutQueues,
        proxy::{
            Accepting, Address, Cause, Command, Counters, Listener, ProxyConfig,
            ProxyProtocol, Sharing, Side, run_workers,
        },
        relay::{Bounds, Pool},
    };
    use pair::Pair;
    pub use seen::Hooked;
    const CAPACITY: usize = 4096;
    const BUFFER_BYTES: usize = 16384;
    const BUFFERS: usize = 128;
    const PIPES: usize = 64;
    const BURST_BYTES: u64 = 256 * 1024;
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    const RETRIES: u32 = 0;
    const IDLE_TIMEOUT: Duration = Duration::from_nanos(120000000000u64);
    const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
    const ACCEPT_RETRY: Duration = Duration::from_millis(100);
    const TICK: Duration = Duration::ZERO;
    const SPIN: Duration = Duration::ZERO;
    const NODELAY: bool = true;
    const PROXY_PROTOCOL: ProxyProtocol = ProxyProtocol::Off;
    const SHARING: Sharing = Sharing::ReusePort;
    /// How many clients are accepted, or closed because they are late, before the others get their turn.
    const ACCEPTS_PER_TURN: usize = 64;
    const CLOSES_PER_TURN: usize = 64;
    /// The queue of the pairs whose upstream has not accepted yet, and that of the others, of which no byte moves.
    const CONNECTING: usize = 0;
    const IDLE: usize = 1;
    /// What the event loop waits for. Each has a method in `impl OnHandler` below, with its name.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Handler)]
    #[handler(state = Server<H>, message = Command, generics(<H:Hooked>))]
    pub enum On {
        /// Clients wait to be accepted at the listener of this number.
        #[io(readable, ready)]
        Listener(u8),
        /// The connection of a pair that was accepted. What has priority is an urgent byte, where it has to be known of.
        #[io(readable, writable, priority, ready)]
        Client(Key),
        /// The connection of a pair that was made for it.
        #[io(readable, writable, priority, ready)]
        Upstream(Key),
        /// A pair has waited too long in the queue of this number.
        #[timer]
        Late(u8),
        /// Accepting may succeed again.
        #[timer]
        Retry,
        /// The pairs have had their time to finish.
        #[timer]
        Drained,
        /// Time for statistics.
        #[timer]
        Beat,
        /// The first asks to finish, the second to end.
        #[signal(INT, TERM)]
        End,
        /// Somebody wants to see the counters.
        #[signal(USR1)]
        Report,
    }
    /// The server. It is a handler: to be run by a loop of its own, or nested in a larger program.
    pub struct Server<H> {
        /// What makes it yours.
        pub gateway: H,
        config: ProxyConfig,
        /// None once it drains.
        listeners: Vec<Listener>,
        accepting: Accepting,
        pairs: Slab<Pair>,
        /// For how long each pair has waited.
        waits: TimeoutQueues<2>,
        /// The timers of these queues, and whether they are set for a pair.
        alarms: [(Timeout, bool); 2],
        /// The buffers that all pairs share: an idle pair has none.
        pool: Pool,
        counters: Counters,
        tick: Option<Timeout>,
        drain: Option<Timeout>,
        phase: Phase,
        /// Nobody else lives in the loop, which is shut down when the last pair has gone.
        alone: bool,
    }
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Phase {
        Serving,
        /// Nobody is accepted any more.
        Draining,
        Done,
    }
    impl<H: Hooked> Server<H> {
        /// What is said above. Set where to listen, and whatever is to be different.
        pub fn config() -> ProxyConfig {
            ProxyConfig {
                listen: Vec::new(),
                capacity: CAPACITY,
                relay: Bounds {
                    buffer_bytes: BUFFER_BYTES,
                    buffers: BUFFERS,
                    burst_bytes: BURST_BYTES,
                    pipes: PIPES,
                    ..Bounds::default()
                },
                connect_timeout: CONNECT_TIMEOUT,
                retries: RETRIES,
                idle_timeout: IDLE_TIMEOUT,
                drain_timeout: DRAIN_TIMEOUT,
                accept_retry: ACCEPT_RETRY,
                tick: TICK,
                proxy_protocol: PROXY_PROTOCOL,
                nodelay: NODELAY,
                spin: SPIN,
                sharing: SHARING,
            }
        }
        /// Serves in a loop of its own until a signal has ended it.
        pub fn serve(
            gateway: H,
            config: ProxyConfig,
            listeners: Vec<Listener>,
        ) -> io::Result<Self> {
            let mut event_loop = EventLoop::with_config(config.event_loop())?;
            let mut server = Server::new(
                event_loop.scoped(),
                gateway,
                config,
                listeners,
            )?;
            server.heed_signals(event_loop.scoped())?;
            server.run(event_loop)
        }
        /// Serves in a thread for each of the lists of `config.shared_listeners`, until a signal has ended all of them.
        /// `make` makes what belongs to the worker of a number.
        pub fn serve_in_threads(
            make: impl Fn(usize) -> H + Sync,
            config: &ProxyConfig,
            listeners: Vec<Vec<Listener>>,
        ) -> io::Result<Counters> {
            let counters = run_workers(
                listeners,
                |mut worker| {
                    let mut event_loop = EventLoop::with_config(config.event_loop())?;
                    let (gateway, listeners) = (
                        make(worker.index()),
                        worker.take_listeners(),
                    );
                    let server = Server::new(
                        event_loop.scoped(),
                        gateway,
                        config.clone(),
                        listeners,
                    )?;
                    worker.starts(event_loop.sender());
                    Ok(server.run(event_loop)?.counters())
                },
            )?;
            Ok(counters.into_iter().fold(Counters::default(), |sum, one| sum + one))
        }
        /// A server that serves as soon as the loop runs. The loop needs the bounds of `config.event_loop()`, beside what others in it need.
        /// More than 64 listeners are `InvalidInput`; other errors are those of the loop, which had no room.
        pub fn new<L>(
            event_loop: &mut EventLoop<L, On>,
            gateway: H,
            config: ProxyConfig,
            listeners: Vec<Listener>,
        ) -> io::Result<Self> {
            if listeners.len() > Accepting::LISTENERS_MAX {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            for (listener, number) in listeners.iter().zip(0..) {
                listener.register(event_loop, On::Listener(number))?;
            }
            let ticks = !config.tick.is_zero();
            let tick = ticks
                .then(|| event_loop.interval(On::Beat, config.tick))
                .transpose()?;
            let timeouts = [config.connect_timeout, config.idle_timeout];
            let mut alarm = |queue| event_loop.interval(On::Late(queue), Duration::MAX);
            Ok(Server {
                gateway,
                listeners,
                accepting: Accepting::default(),
                pairs: Slab::with_capacity(config.capacity),
                waits: TimeoutQueues::with_capacity(config.capacity, timeouts),
                alarms: [(alarm(0)?, false), (alarm(1)?, false)],
                pool: config.pool(),
                counters: Counters::default(),
                tick,
                drain: None,
                phase: Phase::Serving,
                alone: false,
                config,
            })
        }
        /// Takes the signals that this server knows: no other part of the process may have them.
        pub fn heed_signals<L>(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
        ) -> io::Result<()> {
            event_loop.signals(On::End)?;
            match event_loop.signals(On::Report) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
                heeded => heeded,
            }
        }
        /// Runs until it has ended. The loop is the one that it was made with, and has no other handler.
        pub fn run(self, mut event_loop: EventLoop<Command>) -> io::Result<Self> {
            event_loop.run(self.alone())
        }
        /// Says that nobody else lives in its loop, so that it shuts that down at its end.
        #[must_use]
        pub fn alone(self) -> Self {
            Server { alone: true, ..self }
        }
        /// Where it listens, in the order of the listeners; nowhere once it drains.
        pub fn addresses(&self) -> impl Iterator<Item = io::Result<Address>> {
            self.listeners.iter().map(Listener::local_addr)
        }
        /// What it has done so far.
        pub fn counters(&self) -> Counters {
            let mut counters = self.counters;
            counters.open += self.pairs.len() as u64;
            counters.held_max = self.pool.held_max() as u64;
            counters
        }
        /// Whether it has drained or was stopped.
        pub fn is_done(&self) -> bool {
            self.phase == Phase::Done
        }
        /// Accepts no more and lets the pairs finish, for as long as the drain timeout says. If it drains already,
        /// it stops.
        pub fn drain<L>(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
            if self.phase != Phase::Serving {
                self.stop(event_loop);
                return Ok(());
            }
            self.phase = Phase::Draining;
            self.close_listeners(event_loop);
            self.drain = Some(
                event_loop.timeout(On::Drained, self.config.drain_timeout)?,
            );
            self.end_if_drained(event_loop);
            Ok(())
        }
        /// Closes everything.
        pub fn stop<L>(&mut self, event_loop: &mut EventLoop<L, On>) {
            self.phase = Phase::Draining;
            self.close_listeners(event_loop);
            for index in 0..self.pairs.capacity() {
                if let Some(key) = self.pairs.key_at(index) {
                    self.end_pair(key, Cause::Stopped);
                }
            }
            self.end_if_drained(event_loop);
        }
        fn report_counters(&mut self) {
            let counters = self.counters();
            self.gateway.report(&counters);
        }
        fn close_listeners<L>(&mut self, event_loop: &mut EventLoop<L, On>) {
            for (listener, number) in self.listeners.drain(..).zip(0..) {
                let _ = event_loop.close(listener, On::Listener(number));
            }
        }
        #[inline]
        fn end_if_drained<L>(&mut self, event_loop: &mut EventLoop<L, On>) {
            if self.phase == Phase::Draining && self.pairs.is_empty() {
                self.finish(event_loop);
            }
        }
        #[cold]
        fn finish<L>(&mut self, event_loop: &mut EventLoop<L, On>) {
            self.phase = Phase::Done;
            for timer in [self.tick.take(), self.drain.take()].into_iter().flatten() {
                event_loop.cancel(timer);
            }
            for (timer, _) in self.alarms {
                event_loop.cancel(timer);
            }
            if self.alone {
                event_loop.shutdown();
            }
        }
    }
    /// What the event loop calls.
    impl<H: Hooked, L> OnHandler<L> for Server<H> {
        fn listener_ready(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
            listener: u8,
            readiness: Readiness,
        ) -> io::Result<()> {
            if readiness.is_empty() || self.accepting.heard(listener.into()) {
                self.accept(event_loop)
            } else {
                Ok(())
            }
        }
        #[inline(always)]
        fn client_ready(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
            client: Key,
            readiness: Readiness,
        ) -> io::Result<()> {
            self.serve_pair(event_loop, client, Side::Client, readiness)
        }
        #[inline(always)]
        fn upstream_ready(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
            upstream: Key,
            readiness: Readiness,
        ) -> io::Result<()> {
            self.serve_pair(event_loop, upstream, Side::Upstream, readiness)
        }
        fn late(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
            queue: u8,
        ) -> io::Result<()> {
            let closed = self.close_late(event_loop, queue.into());
            self.set_alarm(event_loop, queue.into());
            self.pool.close_idle_pipes();
            closed
        }
        fn retry(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
            self.accept(event_loop)
        }
        fn drained(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
            self.drain = None;
            self.stop(event_loop);
            Ok(())
        }
        fn beat(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
            let counters = self.counters();
            self.gateway.tick(&counters);
            Ok(())
        }
        fn end(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
            _: SignalInfo,
        ) -> io::Result<()> {
            self.drain(event_loop)
        }
        fn report(&mut self, _: &mut EventLoop<L, On>, _: SignalInfo) -> io::Result<()> {
            self.report_counters();
            Ok(())
        }
        fn message(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
            command: Command,
        ) -> io::Result<()> {
            match command {
                Command::Drain => self.drain(event_loop)?,
                Command::Stop => self.stop(event_loop),
                Command::Report => self.report_counters(),
            }
            Ok(())
        }
    }
    use ::std;
    use ::std::prelude::rust_2021::*;
    use ::mio_core as mio_core;
}
/// The server of [`Louder`].
#[allow(dead_code)]
pub type Front = louder_server::Server<Louder>;
/// What the server of [`Louder`] waits for.
#[allow(unused_imports)]
pub use louder_server::On as FrontOn;
impl ::mio_core::proxy::SeesUp for Louder {}
const _: fn() = || {
    fn hooked<H: ::mio_core::proxy::Hooks + ::mio_core::proxy::InspectUp>() {}
    hooked::<Louder>();
};
