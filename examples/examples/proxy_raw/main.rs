//! A TCP proxy by hand, on the raw `Handler` trait, and a demonstration of it that checks every byte.
//! The example `proxy` is the same by the derive.
//!
//! Without arguments it starts an upstream, a proxy and clients on loopback, each in a thread of
//! its own, puts four kinds of load on it, and prints what it measured:
//!
//!     cargo run --release --example proxy_raw
//!     cargo run --release --example proxy_raw -- --seconds 20
//!
//! And this is a proxy to use. SIGINT or SIGTERM drains it, a second one ends it:
//!
//!     cargo run --release --example proxy_raw -- --listen 127.0.0.1:8080 --upstream 127.0.0.1:80
//!
//! The proxy itself is in `src/proxy_raw/` and the upstream in `src/echo.rs`; here is what surrounds
//! them.

#[path = "../proxy/demo.rs"]
mod demo;
#[path = "../proxy/load.rs"]
mod load;
#[path = "../proxy/pattern.rs"]
mod pattern;

use std::{error::Error, net::SocketAddr, time::Duration};

use examples::proxy_raw::{self, Config, Proxy};
use lexopt::{Arg, ValueExt};
use mio_core::{EventLoop, Signal, SignalSet, proxy::Command};

const HELP: &str = "\
A TCP proxy by hand, or a demonstration of it.

    proxy_raw [--seconds N]                     demonstrate, for about N seconds (6)
    proxy_raw --listen ADDR --upstream ADDR     be a proxy
        --pairs N                           connections at a time (4096)
        --connect-timeout SECONDS           (5)
        --idle-timeout SECONDS              (60)
        --drain-timeout SECONDS             (30)";

const DRAIN: SignalSet = SignalSet::EMPTY.with(Signal::INT).with(Signal::TERM);

/// What is wanted.
enum Mode {
    Help,
    Demonstrate(Duration),
    Serve(Config),
}

fn main() -> Result<(), Box<dyn Error>> {
    match parse(lexopt::Parser::from_env())? {
        Mode::Help => println!("{HELP}"),
        Mode::Demonstrate(duration) => demo::run(duration, |upstream| {
            proxy_raw::start(Config::new(SocketAddr::from(([127, 0, 0, 1], 0)), upstream))
        })?,
        Mode::Serve(config) => serve(config)?,
    }
    Ok(())
}

fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    let upstream = config.upstream;
    let mut event_loop = EventLoop::<Command>::with_config(config.event_loop())?;
    event_loop.signals_with(DRAIN, 0u64)?;
    let proxy = Proxy::new(&mut event_loop, config)?;
    println!("from {} to {upstream}", proxy.local_addr()?);
    let proxy = event_loop.run(proxy)?;
    print!("{}", proxy.counters());
    Ok(())
}

fn parse(mut parser: lexopt::Parser) -> Result<Mode, lexopt::Error> {
    let unset = SocketAddr::from(([0, 0, 0, 0], 0));
    let mut config = Config::new(unset, unset);
    let (mut listens, mut connects) = (false, false);
    let mut duration = Duration::from_secs(6);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("listen") => (config.listen, listens) = (parser.value()?.parse()?, true),
            Arg::Long("upstream") => (config.upstream, connects) = (parser.value()?.parse()?, true),
            Arg::Long("pairs") => config.pairs = parser.value()?.parse()?,
            Arg::Long("connect-timeout") => config.connect_timeout = seconds(&mut parser)?,
            Arg::Long("idle-timeout") => config.idle_timeout = seconds(&mut parser)?,
            Arg::Long("drain-timeout") => config.drain_timeout = seconds(&mut parser)?,
            Arg::Long("seconds") => duration = seconds(&mut parser)?,
            Arg::Long("help") | Arg::Short('h') => return Ok(Mode::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    match (listens, connects) {
        (true, true) => Ok(Mode::Serve(config)),
        (false, false) => Ok(Mode::Demonstrate(duration)),
        _ => Err("--listen and --upstream go together".into()),
    }
}

fn seconds(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    let seconds: f64 = parser.value()?.parse()?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a span of time".into())
}
