//! Pairs that wait for too long, in virtual time.

use std::{io::Write, net::TcpListener, net::TcpStream, time::Duration};

use mio_core::{
    Config, EventLoop,
    proxy::{Address, Command, ProxyConfig},
};

use crate::{Plain, PlainServer, accept, connect, listen, read, read_to_end, upstream};

const MOMENT: Duration = Duration::from_millis(1);

struct Setup {
    event_loop: EventLoop<Command>,
    server: PlainServer,
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
        let config = ProxyConfig { tick, ..listen(&["127.0.0.1:0"], PlainServer::config()) };
        let bounds = Config { virtual_time: Some(0), ..config.event_loop() };
        let mut event_loop = EventLoop::with_config(bounds).unwrap();
        let (listeners, timeout) = (config.listeners().unwrap(), config.idle_timeout);
        let hooks = Plain { upstream };
        let server = PlainServer::new(event_loop.scoped(), hooks, config, listeners).unwrap();
        let address = server.addresses().next().unwrap().unwrap();
        Setup { event_loop, server, address, far, timeout }
    }

    /// A client, and its connection at the upstream.
    fn pair(&mut self) -> (TcpStream, TcpStream) {
        let client = connect(&self.address);
        self.settle();
        let far = accept(&self.far);
        self.settle();
        (client, far)
    }

    /// Turns until nothing is left to do now.
    fn settle(&mut self) {
        for _ in 0..20 {
            self.event_loop.run_once(&mut self.server, Some(Duration::ZERO)).unwrap();
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.event_loop.now() + time;
        while self.event_loop.now() < end {
            let left = end - self.event_loop.now();
            self.event_loop.run_once(&mut self.server, Some(left)).unwrap();
        }
        self.settle();
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
        setup.settle();
        read(&mut far, 1);
        setup.pass(setup.timeout / 50);
        far.write_all(b"x").unwrap();
        setup.settle();
        read(&mut client, 1);
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
    setup.settle();
    assert_eq!((setup.open(), setup.server.counters().finished), (0, 1));
    setup.pass(2 * setup.timeout);
    assert_eq!(setup.event_loop.next_deadline(), None);
    // Nor has it forgotten to wait.
    let _pair = setup.pair();
    setup.pass(2 * setup.timeout);
    assert_eq!((setup.open(), setup.server.counters().idle_timeouts), (0, 1));
}

#[test]
fn a_proxy_that_is_done_listens_nowhere_and_leaves_no_timer_in_its_loop() {
    let mut setup = Setup::ticking(Duration::from_secs(7));
    let pair = setup.pair();
    assert_eq!(setup.server.addresses().count(), 1);
    setup.server.drain(setup.event_loop.scoped()).unwrap();
    assert_eq!((setup.server.addresses().count(), setup.server.is_done()), (0, false));
    assert!(TcpStream::connect(setup.address.tcp().unwrap()).is_err());
    drop(pair);
    setup.settle();
    assert_eq!((setup.server.is_done(), setup.server.counters().finished), (true, 1));
    assert_eq!(setup.event_loop.next_deadline(), None);
}

#[test]
fn a_drain_stops_what_has_not_finished_when_its_time_is_up() {
    let mut setup = Setup::new();
    let (_client, _far) = setup.pair();
    setup.server.drain(setup.event_loop.scoped()).unwrap();
    let time = PlainServer::config().drain_timeout;
    setup.pass(time - MOMENT);
    assert!(!setup.server.is_done());
    setup.pass(MOMENT);
    // It was open at the end.
    assert_eq!((setup.server.is_done(), setup.open()), (true, 1));
}
