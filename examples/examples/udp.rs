//! UDP, and what it asks of a program: datagrams get lost, so a timer decides when to give one up.
//! A server that answers but loses one in five on purpose, and a client that asks, both in one
//! loop.
//!
//! An error of a call is that of one datagram, or of an earlier one to which nobody has listened: it is lost
//! like others, and the socket is still good. Anybody may send any number of them; so a turn takes only some,
//! and the level trigger reports what is left.
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
const DATAGRAMS_PER_TURN: usize = 64;

struct Ping {
    server: UdpSocket,
    client: UdpSocket,
    number: u32,
    sent: Instant,
    lost: Option<Timeout>,
    answered: u32,
}

impl Ping {
    fn serve(&mut self) {
        let mut datagram = [0; 1500];
        for _ in 0..DATAGRAMS_PER_TURN {
            match self.server.recv_from(&mut datagram) {
                Ok((length, peer))
                    if datagram[..length].first().is_none_or(|byte| byte % 5 != 4) =>
                {
                    let _ = self.server.send_to(&datagram[..length], peer);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                _ => {}
            }
        }
    }

    fn receive(&mut self, event_loop: &mut EventLoop) -> io::Result<()> {
        let mut datagram = [0; 1500];
        for _ in 0..DATAGRAMS_PER_TURN {
            match self.client.recv(&mut datagram) {
                // What comes too late is an answer to an earlier question.
                Ok(length) if datagram[..length] == self.number.to_le_bytes() => {
                    println!("{:>2}  {:?}", self.number, self.sent.elapsed());
                    self.answered += 1;
                    if let Some(lost) = self.lost.take() {
                        event_loop.cancel(lost);
                    }
                    self.ask(event_loop)?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                _ => {}
            }
        }
        Ok(())
    }

    fn ask(&mut self, event_loop: &mut EventLoop) -> io::Result<()> {
        if self.number == PINGS {
            event_loop.shutdown();
            return Ok(());
        }
        self.number += 1;
        self.sent = Instant::now();
        self.lost = Some(event_loop.timeout(LOST, PATIENCE)?);
        let _ = self.client.send(&self.number.to_le_bytes());
        Ok(())
    }
}

impl Handler for Ping {
    fn readable(&mut self, event_loop: &mut EventLoop, token: u64) {
        match token {
            SERVER => self.serve(),
            _ => self.receive(event_loop).unwrap_or_else(|error| event_loop.fail(error)),
        }
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
    event_loop.register_with(&server, SERVER, Interest::READABLE, Trigger::Level)?;
    event_loop.register_with(&client, CLIENT, Interest::READABLE, Trigger::Level)?;
    let sent = Instant::now();
    let mut ping = Ping { server, client, number: 0, sent, lost: None, answered: 0 };
    ping.ask(&mut event_loop)?;
    let ping = event_loop.run(ping)?;
    println!("{} of {PINGS} answered", ping.answered);
    Ok(())
}
