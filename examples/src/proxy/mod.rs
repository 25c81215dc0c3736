//! A TCP proxy by the derive: several addresses, several upstreams in turn, and statistics.
//!
//! What it promises is what every [derived](derive@Proxy) one does; the same by hand, as far as one listener
//! and one upstream go, is [`proxy_raw`](crate::proxy_raw).

mod stats;

use std::io;

use mio_core::{
    EventLoop, Proxy,
    proxy::{Address, Client, Counters, Hooks, ProxyConfig},
};

use crate::service::Service;

pub use stats::Stats;

/// Gives its upstreams to clients in turn.
#[derive(Proxy, Debug)]
pub struct Gateway {
    upstreams: Vec<Address>,
    /// Whose turn it is.
    next: usize,
    stats: Option<Stats>,
}

impl Gateway {
    /// Between clients and these upstreams, of which there is one at least; with `stats`, they are shown
    /// at each [tick](mio_core::proxy::ProxyConfig::tick).
    #[must_use]
    pub fn new(upstreams: Vec<Address>, stats: Option<Stats>) -> Gateway {
        Gateway { upstreams, next: 0, stats }
    }
}

/// Starts one in a thread of its own. Its listeners are there when this returns.
///
/// # Errors
///
/// Those of [`EventLoop::with_config`], of listening and of [`Service::start`]; `InvalidInput` if the first
/// listener is no TCP socket.
pub fn start(gateway: Gateway, config: ProxyConfig) -> io::Result<Service> {
    let mut event_loop = EventLoop::with_config(config.event_loop())?;
    let listeners = config.listeners()?;
    let first = listeners.first().ok_or(io::ErrorKind::InvalidInput)?;
    let address = first.local_addr()?.tcp().ok_or(io::ErrorKind::InvalidInput)?;
    let server = GatewayServer::new(event_loop.scoped(), gateway, config, listeners)?;
    let sender = event_loop.sender();
    Service::start(address, sender, move || server.run(event_loop).map(|server| server.counters()))
}

impl Hooks for Gateway {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        let upstream = self.upstreams.get(self.next)?;
        self.next = (self.next + 1) % self.upstreams.len();
        Some(upstream.clone())
    }

    fn tick(&mut self, counters: &Counters) {
        if let Some(stats) = &mut self.stats {
            stats.show(counters);
        }
    }
}
