//! What both proxies promise, seen from their two sides through ordinary blocking sockets.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use examples::service::Service;
use mio_core::{
    EventLoop, Sender, net as core_net,
    proxy::{Command as Order, Counters},
    relay::Bounds,
};
use tests::{
    alloc, backend,
    peers::{PATIENCE, accept, noise, patient, read, read_to_end, reset},
    small_buffers,
};

use super::subject::{self, Config};

/// Several times what the kernel keeps between the proxy and a reader that sleeps: the proxy's side by itself, 4 MiB
/// by default, and [`BUFFERED`] on the reader's.
const MUCH: usize = 24 << 20;
const BUFFERED: i32 = 256 << 10;

/// A proxy, and the listener that its clients are connected to.
pub(super) struct Rig {
    pub(super) service: Service,
    pub(super) upstream: TcpListener,
}

impl Rig {
    pub(super) fn new(adjust: impl FnOnce(&mut Config)) -> Rig {
        let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = Config::new(loopback(), upstream.local_addr().unwrap());
        adjust(&mut config);
        Rig { service: subject::start(config).unwrap(), upstream }
    }

    fn client(&self) -> TcpStream {
        patient(TcpStream::connect(self.service.address()).unwrap())
    }

    /// A client, and whom it talks to.
    fn pair(&self) -> (TcpStream, TcpStream) {
        let client = self.client();
        (client, accept(&self.upstream))
    }

    fn drained(self) -> Counters {
        self.service.drain().unwrap()
    }
}

pub(super) fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Bounds within which nothing is spliced.
fn copied() -> Bounds {
    Bounds { pipes: 0, ..Bounds::default() }
}

/// Sends one way while nobody reads, until nothing moves any more; then reads and compares.
fn send_to_a_late_reader(from: &TcpStream, to: &TcpStream, bytes: &[u8]) {
    small_buffers(to, BUFFERED);
    let sent = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for piece in bytes.chunks(1 << 16) {
                (&mut &*from).write_all(piece).unwrap();
                sent.fetch_add(piece.len(), Ordering::Relaxed);
            }
            from.shutdown(Shutdown::Write).unwrap();
        });
        // Naps, and not a time: whoever wants to run gets to run between them, also on a machine with much else to do.
        let (mut before, mut naps) = (0, 0);
        while naps < 20 {
            thread::sleep(Duration::from_millis(5));
            let now = sent.load(Ordering::Relaxed);
            naps = if now == before && now > 0 { naps + 1 } else { 0 };
            before = now;
        }
        assert!(read_to_end(to).unwrap() == bytes);
    });
}

/// Bulk both ways at once within these bounds.
fn bulk(relay: Bounds) -> Counters {
    let rig = Rig::new(|config| config.relay = relay);
    let (client, server) = rig.pair();
    let (up, down) = (noise(MUCH, 1), noise(MUCH, 2));
    thread::scope(|scope| {
        scope.spawn(|| send_to_a_late_reader(&client, &server, &up));
        scope.spawn(|| send_to_a_late_reader(&server, &client, &down));
    });
    drop((client, server));
    let counters = rig.drained();
    assert_eq!((counters.finished, counters.resets, counters.broken), (1, 0, 0));
    assert_eq!(counters.ways.map(|way| way.bytes), [MUCH as u64; 2]);
    counters
}

#[test]
fn every_byte_arrives_in_order_both_ways_at_once() {
    let counters = bulk(Bounds::default());
    // A late reader was waited for, with what it did not take held, in a pipe mostly.
    assert!(counters.ways.iter().all(|way| way.held > 0 && way.peeks == 0));
    if backend::SPLICES {
        assert!(counters.ways.iter().all(|way| way.spliced > MUCH as u64 / 2), "{counters}");
    }
}

#[test]
fn without_a_pipe_too() {
    let counters = bulk(copied());
    assert!(counters.ways.iter().all(|way| way.held > 0 && way.peeks == 0 && way.spliced == 0));
    assert!(counters.held_max >= 1);
}

#[test]
fn without_a_single_buffer_bytes_stay_in_the_kernel_and_nothing_is_lost() {
    let counters = bulk(Bounds { buffers: 0, ..copied() });
    assert_eq!(counters.held_max, 0);
    assert!(counters.ways.iter().all(|way| way.peeks > 0 && way.held == 0));
}

#[test]
fn readers_that_are_stuck_with_all_buffers_do_not_hold_up_the_others() {
    let rig = Rig::new(|config| config.relay = Bounds { buffers: 2, ..copied() });
    let stuck: Vec<_> = (0..4).map(|_| rig.pair()).collect();
    for (client, _server) in &stuck {
        client.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        let error = (&mut &*client).write_all(&vec![0; MUCH]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    }
    let (client, server) = rig.pair();
    send_to_a_late_reader(&client, &server, &noise(MUCH, 5));
    drop((client, server, stuck));
    assert_eq!(rig.drained().held_max, 2);
}

#[test]
fn the_end_of_one_way_is_passed_on_and_the_other_way_goes_on() {
    let rig = Rig::new(|_| {});
    for client_ends_first in [true, false] {
        let (client, server) = rig.pair();
        let (mut first, mut last) =
            if client_ends_first { (&client, &server) } else { (&server, &client) };
        first.write_all(b"all I have").unwrap();
        first.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(last).unwrap(), b"all I have");
        last.write_all(b"an answer").unwrap();
        assert_eq!(read(first, 9), b"an answer");
        last.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(first).unwrap(), b"");
    }
    let counters = rig.drained();
    assert_eq!((counters.accepted, counters.finished), (2, 2));
}

#[test]
fn a_reset_is_passed_on_as_a_reset() {
    let rig = Rig::new(|_| {});
    for client_resets in [true, false] {
        let (client, server) = rig.pair();
        (&mut &client).write_all(b"x").unwrap();
        read(&server, 1);
        let (vanishes, stays) = if client_resets { (client, server) } else { (server, client) };
        reset(vanishes);
        assert_eq!(read_to_end(&stays).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    let counters = rig.drained();
    assert_eq!((counters.resets, counters.finished, counters.broken), (2, 0, 0));
}

#[test]
fn a_client_whom_the_upstream_refuses_is_closed() {
    let rig = Rig::new(|_| {});
    let address = rig.service.address();
    drop(rig.upstream);
    let client = patient(TcpStream::connect(address).unwrap());
    assert_eq!(read_to_end(&client).unwrap(), b"");
    let counters = rig.service.drain().unwrap();
    assert_eq!((counters.accepted, counters.connects_failed), (1, 1));
}

#[test]
fn a_client_whom_the_upstream_does_not_answer_is_closed_after_the_connect_timeout() {
    let options = core_net::ListenOptions { backlog: 1, ..Default::default() };
    let deaf = core_net::TcpListener::bind_with(loopback(), options).unwrap();
    let address = deaf.local_addr().unwrap();
    // A queue that is full lets further attempts wait for an answer.
    let filled: Vec<_> = (0..8).map(|_| core_net::TcpStream::connect(address).unwrap()).collect();
    thread::sleep(Duration::from_millis(50));
    let rig = Rig::new(|config| {
        config.upstream = address;
        config.connect_timeout = Duration::from_millis(200);
    });
    let began = Instant::now();
    let client = rig.client();
    assert_eq!(read_to_end(&client).unwrap(), b"");
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert_eq!(rig.drained().connect_timeouts, 1);
    drop(filled);
}

#[test]
fn a_pair_is_closed_when_nothing_moved_for_the_idle_timeout_and_not_before() {
    // On a machine that has other things to do bytes may be late, but not every time.
    assert!((0..20).any(|_| is_closed_after_the_last_byte()));
}

/// `false`: a byte came so late that the pair may have been closed before.
fn is_closed_after_the_last_byte() -> bool {
    const IDLE: Duration = Duration::from_secs(1);
    let rig = Rig::new(|config| (config.connect_timeout, config.idle_timeout) = (IDLE, IDLE));
    let mut last_write = Instant::now();
    let (mut client, mut server) = rig.pair();
    for _ in 0..6 {
        thread::sleep(IDLE / 4);
        let (now, mut bytes) = (Instant::now(), [0; 5]);
        let came = client.write_all(b"alive").and_then(|()| server.read_exact(&mut bytes));
        if last_write.elapsed() >= IDLE {
            drop((client, server));
            rig.drained();
            return false;
        }
        came.unwrap();
        assert_eq!(bytes, *b"alive");
        last_write = now;
    }
    assert_eq!(read_to_end(&client).unwrap(), b"");
    assert_eq!(read_to_end(&server).unwrap(), b"");
    assert!(last_write.elapsed() >= IDLE);
    assert_eq!(rig.drained().idle_timeouts, 1);
    true
}

#[test]
fn clients_beyond_the_table_wait_until_a_pair_ends() {
    let rig = Rig::new(|config| config.pairs = 1);
    let (client, server) = rig.pair();
    let mut next = rig.client();
    next.write_all(b"me too").unwrap();
    rig.upstream.set_nonblocking(true).unwrap();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(rig.upstream.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    drop((client, server));
    assert_eq!(read(&accept(&rig.upstream), 6), b"me too");
    drop(next);
    assert_eq!(rig.drained().accepted, 2);
}

#[test]
fn a_drain_accepts_no_more_and_lets_pairs_finish() {
    let rig = Rig::new(|_| {});
    let (mut client, mut server) = rig.pair();
    let address = rig.service.address();
    rig.service.command(Order::Drain);
    let began = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(began.elapsed() < PATIENCE, "it still accepts");
        thread::sleep(Duration::from_millis(5));
    }
    client.write_all(b"question").unwrap();
    assert_eq!(read(&server, 8), b"question");
    server.write_all(b"answer").unwrap();
    assert_eq!(read(&client, 6), b"answer");
    // Those that knocked too early for the listener to be closed find nobody.
    drop((client, server, rig.upstream));
    let counters = rig.service.wait().unwrap();
    assert_eq!(counters.open, 0);
    assert!(counters.finished >= 1);
}

#[test]
fn a_drain_ends_after_its_timeout_or_at_the_second_request() {
    for (timeout, requests) in [(Duration::from_millis(100), 1), (PATIENCE * 10, 2)] {
        let rig = Rig::new(|config| config.drain_timeout = timeout);
        let (client, server) = rig.pair();
        let began = Instant::now();
        for _ in 0..requests {
            rig.service.command(Order::Drain);
        }
        assert_eq!(rig.service.wait().unwrap().open, 1);
        assert!(began.elapsed() < PATIENCE);
        assert_eq!(read_to_end(&client).unwrap(), b"");
        drop(server);
    }
}

/// Ends the proxy when its peers have, so that one that fails is no hang.
struct Ending(Sender<Order>);

impl Drop for Ending {
    fn drop(&mut self) {
        let order = if thread::panicking() { Order::Stop } else { Order::Drain };
        self.0.send(order).unwrap();
    }
}

#[test]
fn nothing_is_allocated_while_it_runs() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Config { pairs: 4, ..Config::new(loopback(), upstream.local_addr().unwrap()) };
    let mut event_loop = EventLoop::with_config(config.event_loop()).unwrap();
    let mut proxy = subject::proxy(&mut event_loop, config).unwrap();
    let (address, sender) = (subject::address(&proxy).unwrap(), event_loop.sender());
    let peers = thread::spawn(move || {
        let _end = Ending(sender);
        let bytes = noise(MUCH, 6);
        for _ in 0..8 {
            let client = patient(TcpStream::connect(address).unwrap());
            let server = accept(&upstream);
            send_to_a_late_reader(&client, &server, &bytes[..MUCH / 4]);
            reset(server);
        }
        drop(upstream);
        let refused = patient(TcpStream::connect(address).unwrap());
        assert_eq!(read_to_end(&refused).unwrap(), b"");
    });
    alloc::forbidden("the proxy", || event_loop.run(&mut proxy).map(drop)).unwrap();
    peers.join().unwrap();
    let counters = proxy.counters();
    assert_eq!((counters.accepted, counters.connects_failed), (9, 1));
    assert!(counters.ways[0].held > 0);
}
