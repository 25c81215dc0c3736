//! Pairs that wait for too long, in virtual time.

use std::{io::Write, net::TcpListener, net::TcpStream, time::Duration};

use mio_core::{
    Config, EventLoop, Key, Proxy,
    proxy::{Address, Client, Command, Connection, Counters, Hooks, ProxyConfig},
};
use tests::peers::{accept, awaited, nobody_listens, read_to_end, read_while};

use crate::{connect, listen, upstream};

const MOMENT: Duration = Duration::from_millis(1);

/// Gives everybody the same upstream, and counts who has got it. Its times are not the default ones.
#[derive(Proxy)]
#[proxy(idle_timeout = "50s", drain_timeout = "20s")]
struct Patient {
    upstream: Address,
    connected: usize,
    ticks: u32,
}

impl Hooks for Patient {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.upstream.clone())
    }

    fn connected(&mut self, _: Key, _: &Connection) {
        self.connected += 1;
    }

    fn tick(&mut self, _: &Counters) {
        self.ticks += 1;
    }
}

struct Setup {
    event_loop: EventLoop<Command>,
    server: PatientServer,
    address: Address,
    far: TcpListener,
    timeout: Duration,
}

impl Setup {
    fn new() -> Setup {
        Setup::ticking(Duration::ZERO)
    }

    fn ticking(tick: Duration) -> Setup {
        let (far, upstream) = upstream();
        let config = ProxyConfig { tick, ..listen(&["127.0.0.1:0"], PatientServer::config()) };
        let bounds = Config { virtual_time: Some(0), ..config.event_loop() };
        let mut event_loop = EventLoop::with_config(bounds).unwrap();
        let (listeners, timeout) = (config.listeners().unwrap(), config.idle_timeout);
        let hooks = Patient { upstream, connected: 0, ticks: 0 };
        let server = PatientServer::new(event_loop.scoped(), hooks, config, listeners).unwrap();
        let address = server.addresses().next().unwrap().unwrap();
        Setup { event_loop, server, address, far, timeout }
    }

    /// A client, and its connection at the upstream, of which the proxy knows that it is one.
    fn pair(&mut self) -> (TcpStream, TcpStream) {
        let before = self.server.gateway.connected;
        let client = connect(&self.address);
        self.until(|server| server.gateway.connected > before);
        (client, accept(&self.far))
    }

    /// A turn in which no time passes.
    fn turn(&mut self) {
        self.event_loop.run_once(&mut self.server, Some(Duration::ZERO)).unwrap();
    }

    fn until(&mut self, done: impl Fn(&PatientServer) -> bool) {
        let look = || {
            self.turn();
            done(&self.server).then_some(())
        };
        awaited(|| (), look);
    }

    /// What this one gets, which is a byte.
    fn byte(&mut self, stream: &TcpStream) {
        assert_eq!(read_while(|| self.turn(), stream, 1), b"x");
    }

    fn pass(&mut self, time: Duration) {
        let end = self.event_loop.now() + time;
        while self.event_loop.now() < end {
            let left = end - self.event_loop.now();
            self.event_loop.run_once(&mut self.server, Some(left)).unwrap();
        }
        // As many as close a hundred pairs.
        (0..20).for_each(|_| self.turn());
    }

    fn open(&self) -> u64 {
        self.server.counters().open
    }
}

#[test]
fn many_pairs_whose_time_is_up_at_once_are_closed_not_early_and_within_a_64th() {
    const PAIRS: u64 = 100;
    let mut setup = Setup::new();
    let mut pairs: Vec<_> = (0..PAIRS).map(|_| setup.pair()).collect();
    setup.pass(setup.timeout - MOMENT);
    assert_eq!(setup.open(), PAIRS);
    setup.pass(setup.timeout / 64 + MOMENT);
    assert!(setup.open() < PAIRS);
    // Not all in one turn.
    setup.pass(MOMENT);
    assert_eq!((setup.open(), setup.server.counters().idle_timeouts), (0, PAIRS));
    for (client, far) in &mut pairs {
        assert_eq!((read_to_end(client).unwrap(), read_to_end(far).unwrap()), (vec![], vec![]));
    }
}

#[test]
fn bytes_of_either_side_keep_a_pair_alone_alive_until_a_timeout_after_the_last() {
    let mut setup = Setup::new();
    let (mut client, mut far) = setup.pair();
    let silent = setup.pair();
    // Some so soon after the one before that it changes next to nothing.
    for _ in 0..100 {
        setup.pass(setup.timeout / 100);
        client.write_all(b"x").unwrap();
        setup.byte(&far);
        setup.pass(setup.timeout / 50);
        far.write_all(b"x").unwrap();
        setup.byte(&client);
    }
    assert_eq!(setup.open(), 1, "the silent one has gone");
    drop(silent);
    setup.pass(setup.timeout - MOMENT);
    assert_eq!(setup.open(), 1);
    setup.pass(setup.timeout / 64 + MOMENT);
    assert_eq!(setup.open(), 0);
}

#[test]
fn a_proxy_without_pairs_wakes_up_for_nothing() {
    let mut setup = Setup::new();
    assert_eq!(setup.event_loop.next_deadline(), None);
    let pair = setup.pair();
    assert!(setup.event_loop.next_deadline().is_some());
    drop(pair);
    setup.until(|server| server.counters().open == 0);
    assert_eq!(setup.server.counters().finished, 1);
    setup.pass(2 * setup.timeout);
    assert_eq!(setup.event_loop.next_deadline(), None);
    // Nor has it forgotten to wait.
    let _pair = setup.pair();
    setup.pass(2 * setup.timeout);
    assert_eq!((setup.open(), setup.server.counters().idle_timeouts), (0, 1));
}

#[test]
fn a_proxy_ticks_as_often_as_it_is_told_to() {
    let tick = Duration::from_secs(7);
    let mut setup = Setup::ticking(tick);
    for ticks in 1..4 {
        setup.pass(tick - MOMENT);
        assert_eq!(setup.server.gateway.ticks, ticks - 1);
        setup.pass(MOMENT);
        assert_eq!(setup.server.gateway.ticks, ticks);
    }
}

#[test]
fn a_proxy_that_is_done_listens_nowhere_and_leaves_no_timer_in_its_loop() {
    let mut setup = Setup::ticking(Duration::from_secs(7));
    let pair = setup.pair();
    assert_eq!(setup.server.addresses().count(), 1);
    setup.server.drain(setup.event_loop.scoped()).unwrap();
    assert_eq!((setup.server.addresses().count(), setup.server.is_done()), (0, false));
    nobody_listens(setup.address.tcp().unwrap());
    drop(pair);
    setup.until(PatientServer::is_done);
    assert_eq!(setup.server.counters().finished, 1);
    assert_eq!(setup.event_loop.next_deadline(), None);
}

#[test]
fn a_drain_stops_what_has_not_finished_when_its_time_is_up() {
    let mut setup = Setup::new();
    let (_client, _far) = setup.pair();
    setup.server.drain(setup.event_loop.scoped()).unwrap();
    let time = PatientServer::config().drain_timeout;
    setup.pass(time - MOMENT);
    assert!(!setup.server.is_done());
    setup.pass(MOMENT);
    // It was open at the end.
    assert_eq!((setup.server.is_done(), setup.open()), (true, 1));
}
