//! A TCP proxy by hand, on the raw [`Handler`] trait: one thread, one upstream, any number of
//! pairs.
//!
//! What it promises:
//!
//! - **Every byte, in order, both ways**, and the end of each way for itself: a half-close on one
//!   side becomes a half-close on the other. A reset becomes a reset.
//! - **Bounded memory, none of it taken later; fairness; no system call without news.** That is what
//!   [`mio_core::relay`] promises, which moves the bytes; its bounds are [`Config::relay`].
//! - **Bad luck has an outcome.** Descriptors run out: a client that was accepted before the
//!   upstream's could be had is closed, the others wait in the listener's queue, and accepting is
//!   tried again by a timer, not in a spin. The table is full: they wait until a pair ends. The
//!   upstream refuses or does not answer in time: the client is closed. Nothing moves for too long:
//!   both are closed.
//! - **A drain.** On a signal or a [`Command`] the listener closes and the pairs get time to
//!   finish; a second one ends them.
//!
//! Why a pair ends and what is counted is said as every proxy says it, with [`Cause`] and [`Counters`].
//!
//! A pair's two streams are registered once, for both directions, under its key and the side in the
//! lowest bit; a pair that has ended leaves stale keys behind, which find nothing.

mod config;

use std::{io, net::SocketAddr, time::Duration};

use mio_core::{
    EventLoop, Expiry, Handler, Interest, Key, Readiness, SignalInfo, Slab, Timeout, Trigger,
    net::{AcceptFailure, TcpListener, TcpStream},
    proxy::{Cause, Command, Counters, Side},
    relay::{Flow, INTEREST, Pool, Progress, Way},
};

use crate::service::Service;

pub use config::Config;

/// The places of the two sides in arrays, and in tokens.
const CLIENT: usize = Side::Client as usize;
const UPSTREAM: usize = Side::Upstream as usize;
const SIDES: [Side; 2] = [Side::Client, Side::Upstream];

/// Tokens that are no pair's: no key has such bits.
const LISTENER: u64 = 1 << 60;
const RETRY: u64 = 1 << 61;
const DRAINED: u64 = 1 << 62;

const ACCEPTS_PER_TURN: usize = 64;

/// The proxy: a handler, to be run by the loop that it was made with.
#[derive(Debug)]
pub struct Proxy {
    config: Config,
    /// `None` once it drains.
    listener: Option<TcpListener>,
    pairs: Slab<Pair>,
    pool: Pool,
    counters: Counters,
    /// Why nobody is accepted at the moment.
    pause: Pause,
}

#[derive(Debug)]
struct Pair {
    streams: [TcpStream; 2],
    flows: [Flow; 2],
    /// The connect timeout, then the idle timeout.
    timer: Timeout,
    connected: bool,
    /// It stopped to be fair, and its turn will come.
    yielded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    Not,
    /// Until a pair ends.
    Full,
    /// Until the timer.
    BackOff,
    /// Until the next turn, to be fair.
    Yielded,
}

/// Starts one in a thread of its own. Its listener is there when this returns.
///
/// # Errors
///
/// Those of [`EventLoop::with_config`], [`Proxy::new`] and [`Service::start`].
pub fn start(config: Config) -> io::Result<Service> {
    let mut event_loop = EventLoop::with_config(config.event_loop())?;
    let proxy = Proxy::new(&mut event_loop, config)?;
    let (address, sender) = (proxy.local_addr()?, event_loop.sender());
    Service::start(address, sender, move || event_loop.run(proxy).map(|proxy| proxy.counters()))
}

impl Proxy {
    /// Listens, and serves as soon as the loop runs. The loop needs the bounds of
    /// [`Config::event_loop`].
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::bind`] and [`EventLoop::register`].
    pub fn new(event_loop: &mut EventLoop<Command>, config: Config) -> io::Result<Proxy> {
        let listener = TcpListener::bind(config.listen)?;
        event_loop.register_with(&listener, LISTENER, Interest::READABLE, Trigger::Edge)?;
        Ok(Proxy {
            listener: Some(listener),
            pairs: Slab::with_capacity(config.pairs),
            pool: Pool::new(config.relay),
            counters: Counters::default(),
            pause: Pause::Not,
            config,
        })
    }

    /// The address it listens on, with the port that the system chose.
    ///
    /// # Errors
    ///
    /// `NotConnected` once it drains.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.as_ref().ok_or(io::ErrorKind::NotConnected)?.local_addr()
    }

    /// What it has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let held_max = self.pool.held_max() as u64;
        Counters { open: self.pairs.len() as u64, held_max, ..self.counters }
    }

    /// Accepts until nobody waits, or until it has to pause. Whoever ends the pause calls again.
    fn accept(&mut self, event_loop: &mut EventLoop<Command>) {
        self.pause = Pause::Not;
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(listener) = &self.listener else { return };
            if self.pairs.is_full() {
                self.pause = Pause::Full;
                return;
            }
            let opened = match listener.accept() {
                Ok((client, _)) => self.open(event_loop, client),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => Err(error),
            };
            if opened.is_err_and(|error| !concerns_one_connection(&error)) {
                return self.back_off(event_loop);
            }
        }
        self.accept_next_turn(event_loop);
    }

    /// No descriptor, no port or no memory is left. No edge will tell when that changes.
    fn back_off(&mut self, event_loop: &mut EventLoop<Command>) {
        self.counters.back_offs += 1;
        self.pause = Pause::BackOff;
        if let Err(error) = event_loop.timeout(RETRY, self.config.accept_retry) {
            event_loop.fail(error);
        }
    }

    fn accept_next_turn(&mut self, event_loop: &mut EventLoop<Command>) {
        self.pause = Pause::Yielded;
        if event_loop.again(LISTENER, Readiness::empty()).is_err() {
            self.back_off(event_loop);
        }
    }

    /// Begins to connect a client to the upstream. On an error the client is closed.
    fn open(&mut self, event_loop: &mut EventLoop<Command>, client: TcpStream) -> io::Result<()> {
        self.counters.accepted += 1;
        let opened = self.try_open(event_loop, client);
        self.counters.not_opened += u64::from(opened.is_err());
        opened
    }

    fn try_open(
        &mut self,
        event_loop: &mut EventLoop<Command>,
        client: TcpStream,
    ) -> io::Result<()> {
        let entry = self.pairs.vacant_entry()?;
        let key = entry.key();
        let upstream = TcpStream::connect(self.config.upstream)?;
        client.set_nodelay(true)?;
        upstream.set_nodelay(true)?;
        let timer = event_loop.timeout(key.to_bits(), self.config.connect_timeout)?;
        let pair = Pair {
            streams: [client, upstream],
            flows: [Flow::new(), Flow::to_a_ready_sink()],
            timer,
            connected: false,
            yielded: false,
        };
        let registered = [CLIENT, UPSTREAM].into_iter().try_for_each(|side| {
            let token = token(key, side);
            event_loop.register_with(&pair.streams[side], token, INTEREST, Trigger::Edge)
        });
        if registered.is_err() {
            event_loop.cancel(timer);
            let [client, _] = pair.streams;
            // `NotFound` if registering this one is what failed.
            let _ = event_loop.close(client, token(key, CLIENT));
            return registered;
        }
        entry.insert(pair);
        Ok(())
    }

    fn end(&mut self, event_loop: &mut EventLoop<Command>, key: Key, cause: Cause) {
        let Some(pair) = self.pairs.remove(key) else { return };
        event_loop.cancel(pair.timer);
        self.counters.count(cause);
        pair.flows.into_iter().for_each(|mut flow| flow.close(&mut self.pool));
        for (side, stream) in pair.streams.into_iter().enumerate() {
            if cause.resets(SIDES[side]) {
                // A drop without lingering is a reset. If it cannot be had, the peer sees the end.
                let _ = stream.set_linger(Some(Duration::ZERO));
            }
            // It is registered, so that nothing can fail.
            let _ = event_loop.close(stream, token(key, side));
        }
        if self.listener.is_none() && self.pairs.is_empty() {
            event_loop.shutdown();
        } else if self.pause == Pause::Full {
            self.accept_next_turn(event_loop);
        }
    }

    fn drain(&mut self, event_loop: &mut EventLoop<Command>) {
        let Some(listener) = self.listener.take() else { return event_loop.shutdown() };
        let _ = event_loop.close(listener, LISTENER);
        if self.pairs.is_empty() {
            event_loop.shutdown();
        } else if let Err(error) = event_loop.timeout(DRAINED, self.config.drain_timeout) {
            event_loop.fail(error);
        }
    }
}

impl Handler<Command> for Proxy {
    fn ready(&mut self, event_loop: &mut EventLoop<Command>, token: u64, readiness: Readiness) {
        let Some((key, side)) = Key::from_tagged::<1>(token) else {
            return match self.pause {
                Pause::Not => self.accept(event_loop),
                Pause::Yielded if readiness.is_empty() => self.accept(event_loop),
                _ => {}
            };
        };
        let Some(pair) = self.pairs.get_mut(key) else { return };
        let before = (self.counters.bytes(), pair.connected);
        let advanced = pair
            .hear(side as usize, readiness)
            .and_then(|()| pair.advance(&mut self.pool, &mut self.counters.ways));
        match advanced {
            Ok(Progress::Yields) if !pair.yielded => {
                // No readiness is news of nothing: go on where you were.
                if event_loop.again(token, Readiness::empty()).is_err() {
                    return self.end(event_loop, key, Cause::NoRoom);
                }
                pair.yielded = true;
            }
            Ok(_) => {}
            Err(cause) => return self.end(event_loop, key, cause),
        }
        if (self.counters.bytes(), pair.connected) != before {
            event_loop.reschedule(pair.timer, self.config.idle_timeout);
        }
    }

    fn timeout(&mut self, event_loop: &mut EventLoop<Command>, token: u64, _expiry: Expiry) {
        match token {
            RETRY => self.accept(event_loop),
            DRAINED => event_loop.shutdown(),
            _ => {
                let key = Key::from_bits_truncate(token);
                let Some(pair) = self.pairs.get(key) else { return };
                let cause = if pair.connected { Cause::IdleTimeout } else { Cause::ConnectTimeout };
                self.end(event_loop, key, cause);
            }
        }
    }

    fn message(&mut self, event_loop: &mut EventLoop<Command>, command: Command) {
        match command {
            Command::Drain => self.drain(event_loop),
            Command::Stop => event_loop.shutdown(),
            Command::Report => eprint!("{}", self.counters()),
        }
    }

    fn signal(&mut self, event_loop: &mut EventLoop<Command>, _token: u64, _info: SignalInfo) {
        self.drain(event_loop);
    }
}

impl Pair {
    /// Takes in what the kernel says of one side.
    fn hear(&mut self, side: usize, readiness: Readiness) -> Result<(), Cause> {
        if readiness.is_empty() {
            self.yielded = false;
            return Ok(());
        }
        if readiness.contains(Readiness::ERROR) {
            if let Some(error) = self.streams[side].take_error().unwrap_or_else(Some) {
                let connecting = side == UPSTREAM && !self.connected;
                let kind = error.kind();
                let broken = Cause::Broken(SIDES[side], kind);
                return Err(if connecting { Cause::ConnectFailed(kind) } else { broken });
            }
        }
        self.connected |= side == UPSTREAM && readiness.wants_write();
        self.flows[side].source_is(readiness);
        self.flows[1 - side].sink_is(readiness);
        Ok(())
    }

    /// Carries both ways as far as it is fair.
    fn advance(&mut self, pool: &mut Pool, ways: &mut [Way; 2]) -> Result<Progress, Cause> {
        if self.yielded {
            return Ok(Progress::Yields);
        }
        let Pair { streams: [client, upstream], flows: [up, down], .. } = self;
        let [counted_up, counted_down] = ways;
        let up = up
            .advance(client, upstream, pool, counted_up, &mut ())
            .map_err(|broken| Cause::broken(broken, Side::Client))?;
        let down = down
            .advance(upstream, client, pool, counted_down, &mut ())
            .map_err(|broken| Cause::broken(broken, Side::Upstream))?;
        if self.flows.iter().all(Flow::is_finished) {
            return Err(Cause::Finished);
        }
        Ok(if up == Progress::Waits { down } else { up })
    }
}

fn token(key: Key, side: usize) -> u64 {
    key.tagged::<1>(side as u64)
}

/// Whether an error of accepting or connecting says nothing of the next connection.
fn concerns_one_connection(error: &io::Error) -> bool {
    AcceptFailure::of(error) == AcceptFailure::Connection
        || error.kind() == io::ErrorKind::ConnectionRefused
}

#[cfg(test)]
mod tests;
