//! Two derived proxies in virtual time, with many peers in the same loop, errors below the sockets, and a model of
//! every byte and every end.
//!
//! A seed that fails is run alone with `PROXY_SEED=… cargo test -p tests --test proxy simulation`.

mod faults;
mod model;
mod peers;
mod script;

use std::{
    cell::RefCell,
    env, fs,
    hash::Hasher,
    io::{self, ErrorKind},
    os::{
        fd::{AsFd, AsRawFd},
        linux::net::SocketAddrExt,
    },
    process,
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use mio_core::{
    Config, EventLoop, Handler, Key, Proxy, Readiness,
    net::{ListenOptions, TcpListener, TcpStream},
    proxy::{Address, Client, Closed, Connection, Hooks, InspectDown, InspectUp, Listener},
    relay::Chunk,
    unix::SocketAddr,
};
use tests::{Isolated, peers::PATIENCE, test_name};

use peers::{Addresses, TRAILER, World};
use script::{IDLE_TIMEOUT, Script};

const SEED: &str = "PROXY_SEED";
/// In a busy moment; a proxy that spins makes time stand still, and needs any number.
const TURNS_MAX: u32 = 20_000;
const MOMENT: Duration = Duration::from_nanos(1);

type Shared = Rc<RefCell<World>>;

/// Lets bytes pass.
#[derive(Proxy)]
struct Blind {
    world: Shared,
}

/// Sees them, and changes them.
#[derive(Proxy)]
#[proxy(inspect(up, down))]
struct Seeing {
    world: Shared,
}

macro_rules! hooks {
    ($name:ident, $number:literal) => {
        impl Hooks for $name {
            fn accepted(&mut self, client: &Client<'_>) {
                self.world.borrow_mut().accepted($number, client);
            }

            fn upstream(&mut self, client: &Client<'_>) -> Option<Address> {
                self.world.borrow_mut().upstream($number, client)
            }

            fn connected(&mut self, pair: Key, upstream: &Connection) {
                self.world.borrow_mut().connected($number, pair, upstream);
            }

            fn closed(&mut self, closed: &Closed) {
                self.world.borrow_mut().closed($number, closed);
            }
        }
    };
}
hooks!(Blind, 0);
hooks!(Seeing, 1);

impl InspectUp for Seeing {
    const ROOM_UP: usize = TRAILER.len();

    fn up(&mut self, pair: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        self.world.borrow_mut().see(1, pair, 0, chunk)
    }
}

impl InspectDown for Seeing {
    const ROOM_DOWN: usize = TRAILER.len();

    fn down(&mut self, pair: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        self.world.borrow_mut().see(1, pair, 1, chunk)
    }
}

struct Program {
    blind: BlindServer,
    seeing: SeeingServer,
    world: Shared,
    /// Where upstreams accept, over a Unix socket and TCP.
    behind: [Listener; 2],
    /// `On::Quiet` is set.
    is_busy: bool,
    /// How long it has been asked for in vain.
    waits: Option<Instant>,
    turns: u32,
    /// The last turn in which something happened.
    last: u32,
    /// Descriptors with nobody there.
    descriptors: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Program)]
enum On {
    #[nested(blind)]
    Blind(BlindOn),
    #[nested(seeing)]
    Seeing(SeeingOn),
    #[io(readable, writable, priority, ready)]
    Peer(u16),
    #[io(readable)]
    Behind(u8),
    #[timer]
    Step(u16),
    /// Nothing is left to do before time passes, since a timer so short is the next thing.
    #[timer]
    Quiet,
    /// For long enough nobody has been there.
    #[timer]
    Rested,
    #[timer]
    Drain,
    /// Long after everything should be over.
    #[timer]
    Stuck,
}

impl OnHandler for Program {
    fn blind(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
        let counters = [self.blind.counters(), self.seeing.counters()];
        let now = event_loop.now_ns();
        self.world.borrow_mut().settle(now, faults::take(), counters);
        self.busy(event_loop)
    }

    fn seeing(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
        self.blind(event_loop)
    }

    fn peer_ready(
        &mut self,
        event_loop: &mut EventLoop<(), On>,
        peer: u16,
        _: Readiness,
    ) -> io::Result<()> {
        let _calm = faults::calm();
        self.world.borrow_mut().now = event_loop.now_ns();
        self.world.borrow_mut().go_on(peer.into());
        self.busy(event_loop)
    }

    fn behind_readable(&mut self, event_loop: &mut EventLoop<(), On>, tcp: u8) -> io::Result<()> {
        let _calm = faults::calm();
        let mut world = self.world.borrow_mut();
        world.now = event_loop.now_ns();
        world.accept(event_loop, tcp.into(), &mut self.behind[usize::from(tcp)]);
        drop(world);
        self.busy(event_loop)
    }

    fn step(&mut self, event_loop: &mut EventLoop<(), On>, peer: u16) -> io::Result<()> {
        let _calm = faults::calm();
        self.world.borrow_mut().now = event_loop.now_ns();
        self.world.borrow_mut().step(event_loop, peer.into());
        self.busy(event_loop)
    }

    fn quiet(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
        if self.last == self.turns {
            // So it was not, for another timer was due.
            return event_loop.timeout(On::Quiet, MOMENT).map(drop);
        }
        let _calm = faults::calm();
        let mut world = self.world.borrow_mut();
        world.now = event_loop.now_ns();
        let touched = world.touched.clone();
        if let Some(complaint) = world.complaint() {
            // The kernel carries TCP in its own time.
            let waits = *self.waits.get_or_insert_with(Instant::now);
            assert!(!world.script.exact && waits.elapsed() < PATIENCE, "{complaint}");
            thread::sleep(Duration::from_millis(1));
            return event_loop.timeout(On::Quiet, MOMENT).map(drop);
        }
        touched.into_iter().for_each(|number| world.bury(event_loop, number));
        let is_done = [self.blind.is_done(), self.seeing.is_done()];
        for (proxy, is_done) in is_done.into_iter().enumerate() {
            assert_eq!(is_done, world.draining.is_some() && world.open(proxy) == 0);
        }
        (self.is_busy, self.waits) = (false, None);
        (self.turns, self.last) = (1, 0);
        if world.busy > 0 || !world.all_are_over() {
            return Ok(());
        }
        match world.draining {
            None => event_loop.timeout(On::Rested, 3 * IDLE_TIMEOUT).map(drop),
            Some(_) => {
                world.check_end([self.blind.counters(), self.seeing.counters()]);
                event_loop.shutdown();
                Ok(())
            }
        }
    }

    fn rested(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
        let world = self.world.borrow();
        let peers = world.pairs.iter().flat_map(|pair| &pair.peers);
        let left = peers.filter(|peer| peer.stream.is_some()).count();
        assert_eq!(descriptors() - left, self.descriptors, "with {left} who do not listen");
        drop(world);
        self.drain(event_loop)
    }

    fn drain(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
        if self.world.borrow().draining.is_some() {
            return Ok(());
        }
        self.world.borrow_mut().drain(event_loop.now_ns());
        self.blind.drain(&mut event_loop.nested(On::BLIND))?;
        self.seeing.drain(&mut event_loop.nested(On::SEEING))?;
        self.blind(event_loop)
    }

    fn stuck(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        let world = self.world.borrow();
        let states: Vec<_> = world.pairs.iter().map(|pair| pair.state).collect();
        panic!("{} peers have something to do, and pairs are {states:?}", world.busy);
    }

    fn tick(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        self.turns += 1;
        assert!(self.turns < TURNS_MAX, "it spins");
        Ok(())
    }

    fn error(&mut self, _: &mut EventLoop<(), On>, source: On, error: io::Error) {
        panic!("{source:?}: {error}");
    }
}

impl Program {
    fn busy(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
        self.last = self.turns;
        if !self.is_busy {
            self.is_busy = true;
            event_loop.timeout(On::Quiet, MOMENT)?;
        }
        Ok(())
    }
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Listens at a name that is nobody else's.
fn listen_somewhere(number: usize) -> Listener {
    let name = format!("simulation {} {number}", process::id());
    let address = SocketAddr::from_abstract_name(name).unwrap();
    Listener::bind(&address.into(), false, true).unwrap()
}

fn listen_on_tcp() -> Listener {
    Listener::bind(&"127.0.0.1:0".parse().unwrap(), false, true).unwrap()
}

/// Runs one seed, and answers what is the same in all runs of it.
fn run(seed: u64, exact: bool) -> u64 {
    println!("seed {seed}, {}", if exact { "Unix sockets" } else { "TCP too" });
    let before = descriptors();
    let trace = run_script(Script::new(seed, exact, BlindServer::config));
    assert_eq!(descriptors(), before);
    trace
}

fn run_script(script: Script) -> u64 {
    let seed = script.seed;
    let listeners = [0, 2].map(|number| vec![listen_somewhere(number), listen_on_tcp()]);
    let behind = [listen_somewhere(4), listen_on_tcp()];
    let deaf = listen_somewhere(5);
    // Its queue is full.
    let options = ListenOptions { backlog: 1, ..ListenOptions::default() };
    let full = TcpListener::bind_with("127.0.0.1:0".parse().unwrap(), options).unwrap();
    let full_address = full.local_addr().unwrap();
    let _filling: Vec<_> = (0..8).map(|_| TcpStream::connect(full_address).unwrap()).collect();
    let nowhere = SocketAddr::from_abstract_name("simulation: nobody").unwrap();
    let address = |listener: &Listener| listener.local_addr().unwrap();
    let addresses = Addresses {
        proxies: listeners.each_ref().map(|all| all.iter().map(address).collect()),
        accepting: behind.each_ref().map(address),
        deaf: [address(&deaf), full_address.into()],
        refusing: [nowhere.into(), "127.0.0.1:1".parse().unwrap()],
    };
    let peers = 2 * script.plots.len();
    let configs = script.configs.clone();
    let sources = configs.iter().map(|config| config.event_loop().sources).sum::<usize>();
    let bounds = Config {
        virtual_time: Some(seed),
        sources: sources + peers + 2,
        timers: peers + 20,
        ..Config::default()
    };
    let mut event_loop = EventLoop::<()>::with_config(bounds).unwrap();
    let (drain, rates) = (script.drain, script.rates);
    let mut world = World::new(script, addresses);
    for (proxy, listener) in
        listeners.iter().enumerate().flat_map(|(n, all)| all.iter().map(move |it| (n, it)))
    {
        world.across[listener.as_fd().as_raw_fd() as usize] = usize::MAX / 2 + proxy;
    }
    let shared = Rc::new(RefCell::new(world));
    let [first, second] = listeners;
    let [blind, seeing] = configs;
    let world = || Rc::clone(&shared);
    let mut scope = event_loop.nested(On::BLIND);
    let hooks = Blind { world: world() };
    let blind = BlindServer::new(&mut scope, hooks, blind, first).unwrap();
    drop(scope);
    let mut scope = event_loop.nested(On::SEEING);
    let hooks = Seeing { world: world() };
    let seeing = SeeingServer::new(&mut scope, hooks, seeing, second).unwrap();
    drop(scope);
    let scope = event_loop.scoped::<On>();
    for (listener, tcp) in behind.iter().zip(0..) {
        listener.register(scope, On::Behind(tcp)).unwrap();
    }
    for peer in (0..peers).step_by(2) {
        shared.borrow_mut().begin(scope, peer);
    }
    if let Some(drain) = drain {
        scope.timeout(On::Drain, drain).unwrap();
    }
    scope.timeout(On::Stuck, Duration::from_secs(600)).unwrap();
    let program = Program {
        blind,
        seeing,
        world: world(),
        behind,
        is_busy: false,
        waits: None,
        turns: 0,
        last: 0,
        descriptors: descriptors(),
    };
    faults::begin(seed, rates);
    event_loop.run(program).unwrap();
    faults::end();
    shared.borrow().trace.finish()
}

fn seeds(count: u64) -> Vec<u64> {
    match env::var(SEED) {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..count).collect(),
    }
}

#[test]
fn every_byte_and_every_end_is_passed_on_over_unix_sockets_and_a_seed_is_a_run() {
    Isolated::new(test_name!()).run(|| {
        for seed in seeds(40) {
            let trace = run(seed, true);
            if seed < 4 {
                assert_eq!(trace, run(seed, true), "the same seed gives the same run");
            }
        }
    });
}

#[test]
fn every_byte_and_every_end_is_passed_on_over_tcp() {
    Isolated::new(test_name!()).run(|| {
        for seed in seeds(24) {
            run(seed, false);
        }
    });
}
