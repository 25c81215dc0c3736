//! What the user's struct is asked and told.

use std::{
    io::{ErrorKind, Write},
    net::{Shutdown, TcpListener},
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mio_core::{
    Key, Proxy, Sender,
    proxy::{
        Address, Cause, Client, Closed, Command, Connection, Counters, Hooks, InspectDown,
        InspectUp, ProxyConfig, ProxyProtocol, Side,
    },
    relay::{Bounds, Chunk},
};
use tests::{
    peers::{nobody_listens, reset},
    small_buffers,
};

use crate::{
    PATIENCE, Plain, PlainServer, accept, connect, listen, read, read_to_end, serving, upstream,
};

/// Remembers what it was told, and accepts no client at the second listener.
#[derive(Proxy)]
#[proxy(tick = "10ms")]
struct Curious {
    upstream: Address,
    told: Vec<&'static str>,
    keys: Vec<Key>,
    closed: Vec<Closed>,
    ticks: Arc<AtomicU64>,
    reports: Vec<Counters>,
}

impl Curious {
    fn new(upstream: Address) -> Curious {
        let (told, keys, closed, ticks, reports) = Default::default();
        Curious { upstream, told, keys, closed, ticks, reports }
    }
}

impl Hooks for Curious {
    fn upstream(&mut self, client: &Client<'_>) -> Option<Address> {
        self.told.push("upstream");
        (client.listener == 0).then(|| self.upstream.clone())
    }

    fn accepted(&mut self, client: &Client<'_>) {
        assert_eq!(client.address, client.connection.peer_addr());
        self.keys.push(client.key);
        self.told.push("accepted");
    }

    fn connected(&mut self, pair: Key, upstream: &Connection) {
        assert!(self.keys.contains(&pair));
        assert_eq!(upstream.peer_addr(), self.upstream.tcp());
        self.told.push("connected");
    }

    fn closed(&mut self, closed: &Closed) {
        self.closed.push(*closed);
        self.told.push("closed");
    }

    fn tick(&mut self, _: &Counters) {
        self.ticks.fetch_add(1, Ordering::SeqCst);
    }

    fn report(&mut self, counters: &Counters) {
        self.reports.push(*counters);
    }
}

fn two() -> ProxyConfig {
    listen(&["127.0.0.1:0", "127.0.0.1:0"], CuriousServer::config())
}

#[test]
fn a_pair_is_told_from_its_beginning_to_its_end() {
    let (far, address) = upstream();
    let curious = Curious::new(address);
    let ticks = Arc::clone(&curious.ticks);
    let (addresses, sender, thread) = serving!(CuriousServer, curious, two());
    let mut client = connect(&addresses[0]);
    let mut server = accept(&far);
    client.write_all(b"question").unwrap();
    read(&mut server, 8);
    server.write_all(b"yes").unwrap();
    read(&mut client, 3);
    sender.send(Command::Report).unwrap();
    let (began, before) = (Instant::now(), ticks.load(Ordering::SeqCst));
    while ticks.load(Ordering::SeqCst) < before + 3 {
        assert!(began.elapsed() < PATIENCE, "it does not tick");
        std::thread::sleep(Duration::from_millis(5));
    }
    // As often as was said, and no more often.
    let ticked = ticks.load(Ordering::SeqCst) - before;
    assert!(u128::from(ticked) <= 4 + began.elapsed().as_millis() / 10);
    client.shutdown(Shutdown::Write).unwrap();
    read_to_end(&mut server).unwrap();
    drop(server);
    read_to_end(&mut client).unwrap();
    sender.send(Command::Drain).unwrap();
    let curious = thread.join().unwrap().gateway;
    assert_eq!(curious.told, ["accepted", "upstream", "connected", "closed"]);
    let closed =
        Closed { key: curious.keys[0], cause: Cause::Finished, bytes_up: 8, bytes_down: 3 };
    assert_eq!(curious.closed, [closed]);
    let [report] = curious.reports[..] else { panic!("one report") };
    assert_eq!((report.accepted, report.open, report.bytes()), (1, 1, 11));
}

#[test]
fn a_client_without_an_upstream_is_closed_and_the_next_one_served() {
    let (far, address) = upstream();
    let (addresses, sender, thread) = serving!(CuriousServer, Curious::new(address), two());
    assert_eq!(read_to_end(&mut connect(&addresses[1])).unwrap(), b"");
    let mut client = connect(&addresses[0]);
    client.write_all(b"x").unwrap();
    read(&mut accept(&far), 1);
    sender.send(Command::Stop).unwrap();
    let server = thread.join().unwrap();
    let counters = server.counters();
    assert_eq!((counters.accepted, counters.not_opened, counters.open), (2, 1, 1));
    assert_eq!(server.gateway.told[..2], ["accepted", "upstream"]);
    let [closed] = server.gateway.closed[..] else { panic!("one had an upstream") };
    assert_eq!((closed.cause, closed.bytes_up), (Cause::Stopped, 1));
}

#[cfg(unix)]
#[test]
fn who_got_an_upstream_comes_to_an_end_that_is_told_also_if_connecting_fails_at_once() {
    let nowhere = "unix:/nowhere/at/all".parse().unwrap();
    let (addresses, sender, thread) = serving!(CuriousServer, Curious::new(nowhere), two());
    for address in [&addresses[0], &addresses[1], &addresses[0]] {
        assert_eq!(read_to_end(&mut connect(address)).unwrap(), b"");
    }
    sender.send(Command::Drain).unwrap();
    let server = thread.join().unwrap();
    let Curious { keys, closed, .. } = &server.gateway;
    let cause = Cause::ConnectFailed(ErrorKind::NotFound);
    let ends = [keys[0], keys[2]].map(|key| Closed { key, cause, bytes_up: 0, bytes_down: 0 });
    assert_eq!(closed[..], ends);
    assert_eq!((server.counters().connects_failed, server.counters().not_opened), (2, 1));
}

#[test]
fn why_a_pair_ended_is_told() {
    let (far, address) = upstream();
    let mut config = two();
    config.idle_timeout = Duration::from_millis(200);
    let (addresses, sender, thread) = serving!(CuriousServer, Curious::new(address), config);
    // Idle for too long.
    assert_eq!(read_to_end(&mut connect(&addresses[0])).unwrap(), b"");
    assert_eq!(read_to_end(&mut accept(&far)).unwrap(), b"");
    sender.send(Command::Drain).unwrap();
    let idle = thread.join().unwrap().gateway;
    let hooks = Curious::new(idle.upstream.clone());
    let (addresses, sender, thread) = serving!(CuriousServer, hooks, two());
    // Reset by the client, once the proxy has both sides.
    let mut client = connect(&addresses[0]);
    let mut server = accept(&far);
    client.write_all(b"x").unwrap();
    read(&mut server, 1);
    reset(client);
    assert_eq!(read_to_end(&mut server).unwrap_err().kind(), ErrorKind::ConnectionReset);
    // Refused, after seconds on Windows.
    let far_address = far.local_addr().unwrap();
    drop((far, server));
    nobody_listens(far_address);
    assert_eq!(read_to_end(&mut connect(&addresses[0])).unwrap(), b"");
    sender.send(Command::Drain).unwrap();
    let others = thread.join().unwrap().gateway;
    let causes: Vec<Cause> =
        idle.closed.iter().chain(&others.closed).map(|closed| closed.cause).collect();
    let expected = [
        Cause::IdleTimeout,
        Cause::Broken(Side::Client, ErrorKind::ConnectionReset),
        Cause::ConnectFailed(ErrorKind::ConnectionRefused),
    ];
    assert_eq!(causes, expected);
}

/// Shouts what clients say, and puts a frame around what the upstream does.
#[derive(Proxy)]
#[proxy(inspect(up, down))]
struct Frame {
    upstream: Address,
    begun: bool,
    /// What the kernel may keep on its way to the upstream, in bytes.
    buffered: Option<i32>,
    /// Remainders, as of the last report.
    held: Arc<AtomicU64>,
}

impl Frame {
    fn new(upstream: Address) -> Frame {
        Frame { upstream, begun: false, buffered: None, held: Arc::default() }
    }
}

impl Hooks for Frame {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.upstream.clone())
    }

    fn connected(&mut self, _: Key, upstream: &Connection) {
        if let Some(bytes) = self.buffered {
            small_buffers(upstream, bytes);
        }
    }

    fn report(&mut self, counters: &Counters) {
        self.held.store(counters.held_max, Ordering::SeqCst);
    }
}

impl InspectUp for Frame {
    fn up(&mut self, _: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        if chunk.bytes().contains(&b'!') {
            return Err(ErrorKind::InvalidData);
        }
        chunk.bytes_mut().make_ascii_uppercase();
        Ok(())
    }
}

impl InspectDown for Frame {
    const ROOM_DOWN: usize = 1;

    fn down(&mut self, _: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        if chunk.is_empty() {
            return chunk.push(b"]").map_err(|_| ErrorKind::StorageFull);
        }
        if !self.begun {
            self.begun = true;
            chunk.push(b"[").map_err(|_| ErrorKind::StorageFull)?;
            chunk.bytes_mut().rotate_right(1);
        }
        Ok(())
    }
}

fn frame(relay: Bounds) -> ProxyConfig {
    ProxyConfig { relay, ..listen(&["127.0.0.1:0"], FrameServer::config()) }
}

#[test]
fn bytes_are_seen_and_changed_in_either_direction() {
    let (far, address) = upstream();
    let hooks = Frame::new(address);
    let (addresses, sender, thread) = serving!(FrameServer, hooks, frame(Bounds::default()));
    let mut client = connect(&addresses[0]);
    let mut server = accept(&far);
    client.write_all(b"hello").unwrap();
    assert_eq!(read(&mut server, 5), b"HELLO");
    server.write_all(b"well").unwrap();
    assert_eq!(read(&mut client, 5), b"[well");
    server.write_all(b", hello").unwrap();
    drop(server);
    assert_eq!(read_to_end(&mut client).unwrap(), b", hello]");
    drop(client);
    sender.send(Command::Drain).unwrap();
    assert_eq!(thread.join().unwrap().counters().finished, 1);
}

#[test]
fn a_hook_that_refuses_bytes_resets_both_sides() {
    let (far, address) = upstream();
    let hooks = Frame::new(address);
    let (addresses, sender, thread) = serving!(FrameServer, hooks, frame(Bounds::default()));
    let mut client = connect(&addresses[0]);
    let mut server = accept(&far);
    client.write_all(b"no!").unwrap();
    assert_eq!(read_to_end(&mut client).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(read_to_end(&mut server).unwrap_err().kind(), ErrorKind::ConnectionReset);
    sender.send(Command::Drain).unwrap();
    assert_eq!(thread.join().unwrap().counters().broken, 1);
}

/// Several times what the kernel keeps between the proxy and who does not read.
const MUCH: usize = 4 << 20;
/// With a hook at work a remainder has to be held, and there is room for one.
fn one_buffer() -> Bounds {
    Bounds { buffers: 1, ..Bounds::default() }
}

/// An upstream and hooks between which the kernel keeps little, and where they say how many remainders are held.
fn narrow() -> (TcpListener, Frame, Arc<AtomicU64>) {
    const BUFFERED: i32 = 64 << 10;
    let (far, address) = upstream();
    small_buffers(&far, BUFFERED);
    let hooks = Frame { begun: true, buffered: Some(BUFFERED), ..Frame::new(address) };
    let held = Arc::clone(&hooks.held);
    (far, hooks, held)
}

/// Waits until a remainder is held.
fn is_held(held: &AtomicU64, sender: &Sender<Command>) {
    let began = Instant::now();
    while held.load(Ordering::SeqCst) == 0 {
        assert!(began.elapsed() < PATIENCE, "no remainder is held");
        let _ = sender.send(Command::Report);
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn who_has_to_wait_for_a_buffer_gets_one_when_it_is_free() {
    let (far, hooks, held) = narrow();
    let (addresses, sender, thread) = serving!(FrameServer, hooks, frame(one_buffer()));
    let mut pairs: Vec<_> = (0..4)
        .map(|_| {
            let client = connect(&addresses[0]);
            (client, accept(&far))
        })
        .collect();
    let full = Barrier::new(pairs.len() + 1);
    std::thread::scope(|scope| {
        for (client, server) in &mut pairs {
            let full = &full;
            scope.spawn(move || {
                client.write_all(&vec![b'x'; MUCH]).unwrap();
                client.shutdown(Shutdown::Write).unwrap();
            });
            scope.spawn(move || {
                full.wait();
                let bytes = read_to_end(server).unwrap();
                assert!(bytes.len() == MUCH && bytes.iter().all(|&byte| byte == b'X'));
            });
        }
        // Nobody reads before the only buffer is taken.
        is_held(&held, &sender);
        // So that the others get to wait for it.
        std::thread::sleep(Duration::from_millis(100));
        full.wait();
    });
    drop(pairs);
    sender.send(Command::Drain).unwrap();
    let counters = thread.join().unwrap().counters();
    assert_eq!((counters.finished, counters.held_max), (4, 1));
}

/// On Windows a reset is told to who meets it in a call, and who waits for a buffer makes none.
#[cfg(unix)]
#[test]
fn who_goes_while_it_waits_for_a_buffer_leaves_its_place_to_others() {
    let (far, hooks, held) = narrow();
    let config = ProxyConfig { capacity: 2, ..frame(one_buffer()) };
    let (addresses, sender, thread) = serving!(FrameServer, hooks, config);
    let mut stuck = connect(&addresses[0]);
    let mut unread = accept(&far);
    let writer = std::thread::spawn(move || {
        stuck.write_all(&vec![b'x'; MUCH]).unwrap();
        stuck
    });
    is_held(&held, &sender);
    // More than have places.
    for _ in 0..10 {
        let mut client = connect(&addresses[0]);
        let mut server = accept(&far);
        client.write_all(b"gone").unwrap();
        std::thread::sleep(Duration::from_millis(10));
        reset(client);
        assert_eq!(read_to_end(&mut server).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    let mut client = connect(&addresses[0]);
    let mut server = accept(&far);
    client.write_all(b"here").unwrap();
    assert!(read(&mut unread, MUCH).iter().all(|&byte| byte == b'X'));
    assert_eq!(read(&mut server, 4), b"HERE");
    // In this order, also while a child of another test has them.
    for stream in [writer.join().unwrap(), unread, client, server] {
        stream.shutdown(Shutdown::Both).unwrap();
    }
    sender.send(Command::Drain).unwrap();
    let counters = thread.join().unwrap().counters();
    assert_eq!((counters.resets, counters.finished), (10, 2), "{counters}");
}

#[test]
fn the_upstream_is_told_who_the_client_is() {
    for (proxy_protocol, length) in [(ProxyProtocol::V1, 0), (ProxyProtocol::V2, 28)] {
        let (far, address) = upstream();
        let config = listen(&["127.0.0.1:0"], PlainServer::config());
        let config = ProxyConfig { proxy_protocol, ..config };
        let (addresses, sender, thread) =
            serving!(PlainServer, Plain { upstream: address }, config);
        let mut client = connect(&addresses[0]);
        let (own, to) = (client.local_addr().unwrap(), addresses[0].tcp().unwrap());
        let line = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {} {}\r\n", own.port(), to.port());
        let mut server = accept(&far);
        // It comes although the client has said nothing.
        let header = read(&mut server, if length == 0 { line.len() } else { length });
        if length == 0 {
            assert_eq!(String::from_utf8(header).unwrap(), line);
        } else {
            assert_eq!(header[..16], *b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c");
            assert_eq!(header[24..26], own.port().to_be_bytes());
        }
        client.write_all(b"hello").unwrap();
        assert_eq!(read(&mut server, 5), b"hello");
        sender.send(Command::Stop).unwrap();
        thread.join().unwrap();
    }
}

/// Notes what the clients say, and adds a word to the end of it.
#[derive(Proxy)]
#[proxy(inspect(up))]
struct Listening {
    upstream: Address,
    heard: Vec<u8>,
}

impl Hooks for Listening {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.upstream.clone())
    }
}

impl InspectUp for Listening {
    const ROOM_UP: usize = 8;

    fn up(&mut self, _: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        self.heard.extend(chunk.bytes());
        if chunk.is_empty() {
            chunk.push(b" I think").map_err(|_| ErrorKind::StorageFull)?;
        }
        Ok(())
    }
}

#[test]
fn who_looks_at_what_clients_send_sees_its_end_and_not_the_header_before_it() {
    let (far, upstream) = upstream();
    let config = listen(&["127.0.0.1:0"], ListeningServer::config());
    let config = ProxyConfig { proxy_protocol: ProxyProtocol::V1, ..config };
    let hooks = Listening { upstream, heard: Vec::new() };
    let (addresses, sender, thread) = serving!(ListeningServer, hooks, config);
    let mut client = connect(&addresses[0]);
    client.write_all(b"it rains").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let said = String::from_utf8(read_to_end(&mut accept(&far)).unwrap()).unwrap();
    let (header, said) = said.split_once("\r\n").unwrap();
    assert!(header.starts_with("PROXY TCP4 "), "{header}");
    assert_eq!(said, "it rains I think");
    sender.send(Command::Drain).unwrap();
    assert_eq!(thread.join().unwrap().gateway.heard, b"it rains");
}

/// Adds a byte to all that comes.
#[derive(Proxy)]
#[proxy(inspect(up, down), buffer = 1000)]
struct Adding(Address);

impl Hooks for Adding {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.0.clone())
    }
}

impl InspectUp for Adding {
    const ROOM_UP: usize = 1;

    fn up(&mut self, _: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        chunk.push(b"^").map_err(|_| ErrorKind::StorageFull)
    }
}

impl InspectDown for Adding {
    const ROOM_DOWN: usize = 1;

    fn down(&mut self, _: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        chunk.push(b"v").map_err(|_| ErrorKind::StorageFull)
    }
}

#[test]
fn there_is_room_for_what_is_added_however_much_has_come() {
    const MUCH: usize = 100_000;
    let (far, address) = upstream();
    let config = listen(&["127.0.0.1:0"], AddingServer::config());
    let (addresses, sender, thread) = serving!(AddingServer, Adding(address), config);
    let client = connect(&addresses[0]);
    let server = accept(&far);
    std::thread::scope(|scope| {
        for (mut from, to, added) in [(&client, &server, b'^'), (&server, &client, b'v')] {
            scope.spawn(move || {
                from.write_all(&[0; MUCH]).unwrap();
                from.shutdown(Shutdown::Write).unwrap();
            });
            scope.spawn(move || {
                let bytes = read_to_end(to).unwrap();
                let others: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != 0).collect();
                assert_eq!((bytes.len() - others.len(), bytes.last()), (MUCH, Some(&added)));
                // One in each chunk, which is no longer than the buffer, and one at the end.
                assert!(others.len() > MUCH / 1000 && others.iter().all(|&byte| byte == added));
            });
        }
    });
    sender.send(Command::Drain).unwrap();
    let counters = thread.join().unwrap().counters();
    assert_eq!((counters.finished, counters.broken), (1, 0));
}
