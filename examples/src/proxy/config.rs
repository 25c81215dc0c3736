//! The bounds of a proxy.

use std::{net::SocketAddr, time::Duration};

/// Where a proxy stands and every bound it keeps, each with a default.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where clients connect to.
    pub listen: SocketAddr,
    /// Whom they get.
    pub upstream: SocketAddr,
    /// Pairs of connections at a time; further clients wait in the listener's queue. Default 4,096.
    pub pairs: usize,
    /// Remainders held at a time, of those that a sink did not take. Default 256: 16 MiB, if all
    /// are ever used.
    pub buffers: usize,
    /// The length of the scratch buffer and of each remainder's. Default 64 KiB.
    pub buffer_bytes: usize,
    /// How much one way may carry before it yields to the others. Default 256 KiB.
    pub burst_bytes: u64,
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
            buffers: 256,
            buffer_bytes: 64 * 1024,
            burst_bytes: 256 * 1024,
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
