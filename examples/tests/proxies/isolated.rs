//! What both proxies promise and takes a process of its own to see: signals, few descriptors, each system call.
#![cfg(target_os = "linux")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{self, Command},
    thread,
    time::{Duration, Instant},
};

use mio_core::EventLoop;
use tests::{
    Isolated, mark,
    peers::{PATIENCE, accept, patient, read, read_while},
    test_name,
};

use super::{
    behaviour::{Rig, loopback},
    subject::{self, Config},
};

#[test]
fn a_signal_drains() {
    Isolated::new(test_name!()).run(|| {
        let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        let config = Config::new(loopback(), upstream.local_addr().unwrap());
        let mut event_loop = EventLoop::with_config(config.event_loop()).unwrap();
        let mut proxy = subject::proxy(&mut event_loop, config).unwrap();
        subject::heed_signals(&mut proxy, &mut event_loop).unwrap();
        let address = subject::address(&proxy).unwrap();
        let finished = thread::spawn(move || {
            let mut client = patient(TcpStream::connect(address).unwrap());
            let mut server = accept(&upstream);
            let kill = format!("kill -TERM {}", process::id());
            assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
            server.write_all(b"still here").unwrap();
            assert_eq!(read(&client, 10), b"still here");
            client.write_all(b"bye").unwrap();
            read(&server, 3);
        });
        let proxy = event_loop.run(proxy).unwrap();
        finished.join().unwrap();
        assert_eq!(proxy.counters().finished, 1);
    });
}

#[test]
fn when_descriptors_run_out_clients_wait_and_nothing_spins() {
    const RETRY: Duration = Duration::from_millis(20);
    Isolated::new(test_name!()).descriptors(40).run(|| {
        let start = Instant::now();
        let rig = Rig::new(|config| config.accept_retry = RETRY);
        let mut waiting = Vec::new();
        // The kernel completes connections on its own: the queue takes those that nobody accepts.
        while let Ok(client) = TcpStream::connect(rig.service.address()) {
            waiting.push(patient(client));
        }
        thread::sleep(Duration::from_millis(200));
        // Room again, a little at a time, until each of them had its turn.
        rig.upstream.set_nonblocking(true).unwrap();
        let began = Instant::now();
        while !waiting.is_empty() {
            assert!(began.elapsed() < PATIENCE, "{} still wait", waiting.len());
            drop(waiting.pop());
            thread::sleep(Duration::from_millis(30));
            while rig.upstream.accept().is_ok() {}
        }
        let began = Instant::now();
        let (mut client, server) = loop {
            assert!(began.elapsed() < PATIENCE, "it does not recover");
            if let Ok(client) = TcpStream::connect(rig.service.address()) {
                break (client, accept(&rig.upstream));
            }
        };
        client.write_all(b"back").unwrap();
        assert_eq!(read(&server, 4), b"back");
        // Those that still wait in the upstream's queue go with it.
        drop((client, server, rig.upstream));
        let counters = rig.service.drain().unwrap();
        // And the first time that there is none.
        let most = start.elapsed().as_millis() / RETRY.as_millis() + 1;
        assert!((1..=most).contains(&counters.back_offs.into()), "{counters}");
    });
}

#[test]
fn a_request_and_its_reply_cost_a_wait_a_read_and_a_write_each() {
    const BEGIN: u16 = 1;
    const END: u16 = 2;
    let trace = Isolated::new(test_name!()).trace(|| {
        let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        let config = Config { pairs: 4, ..Config::new(loopback(), upstream.local_addr().unwrap()) };
        let mut event_loop = EventLoop::with_config(config.event_loop()).unwrap();
        let mut proxy = subject::proxy(&mut event_loop, config).unwrap();
        let mut client = TcpStream::connect(subject::address(&proxy).unwrap()).unwrap();
        event_loop.run_once(&mut proxy, Some(PATIENCE)).unwrap();
        let (mut server, _) = upstream.accept().unwrap();
        // What the kernel has to say of new connections is over when nothing happens in a while.
        while proxy.counters().bytes() < 8 {
            client.write_all(b"x").unwrap();
            let turn = || {
                event_loop.run_once(&mut proxy, Some(Duration::from_millis(20))).unwrap();
            };
            read_while(turn, &server, 1);
        }
        event_loop.run_once(&mut proxy, Some(Duration::from_millis(20))).unwrap();
        let mut buffer = [0; 8];
        mark(BEGIN);
        client.write_all(b"question").unwrap();
        event_loop.run_once(&mut proxy, Some(PATIENCE)).unwrap();
        server.read_exact(&mut buffer).unwrap();
        server.write_all(b"answered").unwrap();
        event_loop.run_once(&mut proxy, Some(PATIENCE)).unwrap();
        client.read_exact(&mut buffer).unwrap();
        mark(END);
        assert_eq!(&buffer, b"answered");
    });
    let names = trace.names(BEGIN, END);
    let wait = names[1];
    assert!(wait.starts_with("epoll_") || wait.ends_with("poll"), "{names:?}");
    let one_way = ["sendto", wait, "recvfrom", "sendto", "recvfrom"];
    assert_eq!(names, [one_way, one_way].concat());
}
