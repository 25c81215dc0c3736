//! Proxies inside a larger program.

use std::{
    io::{self, ErrorKind, Write},
    net::{Shutdown, TcpListener, TcpStream},
    time::Duration,
};

use mio_core::{
    Config, EventLoop, Expiry, Handler, Readiness, Slab,
    proxy::{Address, Command, ProxyConfig},
};

use tests::peers::{accept_while, read_to_end_while, read_while};

use crate::{Plain, PlainOn, PlainServer, connect, listen, upstream};

/// Two proxies beside a timer of its own.
struct Program {
    front: PlainServer,
    back: PlainServer,
    beats: u32,
    errors: Vec<(On, ErrorKind)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Program, message = Order)]
enum On {
    #[nested(front)]
    Front(PlainOn),
    #[timer]
    Beat,
    #[nested(back)]
    Back(PlainOn),
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Front(Command),
    Back(Command),
}

impl OnHandler for Program {
    fn beat(&mut self, _: &mut EventLoop<Order, On>) -> io::Result<()> {
        self.beats += 1;
        Ok(())
    }

    fn front(&mut self, event_loop: &mut EventLoop<Order, On>) -> io::Result<()> {
        if self.front.is_done() && self.back.is_done() {
            event_loop.shutdown();
        }
        Ok(())
    }

    fn back(&mut self, event_loop: &mut EventLoop<Order, On>) -> io::Result<()> {
        self.front(event_loop)
    }

    fn message(&mut self, event_loop: &mut EventLoop<Order, On>, order: Order) -> io::Result<()> {
        match order {
            Order::Front(command) => {
                event_loop.deliver_message(On::FRONT, &mut self.front, command)?;
            }
            Order::Back(command) => {
                event_loop.deliver_message(On::BACK, &mut self.back, command)?;
            }
        }
        self.front(event_loop)
    }

    fn error(&mut self, _: &mut EventLoop<Order, On>, source: On, error: io::Error) {
        self.errors.push((source, error.kind()));
    }
}

struct Setup {
    event_loop: EventLoop<Order>,
    program: Program,
    addresses: [Address; 2],
}

impl Setup {
    /// The front proxy goes to the back one, which goes to this upstream.
    fn new(upstream: Address) -> Setup {
        let config = listen(&["127.0.0.1:0"], PlainServer::config());
        let bounds = config.event_loop();
        // Those of both proxies, and a beat.
        let timers = 2 * bounds.timers + 1;
        let bounds = Config { virtual_time: Some(0), timers, ..bounds };
        let mut event_loop = EventLoop::with_config(bounds).unwrap();
        let mut server = |scope, upstream: Address, config: &ProxyConfig| {
            let listeners = config.listeners().unwrap();
            let address = listeners[0].local_addr().unwrap();
            let mut event_loop = event_loop.nested(scope);
            let hooks = Plain { upstream };
            let server =
                PlainServer::new(&mut event_loop, hooks, config.clone(), listeners).unwrap();
            (server, address)
        };
        let (back, back_address) = server(On::BACK, upstream, &config);
        let (front, front_address) = server(On::FRONT, back_address.clone(), &config);
        event_loop.interval(On::Beat, Duration::from_secs(1)).unwrap();
        let program = Program { front, back, beats: 0, errors: Vec::new() };
        Setup { event_loop, program, addresses: [front_address, back_address] }
    }

    /// Takes some turns, which is enough for what this thread itself has sent; answers whether to go on.
    fn turns(&mut self) -> bool {
        (0..50).all(|_| self.turn())
    }

    /// A turn in which no time passes.
    fn turn(&mut self) -> bool {
        self.event_loop.run_once(&mut self.program, Some(Duration::ZERO)).unwrap()
    }

    fn accept(&mut self, far: &TcpListener) -> TcpStream {
        accept_while(|| assert!(self.turn()), far)
    }

    fn read(&mut self, stream: &TcpStream, length: usize) -> Vec<u8> {
        read_while(|| assert!(self.turn()), stream, length)
    }

    fn read_to_end(&mut self, stream: &TcpStream) -> Vec<u8> {
        read_to_end_while(|| assert!(self.turn()), stream).unwrap()
    }

    fn pass(&mut self, time: Duration) {
        let end = self.event_loop.now() + time;
        while self.event_loop.now() < end {
            let left = end - self.event_loop.now();
            self.event_loop.run_once(&mut self.program, Some(left)).unwrap();
        }
    }
}

#[test]
fn two_proxies_and_a_timer_live_in_one_loop() {
    let (far, address) = upstream();
    let mut setup = Setup::new(address);
    let mut client = connect(&setup.addresses[0]);
    client.write_all(b"through both").unwrap();
    let mut server = setup.accept(&far);
    assert_eq!(setup.read(&server, 12), b"through both");
    server.write_all(b"and back").unwrap();
    assert_eq!(setup.read(&client, 8), b"and back");
    setup.pass(Duration::from_secs(3));
    assert_eq!((setup.program.beats, setup.program.errors.len()), (3, 0));

    // The one ends without the other, and without the loop.
    let sender = setup.event_loop.sender();
    sender.send(Order::Front(Command::Drain)).unwrap();
    assert!(setup.turns());
    assert!(!setup.program.front.is_done(), "a pair is open");
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(setup.read_to_end(&server), b"");
    drop(server);
    assert_eq!(setup.read_to_end(&client), b"");
    assert!(setup.turns(), "the loop goes on");
    assert!(setup.program.front.is_done() && !setup.program.back.is_done());
    assert_eq!(setup.program.front.counters().finished, 1);
    let mut client = connect(&setup.addresses[1]);
    client.write_all(b"x").unwrap();
    let server = setup.accept(&far);
    assert_eq!(setup.read(&server, 1), b"x");
    sender.send(Order::Back(Command::Stop)).unwrap();
    assert!(!setup.turns(), "the program ends with its last proxy");
    assert_eq!(setup.program.back.counters().open, 1);
}

#[test]
fn the_pairs_of_nested_proxies_have_their_timeouts() {
    let (far, address) = upstream();
    let mut setup = Setup::new(address);
    let mut client = connect(&setup.addresses[0]);
    let server = setup.accept(&far);
    for _ in 0..2 {
        client.write_all(b"x").unwrap();
        assert_eq!(setup.read(&server, 1), b"x");
        setup.pass(PlainServer::config().idle_timeout - Duration::from_secs(1));
        assert_eq!(setup.program.front.counters().open, 1);
    }
    setup.pass(Duration::from_secs(2));
    assert_eq!(setup.read_to_end(&client), b"");
    let counters = setup.program.front.counters();
    assert_eq!((counters.open, counters.idle_timeouts), (0, 1));
}

/// A proxy in a program that once asks for as much as there is room for, just before the proxy is called.
struct Greedy(PlainServer, bool);

impl Handler<Command> for Greedy {
    fn ready(&mut self, event_loop: &mut EventLoop<Command>, token: u64, readiness: Readiness) {
        let of_nobody = PlainOn::Client(Slab::with_capacity(1).insert(()).unwrap());
        while !self.1 {
            self.1 = event_loop.again(of_nobody, Readiness::READABLE).is_err();
        }
        self.0.ready(event_loop, token, readiness);
    }

    fn timeout(&mut self, event_loop: &mut EventLoop<Command>, token: u64, expiry: Expiry) {
        self.0.timeout(event_loop, token, expiry);
    }
}

#[test]
fn a_proxy_whose_request_finds_no_room_accepts_on_by_its_timer() {
    // One more than a proxy accepts in a turn.
    const CLIENTS: u64 = 65;
    let (_far, upstream) = upstream();
    let config = listen(&["127.0.0.1:0"], PlainServer::config());
    let retry = config.accept_retry;
    let bounds = Config { virtual_time: Some(0), ..config.event_loop() };
    let mut event_loop = EventLoop::with_config(bounds).unwrap();
    let (listeners, hooks) = (config.listeners().unwrap(), Plain { upstream });
    let server = PlainServer::new(event_loop.scoped(), hooks, config, listeners).unwrap();
    let address = server.addresses().next().unwrap().unwrap();
    let _clients: Vec<_> = (0..CLIENTS).map(|_| connect(&address)).collect();
    tests::settle();
    let mut greedy = Greedy(server, false);
    let mut turn = |time| {
        event_loop.run_once(&mut greedy, Some(time)).unwrap();
        let counters = greedy.0.counters();
        (counters.accepted, counters.back_offs)
    };
    let told = (0..100).map(|_| turn(Duration::ZERO)).last();
    assert_eq!(told, Some((CLIENTS - 1, 1)));
    let told = (0..100).map(|_| turn(retry)).last();
    assert_eq!(told, Some((CLIENTS, 1)));
}
