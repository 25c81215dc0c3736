//! A TCP proxy. What is particular about it is in here; how it serves is in [`server`], and the program is
//! in `main.rs`.

pub mod server;

use mio_core::proxy::{Address, Client, Hooks};

/// Sends every client to the same upstream.
pub struct Gateway {
    /// Where that is.
    pub upstream: Address,
}

/// The server of it.
pub type Server = server::Server<Gateway>;

impl Hooks for Gateway {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.upstream.clone())
    }
    // `Hooks` has more: who was accepted, what became of a pair, time for statistics.
}
