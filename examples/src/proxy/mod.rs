//! A TCP proxy by the derive: several addresses, several upstreams in turn, and statistics.
//!
//! What it promises is what every [derived](derive@Proxy) one does; the same by hand, as far as one listener
//! and one upstream go, is [`proxy_raw`](crate::proxy_raw).

mod service;
mod stats;

use mio_core::{
    Proxy,
    proxy::{Address, Client, Counters, Hooks},
};

pub use service::Service;
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
