//! Relayed streams over real sockets: every byte of bulk, spliced where it can be and copied where not.
#![cfg(any(unix, windows))]

#[cfg(target_os = "linux")]
mod copying;
#[cfg(target_os = "linux")]
mod splicing;

use std::{
    fmt::Debug,
    io::{ErrorKind, Read, Write},
    net::Shutdown,
    thread,
};

use mio_core::{
    EventLoop, Source,
    net::TcpListener,
    relay::{Bounds, Broken, Stream, Way},
};
use tests::{Relayed, backend, peers::reset, send_out_of_band};

const BULK: usize = 16 << 20;

/// A stream of the loop's, and the end of it that a peer has, as a file that blocks.
fn tcp() -> (mio_core::net::TcpStream, std::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    (stream, peer)
}

/// The same of a socket of this machine alone, where there is such a one.
#[cfg(unix)]
fn local() -> (mio_core::unix::UnixStream, std::os::unix::net::UnixStream) {
    let (stream, peer) = std::os::unix::net::UnixStream::pair().unwrap();
    (stream.into(), peer)
}
#[cfg(not(unix))]
use tcp as local;

/// What both kinds of peers can do.
trait Peer: Read + Write + Send {
    fn copy(&self) -> Self;
    fn end(&self);
}

macro_rules! peer {
    ($name:ty) => {
        impl Peer for $name {
            fn copy(&self) -> Self {
                self.try_clone().unwrap()
            }

            fn end(&self) {
                self.shutdown(Shutdown::Write).unwrap();
            }
        }
    };
}

peer!(std::net::TcpStream);
#[cfg(unix)]
peer!(std::os::unix::net::UnixStream);

/// Bytes of which each eight say where they stand.
fn noise(seed: u64) -> Vec<u8> {
    let word = |i: u64| (i ^ seed << 40).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    (0..BULK as u64 / 8).flat_map(|i| word(i).to_le_bytes()).collect()
}

/// Sends bulk both ways at once through a loop, checks it, and gives back what was counted.
fn bulk<A, B, P, Q>(bounds: Bounds, (first, one): (A, P), (second, other): (B, Q)) -> [Way; 2]
where
    A: Stream + Source,
    B: Stream + Source,
    P: Peer,
    Q: Peer,
{
    let mut event_loop: EventLoop = EventLoop::new().unwrap();
    let relayed = Relayed::new(&mut event_loop, bounds, first, second);
    let (up, down) = (noise(1), noise(2));
    let relayed = thread::scope(|scope| {
        sends_and_receives(scope, one, &up, &down);
        sends_and_receives(scope, other, &down, &up);
        event_loop.run(relayed).unwrap()
    });
    assert_eq!(relayed.broken, None);
    assert_eq!(relayed.ways.map(|way| way.bytes), [BULK as u64; 2]);
    assert!(relayed.pipes() <= bounds.pipes.min(2));
    relayed.ways
}

fn sends_and_receives<'scope, P: Peer + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    peer: P,
    sends: &'scope [u8],
    receives: &'scope [u8],
) {
    let mut reader = peer.copy();
    let mut writer = peer;
    scope.spawn(move || {
        writer.write_all(sends).unwrap();
        writer.end();
    });
    scope.spawn(move || {
        let mut bytes = Vec::with_capacity(receives.len());
        reader.read_to_end(&mut bytes).unwrap();
        assert!(bytes == receives, "every byte, in order");
    });
}

/// What reads bring decides; on a machine that has other things to do they bring little where a writer waits for its
/// turn, but not every time.
fn is_mostly_spliced(bulk: impl Fn() -> [Way; 2]) {
    if !backend::SPLICES {
        return is_copied(bulk());
    }
    let mostly = |ways: &[Way; 2]| ways.iter().all(|way| way.spliced > BULK as u64 / 2);
    assert!((0..20).any(|_| mostly(&bulk())));
}

fn is_copied(ways: [Way; 2]) {
    assert!(ways.iter().all(|way| way.spliced == 0 && way.reads > 0), "{ways:?}");
}

#[test]
fn bulk_between_tcp_streams_is_spliced() {
    is_mostly_spliced(|| bulk(Bounds::default(), tcp(), tcp()));
}

#[test]
fn bulk_between_local_streams_is_spliced() {
    is_mostly_spliced(|| bulk(Bounds::default(), local(), local()));
}

#[test]
fn bulk_between_tcp_and_local_streams_is_spliced() {
    is_mostly_spliced(|| bulk(Bounds::default(), tcp(), local()));
    is_mostly_spliced(|| bulk(Bounds::default(), local(), tcp()));
}

#[test]
fn bulk_without_pipes_or_buffers_is_complete_all_the_same() {
    for (pipes, buffers) in [(0, 256), (0, 0), (1, 1)] {
        let bounds = Bounds { pipes, buffers, ..Bounds::default() };
        let ways = bulk(bounds, tcp(), local());
        assert!(pipes > 0 || ways.iter().all(|way| way.spliced == 0));
        assert!(buffers > 0 || ways.iter().all(|way| way.peeks > 0 && way.held == 0));
    }
}

#[test]
fn small_requests_are_never_spliced() {
    const ROUNDS: u64 = 2_000;
    let ((first, mut client), (second, mut server)) = (tcp(), local());
    let mut event_loop: EventLoop = EventLoop::new().unwrap();
    let relayed = Relayed::new(&mut event_loop, Bounds::default(), first, second);
    let ways = thread::scope(|scope| {
        scope.spawn(move || {
            let mut reply = [0; 64];
            for round in 0..ROUNDS {
                client.write_all(&[round as u8; 64]).unwrap();
                client.read_exact(&mut reply).unwrap();
                assert_eq!(reply, [!(round as u8); 64]);
            }
            client.end();
            assert_eq!(client.read(&mut reply).unwrap(), 0);
        });
        scope.spawn(move || {
            let mut request = [0; 64];
            for _ in 0..ROUNDS {
                server.read_exact(&mut request).unwrap();
                server.write_all(&request.map(|byte| !byte)).unwrap();
            }
            assert_eq!(server.read(&mut request).unwrap(), 0);
            server.end();
        });
        event_loop.run(relayed).unwrap().ways
    });
    for way in ways {
        assert_eq!((way.fills, way.drains, way.peeks, way.held), (0, 0, 0, 0));
        // And one for the end; now and then a stream splits a message.
        assert!(way.writes < ROUNDS + 20 && way.reads < ROUNDS + 40, "{way:?}");
    }
}

#[test]
fn an_urgent_byte_within_bulk_holds_nothing_up() {
    // Not every time, as above.
    let spliced = |ways: [Way; 2]| ways[0].spliced > 1 << 20 || !backend::SPLICES;
    assert!((0..20).any(|_| spliced(urgent_bytes_within_bulk())));
}

/// Sends bulk one way, checks it, and gives back what was counted.
fn urgent_bytes_within_bulk() -> [Way; 2] {
    let ((first, mut client), (second, mut server)) = (tcp(), tcp());
    let mut event_loop: EventLoop = EventLoop::new().unwrap();
    let relayed = Relayed::new(&mut event_loop, Bounds::default(), first, second);
    let (block, blocks) = (vec![7; 1 << 20], 16);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..blocks {
                client.write_all(&block).unwrap();
                send_out_of_band(&client, b'!');
            }
            client.end();
        });
        scope.spawn(|| {
            let mut bytes = Vec::new();
            server.read_to_end(&mut bytes).unwrap();
            // An urgent byte that another one has overtaken is an ordinary one.
            bytes.retain(|&byte| byte != b'!');
            assert!(bytes.len() == blocks * block.len() && bytes.iter().all(|&byte| byte == 7));
            server.end();
        });
        event_loop.run(relayed).unwrap().ways
    })
}

/// How a relayed pair breaks whose second side's peer does this while the first sends.
fn broken_by(act: impl FnOnce(std::net::TcpStream) + Send) -> Option<Broken> {
    let ((first, mut client), (second, server)) = (tcp(), tcp());
    let mut event_loop: EventLoop = EventLoop::new().unwrap();
    let relayed = Relayed::new(&mut event_loop, Bounds::default(), first, second);
    thread::scope(|scope| {
        scope.spawn(move || {
            act(server);
            while client.write_all(&[1; 1 << 16]).is_ok() {}
        });
        event_loop.run(relayed).unwrap().broken
    })
}

fn kind_of(broken: Option<Broken>) -> impl Debug + PartialEq<ErrorKind> {
    match broken.expect("broken") {
        Broken::Sink(kind) | Broken::Source(kind) | Broken::Filter(kind) => kind,
    }
}

#[test]
fn a_reset_is_told_apart_from_an_end() {
    let broken = broken_by(reset);
    let kind = kind_of(broken);
    assert!(kind == ErrorKind::ConnectionReset || kind == ErrorKind::BrokenPipe, "{kind:?}");
}
