use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

use mio_core::{
    EventLoop, Proxy,
    proxy::{Address, Client, Command, Hooks},
};

use crate::PATIENCE;

#[derive(Proxy)]
#[proxy(idle_timeout = "30s")]
struct Plain {
    upstream: Address,
}

impl Hooks for Plain {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.upstream.clone())
    }
}

#[test]
fn bytes_go_both_ways_and_a_drain_ends_it() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = PlainServer::config();
    config.listen.push("127.0.0.1:0".parse().unwrap());
    let plain = Plain { upstream: upstream.local_addr().unwrap().into() };
    let mut event_loop = EventLoop::with_config(config.event_loop()).unwrap();
    let listeners = config.listeners().unwrap();
    let server = PlainServer::new(event_loop.scoped(), plain, config, listeners).unwrap();
    let address = server.addresses().next().unwrap().unwrap().tcp().unwrap();
    let sender = event_loop.sender();
    let thread = thread::spawn(move || server.run(event_loop).unwrap().counters());

    let mut client = TcpStream::connect(address).unwrap();
    let (mut far, _) = upstream.accept().unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    far.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(b"ping").unwrap();
    let mut bytes = [0; 4];
    far.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"ping");
    far.write_all(b"pong").unwrap();
    client.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"pong");
    sender.send(Command::Drain).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(far.read(&mut bytes).unwrap(), 0);
    drop(far);
    let counters = thread.join().unwrap();
    assert_eq!((counters.accepted, counters.finished, counters.bytes()), (1, 1, 8));
}
