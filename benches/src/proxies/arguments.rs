//! The command line of the relays, the one of the proxy example.

use std::net::SocketAddrV4;

/// `--listen ADDR --upstream ADDR`.
pub fn addresses(mut all: impl Iterator<Item = String>) -> (SocketAddrV4, SocketAddrV4) {
    let (mut listen, mut upstream) = (None, None);
    while let Some(name) = all.next() {
        let value = all.next().and_then(|value| value.parse().ok());
        match name.as_str() {
            "--listen" => listen = value,
            "--upstream" => upstream = value,
            _ => panic!("no such option: {name}"),
        }
    }
    (listen.expect("--listen ADDR"), upstream.expect("--upstream ADDR"))
}
