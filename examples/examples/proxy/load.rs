//! The clients: one loop with many connections, which checks what comes back.

use std::{
    fmt,
    io::{self, ErrorKind, IsTerminal, Read, Write},
    net::{Shutdown, SocketAddr},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio_core::{Config, EventLoop, Expiry, Handler, Key, Readiness, Slab, net::TcpStream};

use super::pattern::Pattern;

/// One kind of load.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    /// Connections at a time.
    pub(crate) connections: usize,
    /// The least and the greatest length of a request. It is answered by the same bytes.
    pub(crate) request_bytes: [u64; 2],
    /// Requests for each connection. When they are answered it sends its end, waits for the other
    /// end, and is replaced by a new one.
    pub(crate) requests: u64,
    /// Sends its end right after the last request, while the reply is still to come.
    pub(crate) half_closes_early: bool,
    pub(crate) duration: Duration,
}

/// A length for [`Plan::request_bytes`]: until the time is over.
pub(crate) const WITHOUT_END: u64 = u64::MAX;

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) elapsed: Duration,
    /// Connections that came to their end, every byte right.
    pub(crate) connections: u64,
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// Bytes that came back.
    pub(crate) bytes: u64,
    /// From the beginning of a request, or of its connection if it is the first, to the last byte
    /// of the reply.
    pub(crate) latency_ns: Histogram<u64>,
}

/// What a proxy must never do.
#[derive(Debug)]
pub(crate) enum Failure {
    Io(io::Error),
    WrongByte { connection: u64, offset: u64 },
    EndedEarly { connection: u64, sent: u64, received: u64 },
    Stuck { connections: usize },
}

/// Puts the load of `plan` on the server at `address`, which echoes.
pub(crate) fn run(plan: &Plan, address: SocketAddr, pattern: &Pattern) -> Result<Outcome, Failure> {
    // A connection that ends leaves what it asked for behind, and the end of the load asks once more.
    let sources = 4 * plan.connections;
    let config = Config { sources, timers: 4, ..Config::default() };
    let mut event_loop = EventLoop::with_config(config)?;
    event_loop.timeout(OVER, plan.duration)?;
    event_loop.timeout(LATE, plan.duration + GRACE)?;
    if io::stderr().is_terminal() {
        event_loop.interval(PROGRESS, Duration::from_millis(200))?;
    }
    let began = Instant::now();
    let mut load = Load {
        plan,
        address,
        pattern,
        connections: Slab::with_capacity(plan.connections),
        scratch: vec![0; 64 * 1024],
        over: false,
        number: 0,
        result: Ok(()),
        outcome: Outcome {
            elapsed: Duration::ZERO,
            connections: 0,
            requests: 0,
            bytes: 0,
            latency_ns: Histogram::new_with_bounds(1, 60_000_000_000, 3)
                .map_err(io::Error::other)?,
        },
    };
    for _ in 0..plan.connections {
        load.connect(&mut event_loop)?;
    }
    let load = event_loop.run(load)?;
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    load.result.map(|()| Outcome { elapsed: began.elapsed(), ..load.outcome })
}

/// Timers: no more requests begin; all has to be at its end; a sign of life.
const OVER: u64 = 0;
const LATE: u64 = 1;
const PROGRESS: u64 = 2;
const GRACE: Duration = Duration::from_secs(10);

const ROUNDS_PER_TURN: usize = 16;

struct Load<'a> {
    plan: &'a Plan,
    address: SocketAddr,
    pattern: &'a Pattern,
    connections: Slab<Connection>,
    scratch: Vec<u8>,
    over: bool,
    /// Of the last connection.
    number: u64,
    result: Result<(), Failure>,
    outcome: Outcome,
}

struct Connection {
    stream: TcpStream,
    /// From it follow the bytes and the lengths of the requests.
    number: u64,
    /// The bytes of all requests so far, and how many of them were sent and came back.
    due: u64,
    sent: u64,
    received: u64,
    requests_left: u64,
    request_began: Instant,
    readable: bool,
    writable: bool,
    ending: bool,
    shut: bool,
    yielded: bool,
}

enum Progress {
    Waits,
    Yields,
    Finished,
}

impl Load<'_> {
    fn connect(&mut self, event_loop: &mut EventLoop) -> io::Result<()> {
        let entry = self.connections.vacant_entry()?;
        let request_began = Instant::now();
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        event_loop.register(&stream, entry.key().to_bits())?;
        self.number += 1;
        entry.insert(Connection {
            stream,
            number: self.number,
            due: 0,
            sent: 0,
            received: 0,
            requests_left: self.plan.requests,
            request_began,
            readable: false,
            writable: false,
            ending: false,
            shut: false,
            yielded: false,
        });
        Ok(())
    }

    fn advance(&mut self, key: Key, readiness: Readiness) -> Result<Progress, Failure> {
        let Some(connection) = self.connections.get_mut(key) else { return Ok(Progress::Waits) };
        connection.hear(readiness);
        if connection.yielded {
            return Ok(Progress::Waits);
        }
        for _ in 0..ROUNDS_PER_TURN {
            connection.begin_request(self.plan, self.over);
            connection.send(self.plan, self.pattern)?;
            if !connection.readable {
                return Ok(Progress::Waits);
            }
            let before = connection.received;
            let ended = connection.receive(self.pattern, &mut self.scratch)?;
            self.outcome.bytes += connection.received - before;
            if connection.received == connection.due && connection.received > before {
                self.outcome.requests += 1;
                let nanoseconds = connection.request_began.elapsed().as_nanos();
                self.outcome.latency_ns.saturating_record(nanoseconds as u64);
            }
            if ended {
                return connection.check_end().map(|()| Progress::Finished);
            }
        }
        connection.yielded = true;
        Ok(Progress::Yields)
    }

    fn replace(&mut self, event_loop: &mut EventLoop, key: Key) -> io::Result<()> {
        self.outcome.connections += 1;
        if let Some(connection) = self.connections.remove(key) {
            event_loop.close(connection.stream, key.to_bits())?;
        }
        if !self.over {
            self.connect(event_loop)?;
        } else if self.connections.is_empty() {
            event_loop.shutdown();
        }
        Ok(())
    }

    fn fail(&mut self, event_loop: &mut EventLoop, failure: Failure) {
        self.result = Err(failure);
        event_loop.shutdown();
    }

    fn show_progress(&self) {
        let Outcome { requests, connections, bytes, .. } = self.outcome;
        let (name, mib) = (self.plan.name, bytes >> 20);
        eprint!("\r{name}: {connections} connections, {requests} requests, {mib} MiB ");
    }
}

impl Handler for Load<'_> {
    fn ready(&mut self, event_loop: &mut EventLoop, token: u64, readiness: Readiness) {
        let key = Key::from_bits_truncate(token);
        let result = match self.advance(key, readiness) {
            Ok(Progress::Waits) => return,
            Ok(Progress::Yields) => event_loop.again(token, Readiness::empty()),
            Ok(Progress::Finished) => self.replace(event_loop, key),
            Err(failure) => return self.fail(event_loop, failure),
        };
        if let Err(error) = result {
            self.fail(event_loop, error.into());
        }
    }

    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, _expiry: Expiry) {
        match token {
            OVER => {
                self.over = true;
                // Some have all that they asked for: no event will come to tell them that it was
                // all. Those that yielded come around anyway.
                let idle = self.connections.iter().filter(|(_, connection)| !connection.yielded);
                let tokens: Vec<u64> = idle.map(|(key, _)| key.to_bits()).collect();
                for token in tokens {
                    self.ready(event_loop, token, Readiness::empty());
                }
            }
            LATE => {
                let connections = self.connections.len();
                self.fail(event_loop, Failure::Stuck { connections });
            }
            _ => self.show_progress(),
        }
    }
}

impl Connection {
    fn hear(&mut self, readiness: Readiness) {
        self.readable |= readiness.wants_read();
        self.writable |= readiness.wants_write();
        self.ending |= readiness.contains(Readiness::READ_CLOSED);
        self.yielded &= !readiness.is_empty();
    }

    fn begin_request(&mut self, plan: &Plan, over: bool) {
        // Whoever has connected asks at least once.
        if over && self.due > 0 {
            self.requests_left = 0;
            if self.due == WITHOUT_END {
                self.due = self.sent;
            }
        }
        if self.received < self.due || self.requests_left == 0 {
            return;
        }
        if self.due > 0 {
            self.request_began = Instant::now();
        }
        self.requests_left -= 1;
        let [least, greatest] = plan.request_bytes;
        let noise = (self.number ^ self.due).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
        self.due = self.due.saturating_add(least + noise % (greatest - least + 1));
    }

    fn send(&mut self, plan: &Plan, pattern: &Pattern) -> io::Result<()> {
        while self.writable && self.sent < self.due {
            let piece = pattern.piece(self.number, self.sent, self.due - self.sent);
            match self.stream.write(piece) {
                Ok(written) => {
                    self.sent += written as u64;
                    self.writable = written == piece.len();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) => return Err(error),
            }
        }
        let all_sent = self.requests_left == 0 && self.sent == self.due;
        if all_sent && !self.shut && (plan.half_closes_early || self.received == self.due) {
            self.shut = true;
            self.stream.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    /// Whether the other side has ended.
    fn receive(&mut self, pattern: &Pattern, scratch: &mut [u8]) -> Result<bool, Failure> {
        let length = match self.stream.read(scratch) {
            Ok(0) => return Ok(true),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        self.readable = length == scratch.len() || self.ending;
        if !pattern.is_at(self.number, self.received, &scratch[..length]) {
            return Err(Failure::WrongByte { connection: self.number, offset: self.received });
        }
        self.received += length as u64;
        Ok(false)
    }

    fn check_end(&self) -> Result<(), Failure> {
        if self.shut && self.received == self.sent {
            return Ok(());
        }
        let Connection { number: connection, sent, received, .. } = *self;
        Err(Failure::EndedEarly { connection, sent, received })
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Io(error) => write!(f, "{error}"),
            Failure::WrongByte { connection, offset } => {
                write!(f, "connection {connection} got wrong bytes after offset {offset}")
            }
            Failure::EndedEarly { connection, sent, received } => {
                write!(f, "connection {connection} sent {sent} bytes and ended after {received}")
            }
            Failure::Stuck { connections } => write!(f, "{connections} connections are stuck"),
        }
    }
}

impl std::error::Error for Failure {}
