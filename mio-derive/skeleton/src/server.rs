//! The server: one event loop that accepts clients, connects each to the upstream that its gateway chooses,
//! and carries bytes between the two.

mod accepting;
mod pair;
mod relaying;
mod seen;
mod waiting;

use std::{io, time::Duration};

use mio_core::{
    EventLoop, Handler, Key, Readiness, SignalInfo, Slab, Timeout, TimeoutQueues,
    proxy::{
        Accepting, Address, Cause, Command, Counters, Listener, ProxyConfig, ProxyProtocol,
        Sharing, Side, run_workers,
    },
    relay::{Bounds, Pool},
};

use pair::Pair;
pub use seen::Hooked;

// What a `ProxyConfig` says if nobody says otherwise; each is explained there.
const CAPACITY: usize = 4096;
const BUFFER_BYTES: usize = 512 * 1024;
const BUFFERS: usize = 128;
const PIPES: usize = 64;
const BURST_BYTES: u64 = 256 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RETRIES: u32 = 0;
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
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
#[handler(state = Server<H>, message = Command, generics(<H: Hooked>))]
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
    pub fn serve(gateway: H, config: ProxyConfig, listeners: Vec<Listener>) -> io::Result<Self> {
        let mut event_loop = EventLoop::with_config(config.event_loop())?;
        let mut server = Server::new(event_loop.scoped(), gateway, config, listeners)?;
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
        let counters = run_workers(listeners, |mut worker| {
            let mut event_loop = EventLoop::with_config(config.event_loop())?;
            let (gateway, listeners) = (make(worker.index()), worker.take_listeners());
            let server = Server::new(event_loop.scoped(), gateway, config.clone(), listeners)?;
            worker.starts(event_loop.sender());
            Ok(server.run(event_loop)?.counters())
        })?;
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
        let tick = ticks.then(|| event_loop.interval(On::Beat, config.tick)).transpose()?;
        let timeouts = [config.connect_timeout, config.idle_timeout];
        // They are never due of themselves, and stay to be set again.
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
    pub fn heed_signals<L>(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
        event_loop.signals(On::End)?;
        match event_loop.signals(On::Report) {
            // Windows has no such signal.
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
        self.drain = Some(event_loop.timeout(On::Drained, self.config.drain_timeout)?);
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
            // It is registered, so that nothing can fail.
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
        // Nothing is what the server itself has asked for.
        if readiness.is_empty() || self.accepting.heard(listener.into()) {
            self.accept(event_loop)
        } else {
            Ok(())
        }
    }

    // Nearly all events are for this one and the next, which become a part of the loop's walk over them.
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

    fn late(&mut self, event_loop: &mut EventLoop<L, On>, queue: u8) -> io::Result<()> {
        let closed = self.close_late(event_loop, queue.into());
        self.set_alarm(event_loop, queue.into());
        // As long as there are pairs this comes again, and once after the last: what bulk has opened is not kept for ever.
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

    fn end(&mut self, event_loop: &mut EventLoop<L, On>, _: SignalInfo) -> io::Result<()> {
        self.drain(event_loop)
    }

    fn report(&mut self, _: &mut EventLoop<L, On>, _: SignalInfo) -> io::Result<()> {
        self.report_counters();
        Ok(())
    }

    fn message(&mut self, event_loop: &mut EventLoop<L, On>, command: Command) -> io::Result<()> {
        match command {
            Command::Drain => self.drain(event_loop)?,
            Command::Stop => self.stop(event_loop),
            Command::Report => self.report_counters(),
        }
        Ok(())
    }
}
