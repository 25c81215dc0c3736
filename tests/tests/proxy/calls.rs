//! What a connection costs in system calls.
#![cfg(all(target_os = "linux", not(mio_core_poll)))]

use std::{
    collections::HashSet,
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::Duration,
};

use mio_core::{
    EventLoop,
    proxy::{Command, ProxyConfig},
};
use tests::{Isolated, mark, test_name};

use crate::{PATIENCE, Plain, PlainServer, accept, connect, listen, upstream};

const BEGIN: u16 = 1;
const END: u16 = 2;
const MOMENT: Duration = Duration::from_millis(5);

#[test]
fn a_connection_is_registered_told_one_option_and_shut_down_once() {
    let trace = Isolated::new(test_name!()).trace(|| {
        let (far, address) = upstream();
        let config = listen(&["127.0.0.1:0"], PlainServer::config());
        let mut event_loop = EventLoop::<Command>::with_config(config.event_loop()).unwrap();
        let listeners = config.listeners().unwrap();
        let hooks = Plain { upstream: address };
        let mut server = PlainServer::new(event_loop.scoped(), hooks, config, listeners).unwrap();
        let to = server.addresses().next().unwrap().unwrap().tcp().unwrap();
        // What a peer did is an event at least, and what follows comes of it.
        let mut settle = |server: &mut PlainServer| {
            for most in [PATIENCE, MOMENT, MOMENT, MOMENT] {
                event_loop.run_once(server, Some(most)).unwrap();
            }
        };
        // The first one looks whether it inherits the options of its listener.
        for round in 0..2 {
            if round == 1 {
                mark(BEGIN);
            }
            let mut client = TcpStream::connect(to).unwrap();
            settle(&mut server);
            let (mut behind, _) = far.accept().unwrap();
            client.write_all(b"ping").unwrap();
            settle(&mut server);
            assert_eq!(behind.read(&mut [0; 8]).unwrap(), 4);
            client.shutdown(Shutdown::Write).unwrap();
            settle(&mut server);
            assert_eq!(behind.read(&mut [0; 8]).unwrap(), 0);
            drop(behind);
            settle(&mut server);
            assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
            drop(client);
            mark(END);
            assert_eq!(server.counters().finished, round + 1);
        }
    });
    // With those of its client and of its upstream, which are in the same thread.
    let names = trace.names(BEGIN, END);
    let count = |name: &str| names.iter().filter(|&&other| other == name).count();
    // Both sides, and never taken back.
    assert_eq!(count("epoll_ctl"), 2, "{names:?}");
    // The upstream sends at once; the client has inherited that.
    assert_eq!(count("setsockopt"), 1, "{names:?}");
    assert_eq!(count("getsockopt"), 0, "{names:?}");
    // One is the client's own, one passes it on. The other way is told by the close.
    assert_eq!(count("shutdown"), 2, "{names:?}");
    assert_eq!(count("close"), 4, "{names:?}");
    // Of each read one brings bytes and one the end; of the client and its upstream three.
    assert_eq!(count("recvfrom"), 3 + 3, "{names:?}");
}

#[test]
fn a_loop_that_a_server_makes_for_itself_spins_as_it_is_told_to() {
    let trace = Isolated::new(test_name!()).trace(|| {
        let (far, upstream) = upstream();
        let spin = Duration::from_secs(3_600);
        let config = ProxyConfig { spin, ..listen(&["127.0.0.1:0"], PlainServer::config()) };
        for (alone, from) in [(true, 1), (false, 3)] {
            let mut listeners = config.shared_listeners(1).unwrap();
            let to = listeners[0][0].local_addr().unwrap();
            let make = |_| Plain { upstream: upstream.clone() };
            let serve = || {
                if alone {
                    PlainServer::serve(make(0), config.clone(), listeners.remove(0)).map(drop)
                } else {
                    PlainServer::serve_in_threads(make, &config, listeners).map(drop)
                }
            };
            mark(from);
            thread::scope(|scope| {
                let serving = scope.spawn(serve);
                drop((connect(&to), accept(&far)));
                tests::signal_process(libc::SIGTERM);
                serving.join().unwrap().unwrap();
            });
            mark(from + 1);
        }
    });
    for from in [1, 3] {
        let mut calls = trace.between(from, from + 1);
        calls.retain(|call| matches!(call.name(), "epoll_wait" | "epoll_pwait" | "epoll_pwait2"));
        let threads: HashSet<u32> = calls.iter().map(|call| call.thread).collect();
        // There may be another one, which waits for those that serve and sleeps.
        let spins = |thread: &u32| {
            calls.iter().all(|wait| wait.thread != *thread || wait.arguments[3] == 0)
        };
        assert!(threads.iter().any(spins), "{calls:?}");
    }
}

#[test]
fn a_connection_is_as_small_as_its_descriptor() {
    let descriptor = size_of::<std::os::fd::OwnedFd>();
    assert_eq!(size_of::<mio_core::proxy::Connection>(), descriptor);
}
