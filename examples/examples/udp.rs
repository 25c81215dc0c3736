//! UDP, and what it asks of a program: datagrams get lost, so a timer decides when to give one up.
//! A server that answers but loses one in five on purpose, and a client that asks, both in one
//! loop.
//!
//!     cargo run --example udp

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    time::{Duration, Instant},
};

use mio_core::{EventLoop, Expiry, Handler, Interest, Timeout, Trigger, net::UdpSocket};

const SERVER: u64 = 0;
const CLIENT: u64 = 1;
const LOST: u64 = 2;

const PINGS: u32 = 20;
const PATIENCE: Duration = Duration::from_millis(20);

struct Ping {
    server: UdpSocket,
    client: UdpSocket,
    number: u32,
    sent: Instant,
    lost: Option<Timeout>,
    answered: u32,
}

impl Ping {
    /// Answers all that have come: edge-triggered, so until there are none.
    fn serve(&mut self) -> io::Result<()> {
        let mut datagram = [0; 1500];
        loop {
            let (length, peer) = match self.server.recv_from(&mut datagram) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                result => result?,
            };
            if datagram[0] % 5 == 4 {
                continue;
            }
            match self.server.send_to(&datagram[..length], peer) {
                // No room to send: lost, as it may be on the way.
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
    }

    fn receive(&mut self, event_loop: &mut EventLoop) -> io::Result<()> {
        let mut datagram = [0; 1500];
        loop {
            let length = match self.client.recv(&mut datagram) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                result => result?,
            };
            // What comes too late is an answer to an earlier question.
            if datagram[..length] == self.number.to_le_bytes() {
                println!("{:>2}  {:?}", self.number, self.sent.elapsed());
                self.answered += 1;
                if let Some(lost) = self.lost.take() {
                    event_loop.cancel(lost);
                }
                self.ask(event_loop)?;
            }
        }
    }

    fn ask(&mut self, event_loop: &mut EventLoop) -> io::Result<()> {
        if self.number == PINGS {
            event_loop.shutdown();
            return Ok(());
        }
        self.number += 1;
        self.sent = Instant::now();
        self.lost = Some(event_loop.timeout(LOST, PATIENCE)?);
        self.client.send(&self.number.to_le_bytes())?;
        Ok(())
    }
}

impl Handler for Ping {
    fn readable(&mut self, event_loop: &mut EventLoop, token: u64) {
        let result = if token == SERVER { self.serve() } else { self.receive(event_loop) };
        result.unwrap_or_else(|error| event_loop.fail(error));
    }

    fn timeout(&mut self, event_loop: &mut EventLoop, _token: u64, _expiry: Expiry) {
        println!("{:>2}  lost", self.number);
        self.ask(event_loop).unwrap_or_else(|error| event_loop.fail(error));
    }
}

fn main() -> io::Result<()> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let (server, client) = (UdpSocket::bind(any)?, UdpSocket::bind(any)?);
    client.connect(server.local_addr()?)?;

    let mut event_loop = EventLoop::new()?;
    event_loop.register_with(&server, SERVER, Interest::READABLE, Trigger::Edge)?;
    event_loop.register_with(&client, CLIENT, Interest::READABLE, Trigger::Edge)?;
    let sent = Instant::now();
    let mut ping = Ping { server, client, number: 0, sent, lost: None, answered: 0 };
    ping.ask(&mut event_loop)?;
    let ping = event_loop.run(ping)?;
    println!("{} of {PINGS} answered", ping.answered);
    Ok(())
}
