//! Clients that the program around a proxy has accepted, and hands over once they have said whom they want.

use std::{
    io::{self, Write},
    net::{Shutdown, TcpListener},
    time::{Duration, Instant},
};

use mio_core::{
    Config, EventLoop, Handler, Key, Proxy, Slab,
    net::{self, TcpStream},
    proxy::{Address, Cause, Client, Closed, Command, Connection, Hooks, ProxyConfig},
    relay::Stream,
};
use tests::peers::{accept_while, nobody_listens, read_to_end_while};

use crate::{connect, listen, upstream};

const NAME: usize = 4;
const LISTENER: u8 = 7;
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Gives those whose name ends with 1 the second upstream, and those with a 9 none.
#[derive(Proxy)]
#[proxy(retries = 1)]
struct ByName {
    upstreams: Vec<Address>,
    asked: Vec<u32>,
    closed: Vec<Cause>,
}

impl Hooks for ByName {
    fn upstream(&mut self, client: &Client<'_>) -> Option<Address> {
        assert_eq!(client.listener, usize::from(LISTENER));
        assert_eq!(client.address, client.connection.peer_addr());
        self.asked.push(client.tries);
        let mut name = [0; NAME];
        assert_eq!(client.connection.peek(&mut name).unwrap(), NAME);
        let number = usize::from(name[NAME - 1] - b'0');
        self.upstreams.get(number + client.tries as usize).cloned()
    }

    fn closed(&mut self, closed: &Closed) {
        self.closed.push(closed.cause);
    }
}

struct Program {
    listener: net::TcpListener,
    /// Those who have yet to say their name.
    waiting: Slab<TcpStream>,
    /// How often one was looked at.
    looks: u32,
    by_name: ByNameServer,
    /// Those for whom there was no room.
    refused: Vec<Connection>,
}

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Program, message = Command)]
enum On {
    #[io(readable)]
    Listener,
    #[io(readable, oneshot)]
    Waiting(Key),
    /// More of a name may have come.
    #[timer]
    Look(Key),
    #[nested(by_name)]
    ByName(ByNameOn),
}

impl OnHandler for Program {
    fn listener_readable(&mut self, event_loop: &mut EventLoop<Command, On>) -> io::Result<()> {
        while let Ok((client, _)) = self.listener.accept() {
            let entry = self.waiting.vacant_entry()?;
            event_loop.register(&client, On::Waiting(entry.key()))?;
            entry.insert(client);
        }
        Ok(())
    }

    fn waiting_readable(
        &mut self,
        event_loop: &mut EventLoop<Command, On>,
        key: Key,
    ) -> io::Result<()> {
        self.looks += 1;
        let Some(client) = self.waiting.get(key) else { return Ok(()) };
        if Stream::peek(client, &mut [0; NAME])? < NAME {
            return event_loop.timeout(On::Look(key), LOOK_AGAIN).map(drop);
        }
        event_loop.deregister(client, On::Waiting(key))?;
        let Some(client) = self.waiting.remove(key) else { return Ok(()) };
        let client = Connection::from(client);
        let adopted = self.by_name.adopt(&mut event_loop.nested(On::BY_NAME), LISTENER, client);
        self.refused.extend(adopted.err());
        Ok(())
    }

    fn look(&mut self, event_loop: &mut EventLoop<Command, On>, key: Key) -> io::Result<()> {
        self.waiting_readable(event_loop, key)
    }

    fn message(&mut self, event_loop: &mut EventLoop<Command, On>, it: Command) -> io::Result<()> {
        event_loop.deliver_message(On::BY_NAME, &mut self.by_name, it)
    }
}

struct Setup {
    event_loop: EventLoop<Command>,
    program: Program,
    address: Address,
}

impl Setup {
    fn new(upstreams: Vec<Address>, config: ProxyConfig) -> Setup {
        let bounds = config.event_loop();
        let (sources, timers) = (bounds.sources + 11, bounds.timers + 10);
        let bounds = Config { sources, timers, ..bounds };
        let mut event_loop = EventLoop::with_config(bounds).unwrap();
        let hooks = ByName { upstreams, asked: Vec::new(), closed: Vec::new() };
        let listeners = config.listeners().unwrap();
        let mut scope = event_loop.nested(On::BY_NAME);
        let by_name = ByNameServer::new(&mut scope, hooks, config, listeners).unwrap();
        drop(scope);
        let listener = net::TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        event_loop.register(&listener, On::Listener).unwrap();
        let address = listener.local_addr().unwrap().into();
        let (waiting, refused) = (Slab::with_capacity(10), Vec::new());
        Setup {
            event_loop,
            program: Program { listener, waiting, looks: 0, by_name, refused },
            address,
        }
    }

    fn turn(&mut self) {
        let soon = Duration::from_millis(1);
        assert!(self.event_loop.run_once(&mut self.program, Some(soon)).unwrap());
    }

    fn turns_until(&mut self, is_so: impl Fn(&Program) -> bool) {
        let began = Instant::now();
        while !is_so(&self.program) {
            assert!(began.elapsed() < tests::peers::PATIENCE);
            self.turn();
        }
    }

    /// What a client that says this gets from the upstream that accepts it.
    fn serves(&mut self, said: &[&str], far: &TcpListener) {
        let mut client = connect(&self.address);
        for part in said {
            client.write_all(part.as_bytes()).unwrap();
            (0..5).for_each(|_| self.turn());
        }
        client.shutdown(Shutdown::Write).unwrap();
        let mut server = accept_while(|| self.turn(), far);
        let got = read_to_end_while(|| self.turn(), &server).unwrap();
        assert_eq!(got, said.concat().as_bytes());
        server.write_all(b"answer").unwrap();
        drop(server);
        assert_eq!(read_to_end_while(|| self.turn(), &client).unwrap(), b"answer");
    }
}

#[test]
fn clients_that_were_accepted_elsewhere_are_served_by_whom_they_name() {
    let [(first, first_address), (second, second_address)] = [upstream(), upstream()];
    let mut setup = Setup::new(vec![first_address, second_address], ByNameServer::config());
    setup.serves(&["one1", " and more"], &second);
    setup.serves(&["n", "il", "0", " after a while"], &first);
    let mut nobody = connect(&setup.address);
    nobody.write_all(b"no 9").unwrap();
    // It was looked at, not read.
    let _ = read_to_end_while(|| setup.turn(), &nobody);
    setup.turns_until(|program| program.by_name.gateway.closed.len() == 2);
    let counters = setup.program.by_name.counters();
    assert_eq!((counters.accepted, counters.finished, counters.not_opened), (3, 2, 1));
    assert_eq!(setup.program.by_name.gateway.closed, [Cause::Finished; 2]);
}

/// Also where edges are emulated.
#[test]
fn a_client_who_has_said_a_part_of_its_name_is_looked_at_when_it_is_time_to() {
    let (far, address) = upstream();
    let mut setup = Setup::new(vec![address], ByNameServer::config());
    let mut client = connect(&setup.address);
    client.write_all(b"ni").unwrap();
    setup.turns_until(|program| program.looks == 1);
    let began = Instant::now();
    while began.elapsed() < 10 * LOOK_AGAIN {
        setup.turn();
    }
    // On a busy machine all that time may have passed without a turn.
    setup.turns_until(|program| program.looks >= 2);
    let most = began.elapsed().div_duration_f64(LOOK_AGAIN) as u32 + 2;
    assert!(setup.program.looks <= most, "{} looks", setup.program.looks);
    client.write_all(b"l0").unwrap();
    accept_while(|| setup.turn(), &far);
}

#[test]
fn a_client_that_was_accepted_elsewhere_may_try_another_upstream() {
    let (far, address) = upstream();
    // Nobody else has this address, so that none takes the port over.
    let refuses = TcpListener::bind("127.0.0.7:0").unwrap().local_addr().unwrap();
    nobody_listens(refuses);
    let mut setup = Setup::new(vec![refuses.into(), address], ByNameServer::config());
    setup.serves(&["nil0"], &far);
    assert_eq!(setup.program.by_name.gateway.asked, [0, 1]);
}

#[test]
fn a_client_for_whom_there_is_no_room_is_handed_back() {
    let (far, address) = upstream();
    let config = ProxyConfig { capacity: 1, ..ByNameServer::config() };
    // One of its own is never accepted while the pair is open.
    let mut setup = Setup::new(vec![address], listen(&["127.0.0.1:0"], config));
    let mut first = connect(&setup.address);
    first.write_all(b"nil0").unwrap();
    let server = accept_while(|| setup.turn(), &far);
    let mut second = connect(&setup.address);
    second.write_all(b"nil0").unwrap();
    setup.turns_until(|program| program.refused.len() == 1);
    drop((first, server));
    setup.turns_until(|program| program.by_name.counters().open == 0);
    // There is room again.
    let client = setup.program.refused.remove(0);
    let mut scope = setup.event_loop.nested(On::BY_NAME);
    setup.program.by_name.adopt(&mut scope, LISTENER, client).unwrap();
    drop(scope);
    let server = accept_while(|| setup.turn(), &far);
    drop((second, server));
    setup.turns_until(|program| program.by_name.counters().open == 0);
    // Nobody is served any more once it drains.
    setup.event_loop.sender().send(Command::Drain).unwrap();
    setup.turns_until(|program| program.by_name.is_done());
    let mut third = connect(&setup.address);
    third.write_all(b"nil0").unwrap();
    setup.turns_until(|program| program.refused.len() == 1);
    assert_eq!(setup.program.by_name.counters().accepted, 2);
}
