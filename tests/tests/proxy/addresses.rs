//! Several listeners and upstreams, TCP and Unix.
#![cfg(unix)]

use std::{
    io::Write,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
};

use mio_core::{
    Proxy,
    proxy::{Address, Client, Command, Hooks},
};

use crate::{
    PATIENCE, Plain, PlainServer, accept, connect, listen, read, read_to_end, serving, upstream,
};

/// A path of its own, removed at the end.
struct Path(PathBuf);

impl Path {
    fn new(name: &str) -> Path {
        Path(std::env::temp_dir().join(format!("proxy-{name}-{}", std::process::id())))
    }

    fn address(&self) -> String {
        format!("unix:{}", self.0.display())
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Gives the clients of each listener the upstream of its number.
#[derive(Proxy)]
struct Ports {
    upstreams: Vec<Address>,
}

impl Hooks for Ports {
    fn upstream(&mut self, client: &Client<'_>) -> Option<Address> {
        self.upstreams.get(client.listener).cloned()
    }
}

#[test]
fn each_listener_may_have_its_upstream() {
    let ((one, first), (other, second)) = (upstream(), upstream());
    let config = listen(&["127.0.0.1:0"; 3], PortsServer::config());
    let ports = Ports { upstreams: vec![first, second] };
    let (addresses, sender, thread) = serving!(PortsServer, ports, config);
    for _ in 0..2 {
        for (number, far) in [(1, &other), (0, &one)] {
            let mut client = connect(&addresses[number]);
            client.write_all(&[number as u8]).unwrap();
            assert_eq!(read(&mut accept(far), 1), [number as u8]);
        }
    }
    assert_eq!(read_to_end(&mut connect(&addresses[2])).unwrap(), b"");
    sender.send(Command::Stop).unwrap();
    let counters = thread.join().unwrap().counters();
    assert_eq!((counters.accepted, counters.not_opened), (5, 1));
}

#[test]
fn tcp_goes_to_a_unix_socket_and_back() {
    let (front, back) = (Path::new("front"), Path::new("back"));
    let far = UnixListener::bind(&back.0).unwrap();
    let config = listen(&["127.0.0.1:0", &front.address()], PlainServer::config());
    let hooks = Plain { upstream: back.address().parse().unwrap() };
    let (addresses, sender, thread) = serving!(PlainServer, hooks, config);
    assert_eq!(addresses[1].to_string(), front.address());

    let mut client = connect(&addresses[0]);
    let (mut server, _) = far.accept().unwrap();
    client.write_all(b"over tcp").unwrap();
    assert_eq!(read(&mut server, 8), b"over tcp");
    server.write_all(b"answer").unwrap();
    drop(server);
    assert_eq!(read_to_end(&mut client).unwrap(), b"answer");
    drop(client);

    let mut client = UnixStream::connect(&front.0).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut server, _) = far.accept().unwrap();
    let bulk = vec![7; 4 << 20];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            server.write_all(&bulk).unwrap();
            server.shutdown(std::net::Shutdown::Write).unwrap();
        });
        assert!(read_to_end(&mut client).unwrap() == bulk);
    });
    drop((client, server));
    sender.send(Command::Drain).unwrap();
    assert_eq!(thread.join().unwrap().counters().finished, 2);
}

#[test]
fn a_unix_socket_with_nobody_behind_is_an_upstream_that_refuses() {
    let back = Path::new("nobody");
    drop(UnixListener::bind(&back.0).unwrap());
    let config = listen(&["127.0.0.1:0"], PlainServer::config());
    let hooks = Plain { upstream: back.address().parse().unwrap() };
    let (addresses, sender, thread) = serving!(PlainServer, hooks, config);
    for _ in 0..3 {
        assert_eq!(read_to_end(&mut connect(&addresses[0])).unwrap(), b"");
    }
    sender.send(Command::Drain).unwrap();
    let counters = thread.join().unwrap().counters();
    assert_eq!((counters.accepted, counters.connects_failed, counters.back_offs), (3, 3, 0));
    assert_eq!((counters.not_opened, counters.open), (0, 0));
}
