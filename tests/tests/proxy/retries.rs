//! When an upstream is not reached: another one is tried, as often as the config says.

use std::{
    io::{ErrorKind, Write},
    net::{Shutdown, SocketAddr},
};

use mio_core::{
    Key, Proxy,
    proxy::{
        Address, Cause, Client, Closed, Command, Connection, Counters, Hooks, ProxyConfig,
        ProxyProtocol,
    },
};

use tests::peers::nobody_listens;

use crate::{accept, connect, listen, read_to_end, serving, upstream};

/// Has each client try its upstreams one after the other.
#[derive(Proxy)]
#[proxy(retries = 5)]
struct Chain {
    upstreams: Vec<Address>,
    accepted: u32,
    /// Each try, and why.
    tries: Vec<(u32, Option<Cause>)>,
    reached: Vec<Option<SocketAddr>>,
    ends: Vec<Cause>,
    report: Counters,
}

impl Chain {
    fn new(upstreams: Vec<Address>) -> Chain {
        let (accepted, tries, reached, ends, report) = Default::default();
        Chain { upstreams, accepted, tries, reached, ends, report }
    }
}

impl Hooks for Chain {
    fn upstream(&mut self, client: &Client<'_>) -> Option<Address> {
        assert_eq!((client.listener, client.address), (1, client.connection.peer_addr()));
        self.tries.push((client.tries, client.failed));
        self.upstreams.get(client.tries as usize).cloned()
    }

    fn accepted(&mut self, client: &Client<'_>) {
        assert_eq!((client.tries, client.failed), (0, None));
        self.accepted += 1;
    }

    fn connected(&mut self, _: Key, upstream: &Connection) {
        self.reached.push(upstream.peer_addr());
    }

    fn closed(&mut self, closed: &Closed) {
        self.ends.push(closed.cause);
    }

    fn report(&mut self, counters: &Counters) {
        self.report = *counters;
    }
}

fn config(retries: u32) -> ProxyConfig {
    ProxyConfig { retries, ..listen(&["127.0.0.1:0"; 2], ChainServer::config()) }
}

/// Nobody listens there, which is heard of later. No other test has this address, so that none takes the port over.
fn refuses() -> Address {
    let address = std::net::TcpListener::bind("127.0.0.5:0").unwrap().local_addr().unwrap();
    nobody_listens(address);
    address.into()
}

/// Nor here, which is known at once where there are Unix sockets.
fn refuses_at_once() -> Address {
    "unix:/nowhere/at/all".parse().unwrap_or_else(|_| refuses())
}

fn refused(address: &Address) -> Option<Cause> {
    let kind = match address.tcp() {
        Some(_) => ErrorKind::ConnectionRefused,
        None => ErrorKind::NotFound,
    };
    Some(Cause::ConnectFailed(kind))
}

#[test]
fn a_client_is_served_by_the_next_upstream_and_loses_nothing() {
    let (far, address) = upstream();
    let (later, at_once) = (refuses(), refuses_at_once());
    let orders = [[&later, &at_once], [&at_once, &later], [&at_once, &at_once], [&later, &later]];
    for [first, second] in orders {
        let chain = Chain::new(vec![first.clone(), second.clone(), address.clone()]);
        let config = ProxyConfig { proxy_protocol: ProxyProtocol::V1, ..config(2) };
        let (addresses, sender, thread) = serving!(ChainServer, chain, config);
        let mut client = connect(&addresses[1]);
        client.write_all(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut server = accept(&far);
        let said = String::from_utf8(read_to_end(&server).unwrap()).unwrap();
        let (header, said) = said.split_once("\r\n").unwrap();
        assert!(header.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "), "{header}");
        assert_eq!(said, "question");
        server.write_all(b"answer").unwrap();
        drop(server);
        assert_eq!(read_to_end(&client).unwrap(), b"answer");
        sender.send(Command::Drain).unwrap();
        let server = thread.join().unwrap();
        let Chain { accepted, tries, reached, ends, .. } = &server.gateway;
        assert_eq!((*accepted, &reached[..]), (1, &[address.tcp()][..]));
        assert_eq!(tries[..], [(0, None), (1, refused(first)), (2, refused(second))]);
        assert_eq!(ends[..], [Cause::Finished]);
        let counters = server.counters();
        assert_eq!((counters.accepted, counters.finished, counters.retries), (1, 1, 2));
        assert_eq!((counters.connects_failed, counters.not_opened), (0, 0));
        assert!(counters.to_string().contains("2 tried after another"), "{counters}");
    }
}

#[test]
fn no_more_are_tried_than_was_said_and_none_when_the_hook_has_no_other() {
    for refuses in [refuses(), refuses_at_once()] {
        // Of ten there are; of two.
        for (upstreams, retries, tries) in [(10, 0, 1), (10, 3, 4), (2, 5, 3)] {
            let chain = Chain::new(vec![refuses.clone(); upstreams]);
            let (addresses, sender, thread) = serving!(ChainServer, chain, config(retries));
            assert_eq!(read_to_end(&connect(&addresses[1])).unwrap(), b"");
            sender.send(Command::Drain).unwrap();
            let server = thread.join().unwrap();
            assert_eq!(server.gateway.tries.len(), tries);
            assert_eq!(server.gateway.ends, [refused(&refuses).unwrap()]);
            let counters = server.counters();
            assert_eq!((counters.accepted, counters.connects_failed), (1, 1));
            assert_eq!((counters.not_opened, counters.open, counters.back_offs), (0, 0, 0));
            assert_eq!(counters.retries as usize, tries.min(upstreams) - 1);
        }
    }
    assert_eq!(ChainServer::config().retries, 5);
}

/// What was heard of the upstream that refused would have the end of the other one asked for after each read.
#[cfg(all(target_os = "linux", not(mio_core_poll)))]
#[test]
fn an_upstream_that_was_tried_later_costs_no_call_more() {
    let (far, address) = upstream();
    let chain = Chain::new(vec![refuses(), address]);
    let (addresses, sender, thread) = serving!(ChainServer, chain, config(1));
    let mut client = connect(&addresses[1]);
    let mut server = accept(&far);
    for _ in 0..10 {
        client.write_all(b"ping").unwrap();
        assert_eq!(crate::read(&server, 4), b"ping");
        server.write_all(b"pong").unwrap();
        assert_eq!(crate::read(&client, 4), b"pong");
    }
    sender.send(Command::Report).unwrap();
    sender.send(Command::Stop).unwrap();
    let ways = thread.join().unwrap().gateway.report.ways;
    assert_eq!(ways.map(|way| (way.reads, way.writes)), [(10, 10); 2]);
}

/// A queue that is full refuses on Windows.
#[cfg(unix)]
mod in_virtual_time {
    use std::time::Duration;

    use mio_core::{
        Config, EventLoop,
        net::{ListenOptions, TcpListener, TcpStream},
    };

    use super::*;

    /// An upstream that does not answer, since its queue is full.
    fn deaf() -> (TcpListener, Vec<TcpStream>, Address) {
        let options = ListenOptions { backlog: 0, ..ListenOptions::default() };
        let listener = TcpListener::bind_with("127.0.0.1:0".parse().unwrap(), options).unwrap();
        let address = listener.local_addr().unwrap();
        let filling = (0..8).map(|_| TcpStream::connect(address).unwrap()).collect();
        std::thread::sleep(Duration::from_millis(50));
        (listener, filling, address.into())
    }

    #[test]
    fn each_try_has_a_connect_timeout_of_its_own() {
        const MOMENT: Duration = Duration::from_millis(1);
        let (far, address) = upstream();
        let (_deaf, _filling, silent) = deaf();
        // Two who do not answer and one who does; two, and no other.
        for upstreams in
            [vec![silent.clone(), silent.clone(), address], vec![silent.clone(), silent]]
        {
            let reaches = upstreams.len() == 3;
            // Not the one that it has if nobody says otherwise.
            let config = ProxyConfig { connect_timeout: Duration::from_secs(3), ..config(2) };
            let bounds = Config { virtual_time: Some(0), ..config.event_loop() };
            let mut event_loop = EventLoop::<Command>::with_config(bounds).unwrap();
            let (listeners, timeout) = (config.listeners().unwrap(), config.connect_timeout);
            let hooks = Chain::new(upstreams);
            let mut server =
                ChainServer::new(event_loop.scoped(), hooks, config, listeners).unwrap();
            let at = server.addresses().nth(1).unwrap().unwrap();
            let client = connect(&at);
            let mut pass = |server: &mut ChainServer, time: Duration| {
                let end = event_loop.now() + time;
                while event_loop.now() < end {
                    let left = end - event_loop.now();
                    event_loop.run_once(server, Some(left)).unwrap();
                }
                for _ in 0..20 {
                    event_loop.run_once(server, Some(Duration::ZERO)).unwrap();
                }
            };
            pass(&mut server, Duration::ZERO);
            for tries in 1..3 {
                pass(&mut server, timeout - MOMENT);
                assert_eq!(server.gateway.tries.len(), tries);
                pass(&mut server, timeout / 64 + 2 * MOMENT);
                assert_eq!(server.gateway.tries.len(), tries + 1);
            }
            let late = Some(Cause::ConnectTimeout);
            assert_eq!(server.gateway.tries, [(0, None), (1, late), (2, late)]);
            if reaches {
                drop(accept(&far));
                assert_eq!(server.counters().open, 1);
                // No timeout of connecting is left over.
                pass(&mut server, 2 * timeout);
                assert!(!server.gateway.ends.contains(&Cause::ConnectTimeout));
            } else {
                assert_eq!(read_to_end(&client).unwrap(), b"");
                assert_eq!(server.gateway.ends, [Cause::ConnectTimeout]);
                assert_eq!((server.counters().connect_timeouts, server.counters().open), (1, 0));
            }
        }
    }
}
