//! Every bound of a proxy.

use std::time::Duration;

use super::{Accepting, Address, ProxyProtocol};
use crate::{
    config::Config,
    relay::{Bounds, Pool},
};

/// Where a proxy listens and every bound it keeps. The defaults are what the attributes of the derive say, and
/// where they say nothing, these.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// Where clients connect to: up to 64 places. A server with more is `InvalidInput`.
    pub listen: Vec<Address>,
    /// Pairs of connections at a time; further clients wait in the listener's queue. Default 4,096.
    pub capacity: usize,
    /// Buffers, pipes, and how much one way of a pair may carry before it yields to the others.
    pub relay: Bounds,
    /// How long connecting to the upstream may take, and up to a 64th of that longer; each try of several. Default 5 s.
    pub connect_timeout: Duration,
    /// How often [`Hooks::upstream`](super::Hooks::upstream) is asked for another upstream for a client, after one that
    /// refused, could not be reached or did not answer in time. It is tried at once. Default 0: the client is closed.
    pub retries: u32,
    /// How long a pair may live without a byte moved, and up to a 64th of that longer. Default 60 s.
    pub idle_timeout: Duration,
    /// How long pairs may take to finish once the proxy drains. Default 30 s.
    pub drain_timeout: Duration,
    /// When to try again to accept after descriptors or memory ran out. Default 100 ms.
    pub accept_retry: Duration,
    /// How often [`Hooks::tick`](super::Hooks::tick) is called. Default zero: never.
    pub tick: Duration,
    /// Whether the upstream is told who the client is. Default off.
    pub proxy_protocol: ProxyProtocol,
    /// Whether small writes go out at once, on TCP. Default yes.
    pub nodelay: bool,
    /// For how long a loop of its own looks for events before it sleeps:
    /// [`Config::spin`](crate::Config::spin). Default zero.
    pub spin: Duration,
    /// How workers share the listeners. Default [`Sharing::ReusePort`].
    pub sharing: Sharing,
}

/// How the listeners of one address are shared by several loops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Each loop has a listener and a queue of its own (`SO_REUSEPORT`), and the system spreads the clients.
    /// Unix sockets cannot; they are shared as with `Exclusive`.
    ///
    /// Portability: nor can TCP on Windows, illumos and Solaris. On some Unixes one of the loops may get all clients.
    #[default]
    ReusePort,
    /// All loops wait for one queue, and one of them is woken for a client: a loop that is busy is passed over.
    ///
    /// Portability: epoll. Elsewhere all of them are woken, and one finds the client.
    Exclusive,
}

impl ProxyConfig {
    /// The bounds of an event loop that runs this proxy and nothing else: two sources a pair and the
    /// listeners, and five timers, however many pairs there are.
    #[must_use]
    pub fn event_loop(&self) -> Config {
        Config {
            sources: 2 * self.capacity + Accepting::LISTENERS_MAX,
            timers: 5,
            messages: 16,
            spin: self.spin,
            ..Config::default()
        }
    }

    /// What its pairs share. Each may have to wait for a buffer.
    #[must_use]
    pub fn pool(&self) -> Pool {
        Pool::new(Bounds { waiting: self.capacity, ..self.relay })
    }
}

impl Default for ProxyConfig {
    fn default() -> ProxyConfig {
        ProxyConfig {
            listen: Vec::new(),
            capacity: 4096,
            relay: Bounds::default(),
            connect_timeout: Duration::from_secs(5),
            retries: 0,
            idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            accept_retry: Duration::from_millis(100),
            tick: Duration::ZERO,
            proxy_protocol: ProxyProtocol::Off,
            nodelay: true,
            spin: Duration::ZERO,
            sharing: Sharing::ReusePort,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config = ProxyConfig::default();
        let ProxyConfig { connect_timeout, idle_timeout, drain_timeout, .. } = config;
        let ProxyConfig { accept_retry, tick, spin, .. } = config;
        let times = [connect_timeout, idle_timeout, drain_timeout, accept_retry, tick, spin];
        assert_eq!(times.map(|time| time.as_millis()), [5_000, 60_000, 30_000, 100, 0, 0]);
        assert_eq!((config.listen.len(), config.capacity, config.retries), (0, 4096, 0));
        let ProxyConfig { proxy_protocol, nodelay, sharing, relay, .. } = config;
        let words = (proxy_protocol, nodelay, sharing);
        assert_eq!(words, (ProxyProtocol::Off, true, Sharing::ReusePort));
        let Bounds { buffers, buffer_bytes, burst_bytes, waiting, pipes, pipe_bytes } = relay;
        assert_eq!((buffers, waiting, pipes), (128, 0, 64));
        assert_eq!((buffer_bytes, burst_bytes, pipe_bytes), (512 << 10, 256 << 10, 512 << 10));
    }

    #[test]
    fn the_bounds_of_the_loop_follow_from_those_of_the_proxy() {
        let spin = Duration::from_micros(7);
        let config = ProxyConfig { capacity: 10, spin, ..ProxyConfig::default() };
        let bounds = config.event_loop();
        assert_eq!(
            (bounds.sources, bounds.timers, bounds.messages, bounds.spin),
            (84, 5, 16, spin)
        );
    }
}
