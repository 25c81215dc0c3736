//! What a connection costs in system calls.
#![cfg(all(target_os = "linux", not(mio_core_poll)))]

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use mio_core::{EventLoop, proxy::Command};
use tests::{Isolated, mark, test_name};

use crate::{PATIENCE, Plain, PlainServer, listen, upstream};

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
fn a_connection_is_as_small_as_its_descriptor() {
    let descriptor = size_of::<std::os::fd::OwnedFd>();
    assert_eq!(size_of::<mio_core::proxy::Connection>(), descriptor);
}
