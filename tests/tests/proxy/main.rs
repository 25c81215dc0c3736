//! What `#[derive(Proxy)]` makes, seen from both of its sides.
#![cfg(any(unix, windows))]

mod addresses;
mod adopting;
mod calls;
mod exhaustion;
mod generics;
mod hooks;
mod nesting;
mod options;
mod retries;
// Nothing can stand in front of a C library that is linked in.
#[cfg(all(target_os = "linux", not(any(mio_core_poll, target_env = "musl"))))]
mod simulation;
mod timeouts;
mod workers;

use std::net::{TcpListener, TcpStream};

use mio_core::{
    Proxy,
    proxy::{Address, Client, Hooks, ProxyConfig},
};
use tests::peers::{PATIENCE, accept, patient, read, read_to_end};

/// Gives everybody the same upstream.
#[derive(Proxy)]
pub(crate) struct Plain {
    pub(crate) upstream: Address,
}

impl Hooks for Plain {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.upstream.clone())
    }
}

/// Runs a server of this type in a thread, with these hooks and this config: answers its addresses, how to ask it for
/// something, and the thread, which answers with the server.
macro_rules! serving {
    ($server:ident, $hooks:expr, $config:expr) => {{
        let config = $config;
        let mut event_loop = mio_core::EventLoop::with_config(config.event_loop()).unwrap();
        let listeners = config.listeners().unwrap();
        let server = $server::new(event_loop.scoped(), $hooks, config, listeners).unwrap();
        let addresses: Vec<mio_core::proxy::Address> =
            server.addresses().collect::<Result<_, _>>().unwrap();
        let sender = event_loop.sender();
        (addresses, sender, std::thread::spawn(move || server.run(event_loop).unwrap()))
    }};
}
pub(crate) use serving;

fn upstream() -> (TcpListener, Address) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().into();
    (listener, address)
}

fn connect(address: &Address) -> TcpStream {
    patient(TcpStream::connect(address.tcp().unwrap()).unwrap())
}

fn listen(addresses: &[&str], mut config: ProxyConfig) -> ProxyConfig {
    config.listen = addresses.iter().map(|address| address.parse().unwrap()).collect();
    config
}
