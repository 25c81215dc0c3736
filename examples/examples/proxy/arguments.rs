//! What the command line says.

use std::time::Duration;

use examples::proxy::GatewayServer;
use lexopt::{Arg, ValueExt};
use mio_core::proxy::{Address, ProxyConfig, ProxyProtocol, Sharing};

pub(crate) const HELP: &str = "\
A TCP proxy, or a demonstration of it.

    proxy [--seconds N]                     demonstrate, for about N seconds (6)
    proxy --listen ADDR --upstream ADDR     be a proxy
        --listen, --upstream                both several times; upstreams take turns
        --pairs N                           connections at a time (4096)
        --connect-timeout SECONDS           (5)
        --retries N                         upstreams to try after one that was not reached (0)
        --idle-timeout SECONDS              (60)
        --drain-timeout SECONDS             (30)
        --proxy-protocol v1|v2              tell the upstreams who the client is
        --workers N                         loops in threads (1)
        --exclusive                         workers share one queue, instead of one each
        --buffer BYTES                      how much is copied at a time (524288)
        --burst BYTES                       how much before the others get their turn (262144)
        --pipes N                           to splice bulk through; with 0 all is copied (64)
        --spin SECONDS                      look for events so long before sleeping (0)
        --stats                             show what it does, each second

    ADDR is IP:PORT or unix:PATH. INT and TERM drain, USR1 prints the counters.";

/// What is wanted.
pub(crate) enum Mode {
    Help,
    Demonstrate(Duration),
    Serve(Box<Serve>),
}

/// How to be a proxy.
pub(crate) struct Serve {
    pub(crate) config: ProxyConfig,
    pub(crate) upstreams: Vec<Address>,
    pub(crate) workers: usize,
    pub(crate) stats: bool,
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Mode, lexopt::Error> {
    let mut config = GatewayServer::config();
    let (mut upstreams, mut workers) = (Vec::new(), 1);
    let mut duration = Duration::from_secs(6);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("listen") => config.listen.push(address(&mut parser)?),
            Arg::Long("upstream") => upstreams.push(address(&mut parser)?),
            Arg::Long("pairs") => config.capacity = parser.value()?.parse()?,
            Arg::Long("connect-timeout") => config.connect_timeout = seconds(&mut parser)?,
            Arg::Long("retries") => config.retries = parser.value()?.parse()?,
            Arg::Long("idle-timeout") => config.idle_timeout = seconds(&mut parser)?,
            Arg::Long("drain-timeout") => config.drain_timeout = seconds(&mut parser)?,
            Arg::Long("proxy-protocol") => config.proxy_protocol = protocol(&mut parser)?,
            Arg::Long("workers") => workers = parser.value()?.parse()?,
            Arg::Long("exclusive") => config.sharing = Sharing::Exclusive,
            Arg::Long("buffer") => config.relay.buffer_bytes = parser.value()?.parse()?,
            Arg::Long("burst") => config.relay.burst_bytes = parser.value()?.parse()?,
            Arg::Long("pipes") => config.relay.pipes = parser.value()?.parse()?,
            Arg::Long("spin") => config.spin = seconds(&mut parser)?,
            Arg::Long("stats") => config.tick = Duration::from_secs(1),
            Arg::Long("seconds") => duration = seconds(&mut parser)?,
            Arg::Long("help") | Arg::Short('h') => return Ok(Mode::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    if workers == 0 {
        return Err("there is one worker at least".into());
    }
    let stats = !config.tick.is_zero();
    match (config.listen.is_empty(), upstreams.is_empty()) {
        (false, false) => Ok(Mode::Serve(Box::new(Serve { config, upstreams, workers, stats }))),
        (true, true) => Ok(Mode::Demonstrate(duration)),
        _ => Err("--listen and --upstream go together".into()),
    }
}

fn address(parser: &mut lexopt::Parser) -> Result<Address, lexopt::Error> {
    parser.value()?.parse_with(str::parse::<Address>)
}

fn protocol(parser: &mut lexopt::Parser) -> Result<ProxyProtocol, lexopt::Error> {
    parser.value()?.parse_with(|text| match text {
        "v1" => Ok(ProxyProtocol::V1),
        "v2" => Ok(ProxyProtocol::V2),
        _ => Err("v1 or v2"),
    })
}

fn seconds(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    let seconds: f64 = parser.value()?.parse()?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a span of time".into())
}
