//! Nothing allocates, and nothing frees, once a loop is built: on no path, errors and full tables
//! included.
#![cfg(any(unix, windows))]

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr},
    process::Child,
    thread,
    time::{Duration, Instant},
};

use mio_core::{
    ChildExit, Config, EventLoop, Events, Expiry, Full, Handler, Interest, RESERVED, Readiness,
    Selector, SendError, SignalInfo, Slab, Trigger, Waker,
    buf::Ring,
    net::{TcpListener, TcpStream, UdpSocket},
    pipe,
    relay::{Bounds, Flow, Pool, Progress, Way},
};
#[cfg(target_os = "linux")]
use tests::{Isolated, test_name};
use tests::{
    alloc::{Counting, forbidden},
    pair,
    peers::nobody_listens,
    waits_for_its_input,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LOCALHOST: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const SOON: Option<Duration> = Some(Duration::from_secs(10));

/// Counts what it is told.
#[derive(Default)]
struct Tally {
    ready: usize,
    timeouts: usize,
    messages: usize,
    signals: usize,
    children: usize,
}

impl Handler<u32> for Tally {
    fn ready(&mut self, _: &mut EventLoop<u32>, _: u64, _: Readiness) {
        self.ready += 1;
    }

    fn timeout(&mut self, _: &mut EventLoop<u32>, _: u64, _: Expiry) {
        self.timeouts += 1;
    }

    fn message(&mut self, _: &mut EventLoop<u32>, _: u32) {
        self.messages += 1;
    }

    fn signal(&mut self, _: &mut EventLoop<u32>, _: u64, _: SignalInfo) {
        self.signals += 1;
    }

    fn child(&mut self, _: &mut EventLoop<u32>, _: u64, _: ChildExit) {
        self.children += 1;
    }
}

fn event_loop(config: Config) -> EventLoop<u32> {
    EventLoop::with_config(config).unwrap()
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// In bytes, of this process.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim_end_matches("kB").trim().parse::<usize>().unwrap() << 10
}

#[cfg(target_os = "linux")]
#[test]
fn what_generous_bounds_reserve_is_not_touched() {
    const MANY: usize = 4_000_000;
    Isolated::new(test_name!()).run(|| {
        let mut config = Config { timers: MANY, events: MANY, ..Config::default() };
        if !tests::backend::HAS_SLOTS {
            config.sources = MANY;
        }
        let before = resident();
        let event_loop = EventLoop::<()>::with_config(config).unwrap();
        // A few pages, even if they are huge.
        assert!(resident() - before < 4 * MANY);
        drop(event_loop);
    });
}

#[test]
fn registering_and_its_errors() {
    let mut event_loop = event_loop(Config::default());
    let (reader, writer) = pipe::new().unwrap();
    // On Windows only sockets are sources.
    #[cfg(unix)]
    let file = std::fs::File::open("/proc/self/exe").unwrap();
    forbidden("registering", || {
        event_loop.register(&reader, 1u64).unwrap();
        event_loop.register_with(&writer, 2u64, Interest::WRITABLE, Trigger::Level).unwrap();
        event_loop.reregister(&reader, 3u64).unwrap();
        event_loop.reregister_with(&writer, 4u64, Interest::WRITABLE, Trigger::OneShot).unwrap();
        event_loop.deregister(&reader, 3u64).unwrap();
        event_loop.close(writer, 4u64).unwrap();
        event_loop.register(&reader, 5u64).unwrap();
    });
    forbidden("a refused registration", || {
        assert_eq!(kind(event_loop.register(&reader, 5u64)), Some(ErrorKind::AlreadyExists));
        event_loop.deregister(&reader, 5u64).unwrap();
        assert_eq!(kind(event_loop.deregister(&reader, 5u64)), Some(ErrorKind::NotFound));
        assert_eq!(kind(event_loop.reregister(&reader, 5u64)), Some(ErrorKind::NotFound));
        #[cfg(unix)]
        assert_eq!(kind(event_loop.register(&file, 5u64)), Some(ErrorKind::Unsupported));
        assert_eq!(kind(event_loop.register(&reader, RESERVED)), Some(ErrorKind::InvalidInput));
        let nothing = event_loop.register_with(&reader, 5u64, Interest::empty(), Trigger::Edge);
        assert_eq!(kind(nothing), Some(ErrorKind::InvalidInput));
    });
}

#[test]
fn timers_through_their_life_and_a_full_table() {
    const TIMERS: usize = 1_000;
    let mut event_loop =
        event_loop(Config { timers: TIMERS, virtual_time: Some(1), ..Config::default() });
    let mut tally = Tally::default();
    forbidden("timers", || {
        for round in 0..3 {
            let first = event_loop.timeout(1u64, Duration::from_secs(1)).unwrap();
            let second = event_loop.interval(2u64, Duration::from_secs(2)).unwrap();
            for n in 2..TIMERS as u64 {
                event_loop.timeout(n, Duration::from_micros(n * 7_919 % 1_000)).unwrap();
            }
            let refused = event_loop.timeout(3u64, Duration::ZERO);
            assert_eq!(kind(refused), Some(io::Error::from(Full).kind()));
            assert!(event_loop.reschedule(first, Duration::from_secs(3)));
            assert!(event_loop.reschedule_at(second, Instant::now()));
            assert!(event_loop.cancel(first) && !event_loop.cancel(first));
            assert!(event_loop.next_deadline().is_some());
            while tally.timeouts < (round + 1) * (TIMERS - 1) {
                event_loop.run_once(&mut tally, SOON).unwrap();
            }
            assert!(event_loop.cancel(second));
        }
    });
}

#[test]
fn messages_full_and_closed_included() {
    let mut event_loop = event_loop(Config { messages: 4, ..Config::default() });
    let sender = event_loop.sender();
    let wide = event_loop.sender().map(u32::from as fn(u16) -> u32);
    let mut tally = Tally::default();
    forbidden("messages", || {
        let another = sender.clone();
        for _ in 0..100 {
            (0..3).for_each(|n| another.send(n).unwrap());
            wide.send(3).unwrap();
            assert!(matches!(sender.send(4), Err(SendError::Full(4))));
            assert!(matches!(wide.send(4), Err(SendError::Full(4))));
            event_loop.run_once(&mut tally, SOON).unwrap();
        }
    });
    assert_eq!(tally.messages, 400);
    drop(event_loop);
    forbidden("a message to nobody", || {
        assert!(matches!(sender.send(5), Err(SendError::Closed(5))));
    });
}

#[test]
fn a_message_from_another_thread_to_a_sleeping_loop() {
    let mut event_loop = event_loop(Config::default());
    let sender = event_loop.sender();
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let threads = scope.spawn(move || {
            for n in 0..10 {
                thread::sleep(Duration::from_millis(2));
                forbidden("sending", || sender.send(n).unwrap());
            }
        });
        forbidden("receiving", || {
            while tally.messages < 10 {
                event_loop.run_once(&mut tally, SOON).unwrap();
            }
        });
        threads.join().unwrap();
    });
}

// By signals that a process sends to itself.
#[cfg(unix)]
#[test]
fn signals_asked_for_raised_too_often_and_given_back() {
    const SIGNAL: mio_core::Signal = mio_core::Signal::USR1;
    let mut event_loop = event_loop(Config { signals: 4, ..Config::default() });
    let mut tally = Tally::default();
    forbidden("signals", || {
        for _ in 0..3 {
            event_loop.signals_with(SIGNAL.into(), 1u64).unwrap();
            let again = event_loop.signals_with(SIGNAL.into(), 2u64);
            assert_eq!(kind(again), Some(ErrorKind::AlreadyExists));
            for _ in 0..100 {
                tests::raise(SIGNAL.as_raw());
            }
            tally.signals = 0;
            event_loop.run_once(&mut tally, SOON).unwrap();
            assert!(tally.signals >= 4);
            event_loop.ignore_signals(SIGNAL.into());
        }
    });
}

#[test]
fn children_watched_forgotten_and_exited() {
    let mut event_loop = event_loop(Config { children: 2, ..Config::default() });
    let mut children: Vec<Child> = (0..3).map(|_| waits_for_its_input().spawn().unwrap()).collect();
    let mut tally = Tally::default();
    forbidden("children", || {
        event_loop.child(&children[0], 0u64).unwrap();
        event_loop.child(&children[1], 1u64).unwrap();
        let full = event_loop.child(&children[2], 2u64);
        assert_eq!(kind(full), Some(io::Error::from(Full).kind()));
        let twice = event_loop.child(&children[1], 1u64);
        assert_eq!(kind(twice), Some(ErrorKind::AlreadyExists));
        assert!(event_loop.forget_child(&children[1]));
        event_loop.child(&children[2], 2u64).unwrap();
        for child in &mut children {
            drop(child.stdin.take());
        }
        while tally.children < 2 {
            event_loop.run_once(&mut tally, SOON).unwrap();
        }
    });
    children.iter_mut().for_each(|child| assert!(child.wait().unwrap().success()));
    // Windows knows of it for as long as somebody has its handle.
    let gone = cfg!(unix);
    forbidden("a child that is gone", || {
        assert_eq!(event_loop.child(&children[0], 0u64).is_err(), gone);
    });
}

/// What comes of this, which is tried again after each event.
fn in_the_end<T>(event_loop: &mut EventLoop<u32>, mut act: impl FnMut() -> io::Result<T>) -> T {
    loop {
        match act() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let mut tally = Tally::default();
                event_loop.run_once(&mut tally, SOON).unwrap();
                assert!(tally.ready > 0, "it does not come");
            }
            result => return result.unwrap(),
        }
    }
}

#[test]
fn sockets_from_birth_to_death() {
    let mut event_loop = event_loop(Config::default());
    let mut tally = Tally::default();
    let mut buffer = [0; 64];
    forbidden("TCP", || {
        let listener = TcpListener::bind(LOCALHOST).unwrap();
        event_loop.register(&listener, 1u64).unwrap();
        assert_eq!(kind(listener.accept()), Some(ErrorKind::WouldBlock));
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        event_loop.register(&client, 2u64).unwrap();
        event_loop.run_once(&mut tally, SOON).unwrap();
        while !client.finish_connect().unwrap() {
            event_loop.run_once(&mut tally, SOON).unwrap();
        }
        let (mut server, _) = in_the_end(&mut event_loop, || listener.accept());
        event_loop.register(&server, 3u64).unwrap();
        assert_eq!(kind(server.read(&mut buffer)), Some(ErrorKind::WouldBlock));
        client.write_all(b"ping").unwrap();
        assert_eq!(in_the_end(&mut event_loop, || server.read(&mut buffer)), 4);
        server.shutdown(Shutdown::Both).unwrap();
        event_loop.close(server, 3u64).unwrap();
        assert_eq!(in_the_end(&mut event_loop, || client.read(&mut buffer)), 0);
        let address = listener.local_addr().unwrap();
        event_loop.close(listener, 1u64).unwrap();
        nobody_listens(address);
        let refused = TcpStream::connect(address).and_then(|refused| {
            loop {
                if refused.finish_connect()? {
                    return Ok(());
                }
            }
        });
        assert_eq!(kind(refused), Some(ErrorKind::ConnectionRefused));
    });
    forbidden("UDP", || {
        let (one, other) =
            (UdpSocket::bind(LOCALHOST).unwrap(), UdpSocket::bind(LOCALHOST).unwrap());
        event_loop.register(&other, 4u64).unwrap();
        assert_eq!(kind(other.recv_from(&mut buffer)), Some(ErrorKind::WouldBlock));
        one.send_to(b"ping", other.local_addr().unwrap()).unwrap();
        let received = in_the_end(&mut event_loop, || other.recv_from(&mut buffer));
        assert_eq!(received, (4, one.local_addr().unwrap()));
    });
    forbidden("Unix sockets and pipes", || {
        let (mut one, mut other) = pair();
        event_loop.register(&one, 5u64).unwrap();
        other.write_all(b"ping").unwrap();
        assert_eq!(in_the_end(&mut event_loop, || one.read(&mut buffer)), 4);
        // A child that another test begins has it too.
        #[cfg(unix)]
        other.shutdown(Shutdown::Both).unwrap();
        drop(other);
        // TCP writes once more before it knows.
        let gone = kind(one.write(b"pong"));
        assert_eq!(gone, cfg!(unix).then_some(ErrorKind::BrokenPipe));
        #[cfg(unix)]
        {
            let (one, other) = mio_core::unix::UnixDatagram::pair().unwrap();
            one.send(b"ping").unwrap();
            assert_eq!(other.recv(&mut buffer).unwrap(), 4);
        }
        let (mut reader, mut writer) = pipe::new().unwrap();
        assert_eq!(kind(reader.read(&mut buffer)), Some(ErrorKind::WouldBlock));
        writer.write_all(b"ping").unwrap();
        // Where a pipe is two sockets, what was written takes its time.
        let read = (0..10_000).find_map(|_| {
            reader.read(&mut buffer).ok().or_else(|| {
                thread::sleep(Duration::from_millis(1));
                None
            })
        });
        assert_eq!(read, Some(4));
    });
}

/// Relays between two sockets through a ring of each direction, and asks for fairness's sake to be
/// called again.
struct Relay {
    sides: [TcpStream; 2],
    rings: [Ring<[u8; 512]>; 2],
    relayed: usize,
    ticks: usize,
}

impl Handler<u32> for Relay {
    fn ready(&mut self, event_loop: &mut EventLoop<u32>, token: u64, readiness: Readiness) {
        let mut moved = 0;
        for from in 0..2 {
            let ring = &mut self.rings[from];
            moved += ring.fill_from(&mut &self.sides[from]).unwrap_or(0);
            let drained = ring.drain_to(&mut &self.sides[1 - from]).unwrap_or(0);
            self.relayed += drained;
            moved += drained;
        }
        if moved > 0 {
            event_loop.again(token, readiness).unwrap();
        }
    }

    fn tick(&mut self, _: &mut EventLoop<u32>) {
        self.ticks += 1;
    }
}

#[test]
fn a_relay_under_way() {
    let mut event_loop = event_loop(Config::default());
    let listener = TcpListener::bind(LOCALHOST).unwrap();
    let pair = || {
        let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (near, listener.accept().unwrap().0)
    };
    let ((mut client, one), (mut server, other)) = (pair(), pair());
    event_loop.register(&one, 1u64).unwrap();
    event_loop.register(&other, 2u64).unwrap();
    let mut relay = Relay { sides: [one, other], rings: Default::default(), relayed: 0, ticks: 0 };
    let (sent, mut received) = ([7; 1_200], [0; 1_200]);
    forbidden("relaying", || {
        for round in 1..=20 {
            client.write_all(&sent).unwrap();
            while relay.relayed < round * sent.len() {
                event_loop.run_once(&mut relay, SOON).unwrap();
            }
            server.read_exact(&mut received).unwrap();
            assert_eq!(sent, received);
        }
        drop(client);
        event_loop.run_once(&mut relay, SOON).unwrap();
    });
    assert!(relay.ticks > 20);
}

/// Fails on the first event.
struct Failing;

impl Handler<u32> for Failing {
    fn ready(&mut self, event_loop: &mut EventLoop<u32>, _: u64, _: Readiness) {
        event_loop.fail(ErrorKind::ConnectionReset.into());
    }

    fn timeout(&mut self, event_loop: &mut EventLoop<u32>, _: u64, _: Expiry) {
        assert_eq!(kind(event_loop.run_once(self, None)), Some(ErrorKind::ResourceBusy));
        event_loop.shutdown();
    }
}

#[test]
fn running_failing_stopping_and_a_full_table_of_requests() {
    let mut event_loop = event_loop(Config { sources: 8, ..Config::default() });
    forbidden("a run", || {
        for _ in 0..3 {
            for token in 0..8_u64 {
                event_loop.again(token, Readiness::READABLE).unwrap();
            }
            let refused = event_loop.again(8u64, Readiness::READABLE);
            assert_eq!(kind(refused), Some(io::Error::from(Full).kind()));
            for _ in 0..8 {
                assert_eq!(kind(event_loop.run(Failing)), Some(ErrorKind::ConnectionReset));
            }
            event_loop.timeout(1u64, Duration::ZERO).unwrap();
            event_loop.run(Failing).unwrap();
        }
    });
}

#[test]
fn more_requests_than_are_asked_for_by_default() {
    let sources = Config::default().sources + 1_000;
    let mut event_loop = event_loop(Config { sources, ..Config::default() });
    forbidden("requests", || {
        for token in 0..sources as u64 {
            event_loop.again(token, Readiness::READABLE).unwrap();
        }
    });
}

#[test]
fn a_bare_selector_and_its_waker() {
    let selector = Selector::new().unwrap();
    let mut events = Events::with_capacity(8);
    let waker = Waker::new(&selector, u64::MAX).unwrap();
    let (mut reader, mut writer) = pipe::new().unwrap();
    forbidden("selecting", || {
        selector.register(&reader, 0, Interest::READABLE, Trigger::Edge).unwrap();
        for _ in 0..10 {
            writer.write_all(b"x").unwrap();
            waker.wake().unwrap();
            let mut heard = 0;
            while heard < 2 {
                selector.select(&mut events, SOON).unwrap();
                assert!(!events.is_empty());
                heard += events.iter().count();
            }
            while reader.read(&mut [0; 8]).is_ok() {}
            selector.select(&mut events, Some(Duration::from_micros(1_500))).unwrap();
            assert!(events.is_empty());
        }
        selector.deregister(&reader).unwrap();
    });
}

#[test]
fn a_slab_full_and_not() {
    let mut slab: Slab<u64> = Slab::with_capacity(100);
    forbidden("a slab", || {
        for _ in 0..3 {
            let first = slab.insert(0).unwrap();
            (1..100).for_each(|n| assert!(slab.insert(n).is_ok()));
            assert_eq!(slab.insert(100), Err(100));
            assert_eq!(slab.remove(first), Some(0));
            assert_eq!(slab.get(first), None);
            slab.clear();
        }
    });
}

/// Sends this through a flow and receives it, with a sink that is full at first.
fn relayed(pool: &mut Pool, way: &mut Way, bytes: &[u8], received: &mut [u8]) {
    let ((mut from, source), (sink, mut to)) = (pair(), pair());
    let (mut flow, mut sent, mut taken) = (Flow::to_a_ready_sink(), 0, 0);
    while !flow.is_finished() || taken < received.len() {
        match from.write(&bytes[sent..]) {
            Ok(0) => from.shutdown(Shutdown::Write).unwrap(),
            Ok(length) => sent += length,
            Err(_) => {}
        }
        flow.source_is(Readiness::READABLE);
        flow.sink_is(Readiness::WRITABLE);
        while flow.advance(&source, &sink, pool, way, &mut ()).unwrap() == Progress::Yields {}
        let end = received.len().min(taken + 2_000);
        taken += to.read(&mut received[taken..end]).unwrap_or(0);
    }
    flow.close(pool);
}

#[test]
fn relaying_by_every_way_and_its_end() {
    let bytes = vec![7; 500_000];
    let mut received = vec![0; bytes.len()];
    for (buffers, pipes) in [(1, 1), (1, 0), (0, 0), (0, 1)] {
        let bounds = Bounds { buffers, pipes, buffer_bytes: 10_000, ..Bounds::default() };
        let mut pool = Pool::new(bounds);
        let mut way = Way::default();
        forbidden("relaying", || {
            for _ in 0..2 {
                received.fill(0);
                relayed(&mut pool, &mut way, &bytes, &mut received);
                pool.close_idle_pipes();
            }
        });
        assert!(received == bytes);
        let Way { spliced, held, peeks, .. } = way;
        let splices = pipes > 0 && tests::backend::SPLICES;
        assert_eq!((spliced > 0, peeks > 0), (splices, buffers == 0), "{way:?}");
        // TCP on Windows takes all of it, read or not.
        assert!(held > 0 || (buffers, pipes) == (0, 0) || cfg!(windows), "{way:?}");
    }
}

// TCP writes once more before it knows.
#[cfg(unix)]
#[test]
fn a_relay_that_breaks() {
    let (mut from, source) = pair();
    let (sink, to) = pair();
    let mut pool = Pool::new(Bounds::default());
    tests::hang_up(to);
    forbidden("breaking", || {
        from.write_all(b"lost").unwrap();
        let mut flow = Flow::to_a_ready_sink();
        flow.source_is(Readiness::READABLE);
        let broken = flow.advance(&source, &sink, &mut pool, &mut Way::default(), &mut ());
        assert_eq!(broken, Err(mio_core::relay::Broken::Sink(ErrorKind::BrokenPipe)));
        flow.close(&mut pool);
    });
}

// Windows has no such signal.
#[cfg(unix)]
#[test]
fn a_loop_that_goes_frees_what_it_took() {
    let signal = mio_core::SignalSet::from(mio_core::Signal::ALRM);
    let live = || {
        let mut one = event_loop(Config::default());
        one.signals_with(signal, 1u64).unwrap();
        let mut other = event_loop(Config::default());
        assert_eq!(kind(other.signals_with(signal, 1u64)), Some(ErrorKind::ResourceBusy));
        // The C library's own.
        let refused = mio_core::Signal::from_raw(32).unwrap().into();
        assert_eq!(kind(one.signals_with(refused, 1u64)), Some(ErrorKind::InvalidInput));
        one.timeout(2u64, Duration::ZERO).unwrap();
        one.sender().send(3).unwrap();
        one.run_once(&mut Tally::default(), SOON).unwrap();
    };
    // With the first loop comes what the process keeps.
    live();
    let ((), counts) = tests::alloc::here(live);
    assert_eq!(counts.allocations, counts.deallocations);
}
