//! The bounds of a proxy.

use std::{net::SocketAddr, time::Duration};

use mio_core::relay::Bounds;

/// Where a proxy stands and every bound it keeps, each with a default.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where clients connect to.
    pub listen: SocketAddr,
    /// Whom they get.
    pub upstream: SocketAddr,
    /// Pairs of connections at a time; further clients wait in the listener's queue. Default 4,096.
    pub pairs: usize,
    /// Buffers, pipes, and how much one way may carry before it yields to the others.
    pub relay: Bounds,
    /// How long connecting to the upstream may take. Default 5 s.
    pub connect_timeout: Duration,
    /// How long a pair may live without a byte moved. Default 60 s.
    pub idle_timeout: Duration,
    /// How long pairs may take to finish once the proxy drains. Default 30 s.
    pub drain_timeout: Duration,
    /// When to try again to accept after descriptors or memory ran out. Default 100 ms.
    pub accept_retry: Duration,
}

impl Config {
    /// The defaults between these two addresses.
    #[must_use]
    pub fn new(listen: SocketAddr, upstream: SocketAddr) -> Config {
        Config {
            listen,
            upstream,
            pairs: 4096,
            relay: Bounds::default(),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            accept_retry: Duration::from_millis(100),
        }
    }

    /// The bounds of a loop that runs this proxy and nothing else: two sources a pair and the
    /// listener, a timer a pair and two of the proxy's own.
    #[must_use]
    pub fn event_loop(&self) -> mio_core::Config {
        mio_core::Config {
            sources: 2 * self.pairs + 1,
            timers: self.pairs + 2,
            messages: 16,
            ..mio_core::Config::default()
        }
    }
}
