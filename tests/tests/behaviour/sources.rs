//! Every source type of the crate, in every trigger mode, by the same scripts: silent at first, readable
//! after its peer wrote, and what was written arrives; silent when full, writable after its peer read;
//! and told that the peer is gone.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

#[cfg(unix)]
use mio_core::unix::{UnixDatagram, UnixStream};
use mio_core::{
    Events, Interest, Readiness, Selector, Source, Trigger,
    net::{TcpListener, TcpStream, UdpSocket},
    pipe,
};
use tests::{
    PROMPTLY, pair,
    peers::{awaited, nobody_listens},
    settle,
};

#[cfg(windows)]
use std::net::TcpStream as StdStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream as StdStream;

const TRIGGERS: [Trigger; 3] = [Trigger::Edge, Trigger::Level, Trigger::OneShot];

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// A connected pair, made without blocking.
fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(loopback()).unwrap();
    let selector = Selector::new().unwrap();
    selector.register(&listener, 0, Interest::READABLE, Trigger::Level).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut events = Events::with_capacity(4);
    selector.select(&mut events, Some(Duration::from_secs(10))).unwrap();
    let (server, _) = listener.accept().unwrap();
    selector.register(&client, 1, Interest::WRITABLE, Trigger::Level).unwrap();
    selector.select(&mut events, Some(Duration::from_secs(10))).unwrap();
    (client, server)
}

fn check(reader: &impl Source, write: impl FnMut(), read: impl FnMut() -> std::io::Result<usize>) {
    check_with(reader, write, read, |_| {});
}

/// As `check`, for what is none of the crate's types: `WouldBlock` has to be said.
fn check_foreign(
    reader: &impl Source,
    write: impl FnMut(),
    read: impl FnMut() -> std::io::Result<usize>,
) {
    check_with(reader, write, read, |selector| {
        selector.would_block(reader, 42, Interest::READABLE).unwrap();
    });
}

fn check_with(
    reader: &impl Source,
    mut write: impl FnMut(),
    mut read: impl FnMut() -> std::io::Result<usize>,
    would_block: impl Fn(&Selector),
) {
    for trigger in TRIGGERS {
        let selector = Selector::new().unwrap();
        let mut events = Events::with_capacity(8);
        selector.register(reader, 42, Interest::READABLE, trigger).unwrap();
        selector.select(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty(), "{trigger:?}: silent while nothing is there");
        for round in 0..3 {
            write();
            selector.select(&mut events, Some(Duration::from_secs(10))).unwrap();
            let event = events.get(0).unwrap_or_else(|| panic!("{trigger:?} {round}: an event"));
            assert_eq!((event.token, events.len()), (42, 1));
            assert!(event.readiness.contains(Readiness::READABLE));
            assert!(read().unwrap() > 0);
            assert_eq!(read().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
            would_block(&selector);
            if trigger == Trigger::OneShot {
                selector.reregister(reader, 42, Interest::READABLE, trigger).unwrap();
            }
            selector.select(&mut events, Some(Duration::ZERO)).unwrap();
            assert!(events.is_empty(), "{trigger:?}: silent when it is read");
        }
        selector.deregister(reader).unwrap();
        write();
        selector.select(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty(), "{trigger:?}: silent when deregistered");
        // Nobody tells when it has come.
        assert!(awaited(|| (), || read().ok()) > 0);
    }
}

#[test]
fn a_tcp_stream() {
    let (a, b) = tcp_pair();
    check(&a, || (&b).write_all(b"hello").unwrap(), || (&a).read(&mut [0; 16]));
}

#[test]
fn a_tcp_listener() {
    let listener = TcpListener::bind(loopback()).unwrap();
    let address = listener.local_addr().unwrap();
    let mut clients = Vec::new();
    check(
        &listener,
        || clients.push(std::net::TcpStream::connect(address).unwrap()),
        || listener.accept().map(|_| 1),
    );
}

#[test]
fn a_udp_socket() {
    let (a, b) = (UdpSocket::bind(loopback()).unwrap(), UdpSocket::bind(loopback()).unwrap());
    let to = a.local_addr().unwrap();
    let from = b.local_addr().unwrap();
    check(
        &a,
        || assert_eq!(b.send_to(b"hello", to).unwrap(), 5),
        || {
            let (count, sender) = a.recv_from(&mut [0; 16])?;
            assert_eq!(sender, from);
            Ok(count)
        },
    );
}

#[cfg(unix)]
#[test]
fn a_unix_stream() {
    let (a, b) = UnixStream::pair().unwrap();
    check(&a, || (&b).write_all(b"hello").unwrap(), || (&a).read(&mut [0; 16]));
}

#[cfg(unix)]
#[test]
fn a_unix_datagram() {
    let (a, b) = UnixDatagram::pair().unwrap();
    check(&a, || assert_eq!(b.send(b"hello").unwrap(), 5), || a.recv(&mut [0; 16]));
}

#[test]
fn a_pipe() {
    let (reader, writer) = pipe::new().unwrap();
    check(&reader, || (&writer).write_all(b"hello").unwrap(), || (&reader).read(&mut [0; 16]));
}

#[cfg(unix)]
#[test]
fn a_descriptor_of_the_users_own() {
    let (reader, writer) = pipe::new().unwrap();
    let own: std::os::fd::OwnedFd = reader.into();
    let mut file = std::fs::File::from(own.try_clone().unwrap());
    check_foreign(&own, || (&writer).write_all(b"hello").unwrap(), || file.read(&mut [0; 16]));
}

#[test]
fn a_source_of_std() {
    let (a, mut b) = pair();
    let a: StdStream = a.into();
    check_foreign(&a, || b.write_all(b"hello").unwrap(), || (&a).read(&mut [0; 16]));
}

#[test]
fn a_refused_connect_is_reported_as_an_event_with_its_error() {
    // No other test has this address, so that none takes the port over.
    let address = std::net::TcpListener::bind("127.0.0.8:0").unwrap().local_addr().unwrap();
    nobody_listens(address);
    // Loopback refuses either at once or by an event.
    let error = match TcpStream::connect(address) {
        Err(error) => error,
        Ok(stream) => {
            let selector = Selector::new().unwrap();
            selector
                .register(&stream, 1, Interest::READABLE | Interest::WRITABLE, Trigger::Edge)
                .unwrap();
            let mut events = Events::with_capacity(4);
            selector.select(&mut events, Some(Duration::from_secs(10))).unwrap();
            let readiness = events.get(0).unwrap().readiness;
            assert!(readiness.wants_write() && readiness.contains(Readiness::ERROR));
            stream.take_error().unwrap().unwrap()
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// Writes until nothing more fits, also not after a while.
fn fill(mut write: impl FnMut() -> std::io::Result<usize>) {
    let mut refused = 0;
    while refused < if cfg!(windows) { 20 } else { 2 } {
        match write() {
            Ok(_) => refused = 0,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                refused += 1;
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

fn check_writer(
    writer: &impl Source,
    mut write: impl FnMut() -> std::io::Result<usize>,
    mut read: impl FnMut() -> std::io::Result<usize>,
) {
    let mut events = Events::with_capacity(8);
    for trigger in TRIGGERS {
        fill(&mut write);
        let selector = Selector::new().unwrap();
        selector.register(writer, 42, Interest::WRITABLE, trigger).unwrap();
        selector.select(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty(), "{trigger:?}: silent while there is no room");
        for round in 0..2 {
            let end = Instant::now() + Duration::from_secs(10);
            while events.is_empty() {
                assert!(Instant::now() < end, "{trigger:?} {round}: an event");
                while read().is_ok() {}
                selector.select(&mut events, Some(Duration::from_millis(20))).unwrap();
            }
            let event = events.get(0).unwrap();
            assert_eq!((event.token, event.readiness), (42, Readiness::WRITABLE));
            assert!(write().unwrap() > 0);
            fill(&mut write);
            // What made room meanwhile was an edge too.
            settle();
            selector.select(&mut events, Some(Duration::ZERO)).unwrap();
            if trigger == Trigger::OneShot {
                assert!(events.is_empty(), "silent until it is reregistered");
                selector.reregister(writer, 42, Interest::WRITABLE, trigger).unwrap();
            }
            selector.select(&mut events, Some(Duration::ZERO)).unwrap();
            assert!(events.is_empty(), "{trigger:?}: silent when it is full again");
        }
        while read().is_ok() {}
    }
}

#[test]
fn what_writes_is_told_when_there_is_room_again() {
    let bytes = [7; 4096];
    let (a, b) = tcp_pair();
    check_writer(&a, || (&a).write(&bytes), || (&b).read(&mut [0; 65536]));
    #[cfg(unix)]
    {
        let (a, b) = UnixStream::pair().unwrap();
        check_writer(&a, || (&a).write(&bytes), || (&b).read(&mut [0; 65536]));
        let (a, b) = UnixDatagram::pair().unwrap();
        check_writer(&a, || a.send(&bytes), || b.recv(&mut [0; 65536]));
    }
    let (reader, writer) = pipe::new().unwrap();
    check_writer(&writer, || (&writer).write(&bytes), || (&reader).read(&mut [0; 65536]));
}

/// The peer of a fresh pair goes away.
fn check_end<A: Source, B>(pair: impl Fn() -> (A, B), interest: Interest, told: Readiness) {
    let mut events = Events::with_capacity(8);
    for trigger in TRIGGERS {
        let (source, peer) = pair();
        let selector = Selector::new().unwrap();
        selector.register(&source, 42, interest, trigger).unwrap();
        selector.select(&mut events, Some(Duration::ZERO)).unwrap();
        drop(peer);
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            selector.select(&mut events, Some(Duration::from_secs(10))).unwrap();
            if events.get(0).is_some_and(|event| event.readiness.contains(told)) {
                break;
            }
            assert!(Instant::now() < end && trigger != Trigger::OneShot, "{trigger:?}: the end");
        }
        let again = if trigger == Trigger::Level { PROMPTLY } else { Some(Duration::ZERO) };
        for _ in 0..2 {
            selector.select(&mut events, again).unwrap();
            assert_eq!(events.is_empty(), trigger != Trigger::Level, "{trigger:?}: and again");
        }
    }
}

#[test]
fn whoever_waits_is_told_that_the_peer_is_gone() {
    let closed = Readiness::READ_CLOSED | Readiness::WRITE_CLOSED;
    check_end(tcp_pair, Interest::READABLE, Readiness::READ_CLOSED);
    #[cfg(unix)]
    check_end(|| UnixStream::pair().unwrap(), Interest::READABLE, closed);
    // In TCP a peer that is gone has ended its own direction.
    let closed = if cfg!(windows) { Readiness::READ_CLOSED } else { closed };
    check_end(|| pipe::new().unwrap(), Interest::READABLE, closed);
    let writer_first = || {
        let (reader, writer) = pipe::new().unwrap();
        fill(|| (&writer).write(&[7; 4096]));
        (writer, reader)
    };
    check_end(writer_first, Interest::WRITABLE, Readiness::ERROR);
}

/// At least so many as the queues of old systems have no room for.
#[cfg(target_os = "linux")]
#[test]
fn listeners_have_room_for_many_who_wait() {
    use mio_core::unix::UnixListener;

    let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let waiting = most.trim().parse().unwrap_or(160).min(160);
    let listener = TcpListener::bind(loopback()).unwrap();
    let address = listener.local_addr().unwrap();
    let clients: Vec<_> = (0..waiting).map(|_| TcpStream::connect(address).unwrap()).collect();
    assert!(clients.iter().all(|client| client.finish_connect().unwrap()));
    drop((listener, clients));

    let path = std::env::temp_dir().join(format!("many-wait-{}", std::process::id()));
    let listener = UnixListener::bind(&path);
    let clients: Vec<_> = (0..waiting).map(|_| UnixStream::connect(&path)).collect();
    std::fs::remove_file(&path).unwrap();
    assert!(listener.is_ok() && clients.iter().all(Result::is_ok));
}
