//! The echo servers, by hand and by the derive, seen by their peers.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use examples::{echo, echo_derived};
use mio_core::{EventLoop, Handler};

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `peers` against a server of their own, for either way to write it.
fn with_servers(peers: impl Fn(SocketAddr) + Sync) {
    with_server(echo::Echo::new, echo::Echo::local_addr, &peers);
    with_server(echo_derived::Echo::new, echo_derived::Echo::local_addr, &peers);
}

fn with_server<E: Handler + Send>(
    new: impl Fn(&mut EventLoop, SocketAddr) -> io::Result<E>,
    local_addr: impl Fn(&E) -> io::Result<SocketAddr>,
    peers: impl Fn(SocketAddr),
) {
    let mut event_loop = EventLoop::new().unwrap();
    let echo = new(&mut event_loop, SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let (address, sender) = (local_addr(&echo).unwrap(), event_loop.sender());
    thread::scope(|scope| {
        let server = scope.spawn(move || event_loop.run(echo).map(drop));
        peers(address);
        sender.send(()).unwrap();
        server.join().unwrap().unwrap();
    });
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn what_a_peer_sends_comes_back_also_if_it_reads_late_and_ends_early() {
    let bytes: Vec<u8> =
        (0..16u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    with_servers(|address| {
        let stream = connect(address);
        thread::scope(|scope| {
            scope.spawn(|| {
                (&mut &stream).write_all(&bytes).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
            });
            thread::sleep(Duration::from_millis(100));
            let mut echoed = Vec::new();
            (&mut &stream).read_to_end(&mut echoed).unwrap();
            assert!(echoed == bytes);
        });
    });
}

/// Over loopback all of it is there before the server looks.
#[cfg(unix)]
#[test]
fn what_follows_an_urgent_byte_comes_back_too() {
    fn check<E: Handler + Send>(
        new: impl Fn(&mut EventLoop, SocketAddr) -> io::Result<E>,
        local_addr: impl Fn(&E) -> io::Result<SocketAddr>,
    ) {
        let mut event_loop = EventLoop::new().unwrap();
        let echo = new(&mut event_loop, SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let (mut peer, sender) = (connect(local_addr(&echo).unwrap()), event_loop.sender());
        peer.write_all(b"before").unwrap();
        tests::send_out_of_band(&peer, b'!');
        peer.write_all(b"behind").unwrap();
        thread::scope(|scope| {
            let server = scope.spawn(move || event_loop.run(echo).map(drop));
            let mut echoed = [0; 12];
            let read = peer.read_exact(&mut echoed);
            sender.send(()).unwrap();
            server.join().unwrap().unwrap();
            assert_eq!((read.ok(), &echoed), (Some(()), b"beforebehind"));
        });
    }
    check(echo::Echo::new, echo::Echo::local_addr);
    check(echo_derived::Echo::new, echo_derived::Echo::local_addr);
}

#[test]
fn peers_that_vanish_do_no_harm_to_the_others() {
    with_servers(|address| {
        let mut stays = connect(address);
        for round in 0..50u8 {
            let mut vanishes = connect(address);
            vanishes.write_all(&vec![round; 1 << 20]).unwrap();
            // With bytes unread, so that it ends with a reset.
            drop(vanishes);
            stays.write_all(&[round]).unwrap();
            let mut echoed = [0];
            stays.read_exact(&mut echoed).unwrap();
            assert_eq!(echoed, [round]);
        }
    });
}
