//! A TCP proxy, and a demonstration of it that checks every byte.
//!
//! Without arguments it starts an upstream, a proxy and clients on loopback, each in a thread of
//! its own, puts four kinds of load on it, and prints what it measured:
//!
//!     cargo run --release --example proxy
//!     cargo run --release --example proxy -- --seconds 20
//!
//! And this is a proxy to use. SIGINT or SIGTERM drains it, a second one ends it, SIGUSR1 prints its
//! counters; `--stats` shows them as they grow:
//!
//!     cargo run --release --example proxy -- --listen 127.0.0.1:8080 --upstream 127.0.0.1:80
//!
//! The proxy itself is in `src/proxy/` and the upstream in `src/echo.rs`; here is what surrounds
//! them.

mod arguments;
mod demo;
mod load;
mod pattern;

use std::{error::Error, io, net::SocketAddr};

use arguments::{HELP, Mode, Serve};
use examples::proxy::{self, Gateway, GatewayServer, Stats};
use mio_core::proxy::{Listener, ProxyConfig};

fn main() -> Result<(), Box<dyn Error>> {
    run(lexopt::Parser::from_env())
}

pub(crate) fn run(arguments: lexopt::Parser) -> Result<(), Box<dyn Error>> {
    match arguments::parse(arguments)? {
        Mode::Help => println!("{HELP}"),
        Mode::Demonstrate(duration) => demo::run(duration, |upstream| {
            let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()];
            let config = ProxyConfig { listen, ..GatewayServer::config() };
            proxy::start(Gateway::new(vec![upstream.into()], None), config)
        })?,
        Mode::Serve(serve) => self::serve(*serve)?,
    }
    Ok(())
}

fn serve(serve: Serve) -> io::Result<()> {
    let Serve { config, upstreams, workers, stats } = serve;
    let mut views = Stats::of(workers);
    let counters = if workers > 1 {
        let views: Vec<Option<Stats>> =
            views.into_iter().map(|view| stats.then_some(view)).collect();
        let listeners = config.shared_listeners(workers)?;
        announce(&listeners[0], &upstreams)?;
        let make = |worker: usize| Gateway::new(upstreams.clone(), views[worker].clone());
        GatewayServer::serve_in_threads(make, &config, listeners)?
    } else {
        let listeners = config.listeners()?;
        announce(&listeners, &upstreams)?;
        let gateway = Gateway::new(upstreams, stats.then(|| views.remove(0)));
        GatewayServer::serve(gateway, config, listeners)?.counters()
    };
    print!("{counters}");
    Ok(())
}

/// Says from where to where.
fn announce(listeners: &[Listener], upstreams: &[mio_core::proxy::Address]) -> io::Result<()> {
    let from: Vec<String> = listeners
        .iter()
        .map(|listener| listener.local_addr().map(|address| address.to_string()))
        .collect::<io::Result<_>>()?;
    let to: Vec<String> = upstreams.iter().map(ToString::to_string).collect();
    println!("from {} to {}", from.join(", "), to.join(", "));
    Ok(())
}
