//! The proxy, as a program, under peers that misbehave and luck that runs out. After each of these it has
//! to be as it was: no descriptor more, no memory more, no processor time while nothing happens, and the
//! next client is served.
#![cfg(target_os = "linux")]

use std::{
    env,
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use mio_core::net as core_net;
use tests::{
    Isolated, backend,
    peers::{PATIENCE, noise, patient, read, read_to_end, reset},
    test_name,
};

#[path = "serving/process.rs"]
#[allow(dead_code, reason = "it is neither told nor asked for much")]
mod process;
#[path = "../examples/proxy/main.rs"]
#[allow(dead_code, reason = "`main` is started otherwise")]
mod program;
#[path = "abuse/rig.rs"]
mod rig;

use rig::{MEMORY_NOISE_KIB, Rig, withstands};

/// The most memory that a pair takes.
const PAIR_BYTES: u64 = 160;
/// For how long connections come and go; unset, for a moment.
const CHURN_SECONDS: &str = "PROXY_CHURN_SECONDS";

/// Whatever is left to read, whether it comes to its end or is broken off.
fn read_out(stream: &TcpStream) {
    if let Err(error) = read_to_end(stream) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
}

/// Fills what is between a writer and one that does not read; how much went in.
fn fill(mut stream: &TcpStream) -> usize {
    stream.set_nonblocking(true).unwrap();
    let chunk = noise(1 << 16, 9);
    let (mut filled, mut full_since) = (0, Instant::now());
    // The proxy has to carry it on first: full is what stays full.
    while full_since.elapsed() < Duration::from_millis(200) {
        match stream.write(&chunk[filled % chunk.len()..]) {
            Ok(written) => (filled, full_since) = (filled + written, Instant::now()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(error) => panic!("{error}"),
        }
    }
    stream.set_nonblocking(false).unwrap();
    filled
}

/// These are the bytes that [`fill`] has written, all of them.
fn is_what_filled(bytes: &[u8], filled: usize) {
    assert_eq!(bytes.len(), filled);
    let chunk = noise(1 << 16, 9);
    assert!(bytes.chunks(chunk.len()).all(|piece| chunk.starts_with(piece)));
}

/// An upstream whose queue is full, so that it answers nobody.
fn deaf() -> (core_net::TcpListener, Vec<core_net::TcpStream>) {
    let options = core_net::ListenOptions { backlog: 1, ..Default::default() };
    let listener =
        core_net::TcpListener::bind_with(SocketAddr::from(([127, 0, 0, 1], 0)), options).unwrap();
    let address = listener.local_addr().unwrap();
    let filled = (0..8).map(|_| core_net::TcpStream::connect(address).unwrap()).collect();
    thread::sleep(Duration::from_millis(50));
    (listener, filled)
}

#[test]
fn slow_readers_and_writers_hold_up_nobody() {
    withstands(&[], |rig| {
        let slow: Vec<_> = (0..8).map(|_| rig.pair()).collect();
        thread::scope(|scope| {
            for (seed, (client, server)) in slow.iter().enumerate() {
                let bytes = noise(300_000, seed as u64);
                let slowly_written = bytes[..2_000].to_vec();
                scope.spawn(move || {
                    for piece in slowly_written.chunks(20) {
                        (&mut &*client).write_all(piece).unwrap();
                        thread::sleep(Duration::from_millis(3));
                    }
                    client.shutdown(Shutdown::Write).unwrap();
                    for piece in bytes.chunks(3_000) {
                        assert!(read(client, piece.len()) == piece);
                        thread::sleep(Duration::from_millis(2));
                    }
                });
                let bytes = noise(300_000, seed as u64);
                scope.spawn(move || {
                    (&mut &*server).write_all(&bytes).unwrap();
                    server.shutdown(Shutdown::Write).unwrap();
                    assert!(read_to_end(server).unwrap() == bytes[..2_000]);
                });
            }
            // Meanwhile others are served at once.
            let (client, server) = rig.pair();
            for round in 0..200 {
                let bytes = noise(64, round);
                (&client).write_all(&bytes).unwrap();
                assert!(read(&server, 64) == bytes);
            }
        });
    });
}

#[test]
fn those_who_never_read_are_waited_for_without_a_spin() {
    withstands(&[], |rig| {
        let stuck: Vec<_> = (0..6).map(|_| rig.pair()).collect();
        let filled: Vec<usize> = thread::scope(|scope| {
            let filling = stuck.iter().map(|(client, server)| {
                scope.spawn(|| fill(server));
                scope.spawn(|| fill(client))
            });
            let filling: Vec<_> = filling.collect();
            filling.into_iter().map(|filling| filling.join().unwrap()).collect()
        });
        rig.is_quiet();
        // Half of them read in the end, and get all of it; the others vanish.
        for ((client, server), filled) in stuck.iter().zip(filled).take(3) {
            client.shutdown(Shutdown::Write).unwrap();
            thread::scope(|scope| {
                scope.spawn(|| {
                    server.shutdown(Shutdown::Write).unwrap();
                    read_to_end(client).unwrap();
                });
                is_what_filled(&read_to_end(server).unwrap(), filled);
            });
        }
    });
}

#[test]
fn half_open_peers_get_what_is_for_them() {
    withstands(&[], |rig| {
        for client_ends_first in [true, false] {
            let pairs: Vec<_> = (0..16).map(|_| rig.pair()).collect();
            let sides = |pair: &(TcpStream, TcpStream)| {
                let (client, server) = (pair.0.try_clone().unwrap(), pair.1.try_clone().unwrap());
                if client_ends_first { (client, server) } else { (server, client) }
            };
            for pair in &pairs {
                let (first, last) = sides(pair);
                first.shutdown(Shutdown::Write).unwrap();
                assert_eq!(read_to_end(&last).unwrap(), b"");
            }
            // Open on one side only, and nothing moves.
            rig.is_quiet();
            for pair in &pairs {
                let (first, mut last) = sides(pair);
                let bytes = noise(100_000, 3);
                last.write_all(&bytes).unwrap();
                last.shutdown(Shutdown::Write).unwrap();
                assert!(read_to_end(&first).unwrap() == bytes);
            }
        }
    });
}

#[test]
fn a_reset_in_any_state_ends_that_pair_and_nothing_else() {
    withstands(&[], |rig| {
        let mut bystander = rig.pair();
        for client_resets in [true, false] {
            let sides = |(client, server)| {
                if client_resets { (client, server) } else { (server, client) }
            };
            for _ in 0..8 {
                // Before a byte has moved.
                let (vanishes, stays) = sides(rig.pair());
                reset(vanishes);
                read_out(&stays);
                // In the middle of what it sends.
                let (vanishes, stays) = sides(rig.pair());
                (&vanishes).write_all(&noise(50_000, 1)).unwrap();
                assert!(read(&stays, 10_000) == noise(10_000, 1));
                reset(vanishes);
                read_out(&stays);
                // In the middle of what it gets.
                let (vanishes, stays) = sides(rig.pair());
                (&stays).write_all(&noise(50_000, 2)).unwrap();
                assert!(read(&vanishes, 10_000) == noise(10_000, 2));
                reset(vanishes);
                read_out(&stays);
                // After it has closed its half, and after the other one has.
                let (vanishes, stays) = sides(rig.pair());
                vanishes.shutdown(Shutdown::Write).unwrap();
                assert_eq!(read_to_end(&stays).unwrap(), b"");
                (&stays).write_all(&noise(1_000, 3)).unwrap();
                reset(vanishes);
                read_out(&stays);
                let (vanishes, stays) = sides(rig.pair());
                stays.shutdown(Shutdown::Write).unwrap();
                assert_eq!(read_to_end(&vanishes).unwrap(), b"");
                reset(vanishes);
                // Both at once.
                let (one, other) = rig.pair();
                reset(one);
                reset(other);
            }
            // While all buffers in between are full.
            let (vanishes, stays) = sides(rig.pair());
            fill(&stays);
            reset(vanishes);
            read_out(&stays);
        }
        bystander.0.write_all(b"still here").unwrap();
        assert_eq!(read(&bystander.1, 10), b"still here");
        bystander.1.write_all(b"me too").unwrap();
        assert_eq!(read(&bystander.0, 6), b"me too");
    });
}

#[test]
fn a_client_that_resets_while_its_upstream_does_not_answer_leaves_nothing() {
    let (deaf, _filled) = deaf();
    let rig = Rig::to(deaf.local_addr().unwrap(), &["--connect-timeout", "1"]);
    rig.withstands(|rig| {
        for half_closes in [false, true] {
            for _ in 0..10 {
                let client = rig.client();
                (&client).write_all(b"hello?").unwrap();
                if half_closes {
                    client.shutdown(Shutdown::Write).unwrap();
                }
                thread::sleep(Duration::from_millis(2));
                reset(client);
            }
        }
    });
}

#[test]
fn an_upstream_that_never_accepts_is_given_up_after_the_connect_timeout() {
    let (deaf, _filled) = deaf();
    let rig = Rig::to(deaf.local_addr().unwrap(), &["--connect-timeout", "0.3"]);
    rig.withstands(|rig| {
        let began = Instant::now();
        let clients: Vec<TcpStream> = (0..50).map(|_| rig.client()).collect();
        for client in &clients {
            read_out(client);
        }
        assert!(began.elapsed() >= Duration::from_millis(300));
    });
}

#[test]
fn an_upstream_that_goes_down_and_comes_back_is_found_again() {
    Rig::new(&[]).withstands(|rig| {
        let address = rig.upstream.local_addr().unwrap();
        let (client, server) = rig.pair();
        rig.upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        for _ in 0..20 {
            read_out(&rig.client());
        }
        // The pair that was open lives on.
        (&client).write_all(b"old").unwrap();
        assert_eq!(read(&server, 3), b"old");
        drop((client, server));
        rig.upstream = TcpListener::bind(address).unwrap();
        rig.serves();
    });
}

#[test]
fn clients_that_say_nothing_are_closed_after_the_idle_timeout() {
    withstands(&["--idle-timeout", "0.5"], |rig| {
        let silent: Vec<_> = (0..50).map(|_| rig.pair()).collect();
        for (client, server) in &silent {
            read_out(client);
            read_out(server);
        }
    });
}

#[test]
fn nine_thousand_connections_fit_below_twenty_thousand_descriptors() {
    const DESCRIPTORS: u64 = 20_000;
    Isolated::new(test_name!()).descriptors(rig::hard_limit().min(DESCRIPTORS)).run(|| {
        // Two in the proxy for each, and two here; fewer where fewer are allowed.
        let pairs = ((rig::hard_limit().min(DESCRIPTORS) - 1_000) / 2).min(9_000);
        // Where each wait looks at all of them, so many take minutes.
        let pairs = if backend::SCALES { pairs } else { pairs / 10 };
        let capacity = (pairs + 10).to_string();
        let rig = Rig::new(&["--pairs", &capacity]);
        let before = rig.memory_kib();
        let after = [0, 1].map(|round| {
            let open: Vec<_> = (0..pairs).map(|_| rig.pair()).collect();
            rig.is_quiet();
            for (seed, (client, server)) in open.iter().enumerate() {
                let bytes = noise(64, seed as u64 + round);
                (&mut &*client).write_all(&bytes).unwrap();
                assert!(read(server, 64) == bytes);
                (&mut &*server).write_all(&bytes).unwrap();
                assert!(read(client, 64) == bytes);
            }
            drop(open);
            rig.is_as_before();
            rig.memory_kib()
        });
        // The places of so many pairs were used, and are there to be used again.
        let places = pairs * PAIR_BYTES / 1024;
        assert!(after[0] <= before + places + MEMORY_NOISE_KIB, "KiB: {before}, {after:?}");
        assert!(after[1] <= after[0] + MEMORY_NOISE_KIB, "KiB: {before}, {after:?}");
    });
}

#[test]
fn descriptors_that_ran_out_are_waited_for_and_used_again() {
    Rig::limited(64, &[]).withstands(|rig| {
        // The kernel lets more connect than the proxy has descriptors for.
        let mut clients: Vec<TcpStream> = (0..100).map(|_| rig.client()).collect();
        thread::sleep(Duration::from_millis(300));
        rig.is_quiet();
        rig.upstream.set_nonblocking(true).unwrap();
        let mut servers = Vec::new();
        let began = Instant::now();
        // One leaves, another one gets its turn.
        while !clients.is_empty() {
            assert!(began.elapsed() < PATIENCE, "{} still wait", clients.len());
            while let Ok((server, _)) = rig.upstream.accept() {
                servers.push(server);
            }
            clients.truncate(clients.len().saturating_sub(10));
            servers.retain(|mut server| {
                let mut byte = [0];
                server.set_nonblocking(true).unwrap();
                server.read(&mut byte).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
            });
            thread::sleep(Duration::from_millis(50));
        }
        drop(servers);
    });
}

#[test]
fn the_pipes_of_a_burst_are_closed_when_it_is_over() {
    let rig = Rig::new(&["--idle-timeout", "2"]);
    let before = rig.pipes();
    let stays = rig.pair();
    for _ in 0..2 {
        let (client, server) = rig.pair();
        let filled = fill(&client);
        assert!(rig.pipes() > before, "bulk is spliced");
        client.shutdown(Shutdown::Write).unwrap();
        is_what_filled(&read_to_end(&server).unwrap(), filled);
        drop((client, server));
        // Also while somebody else goes on.
        let began = Instant::now();
        while rig.pipes() > before {
            assert!(began.elapsed() < PATIENCE, "{} pipes, {before} before", rig.pipes());
            (&stays.0).write_all(b"alive").unwrap();
            assert_eq!(read(&stays.1, 5), b"alive");
            thread::sleep(Duration::from_millis(20));
        }
    }
    drop(stays);
    rig.is_as_before();
}

#[test]
fn connections_that_come_and_go_leave_nothing() {
    let seconds = env::var(CHURN_SECONDS).ok().map(|text| text.parse().unwrap());
    let duration = Duration::from_secs_f64(seconds.unwrap_or(1.0));
    withstands(&[], |rig| {
        let upstream = rig.upstream.try_clone().unwrap();
        upstream.set_nonblocking(false).unwrap();
        thread::scope(|scope| {
            let echo = scope.spawn(move || {
                thread::scope(|scope| {
                    while let Ok((stream, _)) = upstream.accept() {
                        let stream = patient(stream);
                        let mut first = [0];
                        if (&stream).read(&mut first).is_ok_and(|n| n == 1) && first == *b"." {
                            return;
                        }
                        scope.spawn(move || echo(&stream, first[0]));
                    }
                });
            });
            let (address, end) = (rig.address(), Instant::now() + duration);
            let clients: Vec<_> = (0..6)
                .map(|seed| {
                    scope.spawn(move || {
                        let mut rounds = seed;
                        while Instant::now() < end {
                            visit(patient(TcpStream::connect(address).unwrap()), rounds).unwrap();
                            rounds += 6;
                        }
                    })
                })
                .collect();
            clients.into_iter().for_each(|client| client.join().unwrap());
            rig.client().write_all(b".").unwrap();
            echo.join().unwrap();
        });
    });
}

/// Sends back what comes, which began with this byte.
fn echo(mut stream: &TcpStream, first: u8) {
    let mut buffer = vec![0; 1 << 16];
    buffer[0] = first;
    let mut length = 1;
    while length > 0 {
        // A client that has left wants nothing any more.
        let Ok(()) = stream.write_all(&buffer[..length]) else { return };
        let Ok(read) = stream.read(&mut buffer) else { return };
        length = read;
    }
    // The client may have gone.
    let _ = stream.shutdown(Shutdown::Write);
}

/// One client: it says something and compares the echo, or leaves in the middle, or with a reset.
fn visit(client: TcpStream, round: u64) -> io::Result<()> {
    let mut bytes = noise([64, 1_024, 40_000, 400_000][round as usize % 4], round);
    bytes[0] = b'>';
    if round % 11 == 0 {
        (&client).write_all(&bytes[..64])?;
        if round % 2 == 0 {
            reset(client);
        }
        return Ok(());
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            (&client).write_all(&bytes).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
        });
        assert!(read_to_end(&client)? == bytes, "an echo of {} bytes", bytes.len());
        Ok(())
    })
}
