//! The clients and the upstream of a proxy: both sides of every pair in one thread, over one epoll.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::thread;
use std::time::{Duration, Instant};

use libc::{EPOLLIN, EPOLLOUT, epoll_event};

use super::Workload;

/// The length of a request and of its reply.
pub const MESSAGE_BYTES: usize = 64;
/// Connections under way at a time while new ones are made.
const AT_A_TIME: usize = 64;
const CHUNK_BYTES: usize = 256 * 1024;
const EVENTS: usize = 256;
/// Longer than anything takes, also under a tool that slows the proxy down.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the clients saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub wall: Duration,
    /// Of each request, in nanoseconds, where requests were made one after another.
    pub latencies_ns: Vec<u64>,
}

/// The upstream of one proxy.
#[derive(Debug)]
pub struct Upstream {
    listener: TcpListener,
    address: SocketAddrV4,
}

impl Upstream {
    pub fn new() -> io::Result<Self> {
        Self::at(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))
    }

    pub fn at(address: SocketAddrV4) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = SocketAddrV4::new(*address.ip(), listener.local_addr()?.port());
        // The standard library's queue is short for many clients at a time.
        // SAFETY: the call takes no memory.
        if unsafe { libc::listen(listener.as_raw_fd(), 4096) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { listener, address })
    }

    pub fn address(&self) -> SocketAddrV4 {
        self.address
    }

    fn accept_soon(&self) -> io::Result<TcpStream> {
        let began = Instant::now();
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return Ok(stream),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                Err(_) if began.elapsed() > PATIENCE => return Err(stalled()),
                Err(_) => thread::sleep(Duration::from_micros(20)),
            }
        }
    }
}

/// Clients of one proxy and whom they get, ready to work.
#[derive(Debug)]
pub struct Load<'a> {
    workload: Workload,
    proxy: SocketAddrV4,
    upstream: &'a Upstream,
    epoll: OwnedFd,
    /// Of the pairs that stay; each one's token is its place.
    clients: Vec<TcpStream>,
    servers: Vec<TcpStream>,
    /// Of those that come and go, by their number.
    passing: Vec<Option<Passing>>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Passing {
    stream: TcpStream,
    is_client: bool,
}

const SERVER: u64 = 1 << 32;
const LISTENER: u64 = 1 << 33;

impl<'a> Load<'a> {
    pub fn new(
        workload: Workload,
        proxy: SocketAddrV4,
        upstream: &'a Upstream,
    ) -> io::Result<Self> {
        let (clients, servers, passing) = (Vec::new(), Vec::new(), Vec::new());
        let (epoll, buffer) = (new_epoll()?, vec![0x5A; CHUNK_BYTES]);
        let mut load = Self { workload, proxy, upstream, epoll, clients, servers, passing, buffer };
        for token in 0..workload.pairs() as u64 {
            let client = TcpStream::connect(proxy)?;
            let server = upstream.accept_soon()?;
            let writes = if load.is_bulk() { EPOLLOUT } else { EPOLLIN };
            for (stream, token, interest) in
                [(&client, token, EPOLLIN), (&server, SERVER | token, writes)]
            {
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                // A full sink is no reason to be told of room all the time.
                let wanted = if workload == Workload::Idle { 0 } else { interest };
                load.add(stream.as_raw_fd(), token, wanted)?;
            }
            load.clients.push(client);
            load.servers.push(server);
        }
        if workload == Workload::Connections {
            load.add(upstream.listener.as_raw_fd(), LISTENER, EPOLLIN)?;
        }
        Ok(load)
    }

    fn is_bulk(&self) -> bool {
        matches!(self.workload, Workload::Bulk { .. })
    }

    /// Does so many units of work.
    pub fn run(&mut self, units: u64) -> io::Result<Seen> {
        let began = Instant::now();
        let latencies_ns = match self.workload {
            Workload::Requests | Workload::Latency => self.requests(units)?,
            Workload::Connections => self.connections(units)?,
            Workload::Bulk { .. } => self.bulk(units)?,
            Workload::Idle => self.greetings()?,
        };
        Ok(Seen { wall: began.elapsed(), latencies_ns })
    }

    /// Every client always has one request under way.
    fn requests(&mut self, units: u64) -> io::Result<Vec<u64>> {
        let mut latencies = Vec::with_capacity(units as usize);
        let mut sent_at = vec![Instant::now(); self.clients.len()];
        let mut left = units;
        for (client, at) in self.clients.iter().zip(&mut sent_at) {
            if left > 0 {
                left -= 1;
                *at = Instant::now();
                (&*client).write_all(&self.buffer[..MESSAGE_BYTES])?;
            }
        }
        let mut events = [epoll_event { events: 0, u64: 0 }; EVENTS];
        while latencies.len() < units as usize {
            for &event in wait(&self.epoll, &mut events)? {
                let place = (event.u64 & !SERVER) as usize;
                if event.u64 & SERVER != 0 {
                    let server = &self.servers[place];
                    message(server, &mut self.buffer)?;
                    (&*server).write_all(&self.buffer[..MESSAGE_BYTES])?;
                    continue;
                }
                let client = &self.clients[place];
                message(client, &mut self.buffer)?;
                let now = Instant::now();
                latencies.push((now - sent_at[place]).as_nanos() as u64);
                if left > 0 {
                    left -= 1;
                    sent_at[place] = now;
                    (&*client).write_all(&self.buffer[..MESSAGE_BYTES])?;
                }
            }
        }
        Ok(latencies)
    }

    /// Each client connects, makes one request and closes when it has the reply.
    fn connections(&mut self, units: u64) -> io::Result<Vec<u64>> {
        let (mut begun, mut done) = (0, 0);
        while begun < units.min(AT_A_TIME as u64) {
            begun += 1;
            self.begin()?;
        }
        let mut events = [epoll_event { events: 0, u64: 0 }; EVENTS];
        while done < units {
            for &event in wait(&self.epoll, &mut events)? {
                if event.u64 == LISTENER {
                    while let Some(stream) = accepted(&self.upstream.listener)? {
                        self.pass(stream, false)?;
                    }
                    continue;
                }
                let fd = event.u64 as usize;
                let Some(passing) = &self.passing[fd] else { continue };
                let is_client = passing.is_client;
                match (message(&passing.stream, &mut self.buffer)?, is_client) {
                    (MESSAGE_BYTES, false) => {
                        (&passing.stream).write_all(&self.buffer[..MESSAGE_BYTES])?;
                    }
                    (MESSAGE_BYTES, true) => {
                        self.passing[fd] = None;
                        if begun < units {
                            begun += 1;
                            self.begin()?;
                        }
                    }
                    (_, false) => {
                        self.passing[fd] = None;
                        done += 1;
                    }
                    (_, true) => return Err(io::Error::other("a client was closed early")),
                }
            }
        }
        Ok(Vec::new())
    }

    fn begin(&mut self) -> io::Result<()> {
        let client = TcpStream::connect(self.proxy)?;
        (&client).write_all(&self.buffer[..MESSAGE_BYTES])?;
        self.pass(client, true)
    }

    fn pass(&mut self, stream: TcpStream, is_client: bool) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        let fd = stream.as_raw_fd();
        self.add(fd, fd as u64, EPOLLIN)?;
        if fd as usize >= self.passing.len() {
            self.passing.resize_with(fd as usize + 1, || None);
        }
        self.passing[fd as usize] = Some(Passing { stream, is_client });
        Ok(())
    }

    /// The upstream writes without end until so many bytes have come to the clients.
    fn bulk(&mut self, bytes: u64) -> io::Result<Vec<u64>> {
        let (mut to_send, mut to_come) = (bytes, bytes);
        let mut events = [epoll_event { events: 0, u64: 0 }; EVENTS];
        while to_come > 0 {
            for &event in wait(&self.epoll, &mut events)? {
                let place = (event.u64 & !SERVER) as usize;
                if event.u64 & SERVER == 0 {
                    to_come -= discard(&self.clients[place])?;
                    continue;
                }
                let length = to_send.min(CHUNK_BYTES as u64) as usize;
                if length == 0 {
                    // Until the next run nobody wants to know of room.
                    self.change(self.servers[place].as_raw_fd(), event.u64, 0)?;
                    continue;
                }
                match (&self.servers[place]).write(&self.buffer[..length]) {
                    Ok(written) => to_send -= written as u64,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        }
        for (place, server) in self.servers.iter().enumerate() {
            self.change(server.as_raw_fd(), SERVER | place as u64, EPOLLOUT)?;
        }
        Ok(Vec::new())
    }

    /// One request on every pair, one after another.
    fn greetings(&mut self) -> io::Result<Vec<u64>> {
        for (client, server) in self.clients.iter().zip(&self.servers) {
            for (from, to) in [(client, server), (server, client)] {
                (&*from).write_all(&self.buffer[..MESSAGE_BYTES])?;
                to.set_nonblocking(false)?;
                to.set_read_timeout(Some(PATIENCE))?;
                (&*to).read_exact(&mut self.buffer[..MESSAGE_BYTES])?;
            }
        }
        Ok(Vec::new())
    }

    fn add(&self, fd: RawFd, token: u64, interest: i32) -> io::Result<()> {
        control(&self.epoll, libc::EPOLL_CTL_ADD, fd, token, interest)
    }

    fn change(&self, fd: RawFd, token: u64, interest: i32) -> io::Result<()> {
        control(&self.epoll, libc::EPOLL_CTL_MOD, fd, token, interest)
    }
}

/// One message, which comes whole, or 0 at the end.
fn message(mut from: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    match from.read(&mut buffer[..MESSAGE_BYTES])? {
        length @ (0 | MESSAGE_BYTES) => Ok(length),
        _ => Err(io::Error::other("a message came in pieces")),
    }
}

/// Takes what is there without looking at it: clients are to cost little.
fn discard(from: &TcpStream) -> io::Result<u64> {
    let flags = libc::MSG_TRUNC | libc::MSG_DONTWAIT;
    // SAFETY: with this flag TCP drops the bytes instead of writing them anywhere.
    let result = unsafe { libc::recv(from.as_raw_fd(), std::ptr::null_mut(), 1 << 24, flags) };
    match result {
        0 => Err(io::Error::other("a client was closed early")),
        length if length > 0 => Ok(length as u64),
        _ => match io::Error::last_os_error() {
            error if error.kind() == ErrorKind::WouldBlock => Ok(0),
            error => Err(error),
        },
    }
}

fn accepted(listener: &TcpListener) -> io::Result<Option<TcpStream>> {
    match listener.accept() {
        Ok((stream, _)) => Ok(Some(stream)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

fn new_epoll() -> io::Result<OwnedFd> {
    // SAFETY: the call takes no memory.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn control(epoll: &OwnedFd, what: i32, fd: RawFd, token: u64, interest: i32) -> io::Result<()> {
    let mut event = epoll_event { events: interest as u32, u64: token };
    // SAFETY: the event lives across the call, which only reads it.
    let result = unsafe { libc::epoll_ctl(epoll.as_raw_fd(), what, fd, &mut event) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn wait<'e>(epoll: &OwnedFd, events: &'e mut [epoll_event]) -> io::Result<&'e [epoll_event]> {
    let patience = PATIENCE.as_millis() as i32;
    let (room, capacity) = (events.as_mut_ptr(), events.len() as i32);
    // SAFETY: the buffer has room for as many events as the call is told.
    let ready = unsafe { libc::epoll_wait(epoll.as_raw_fd(), room, capacity, patience) };
    match ready {
        0 => Err(stalled()),
        ready if ready > 0 => Ok(&events[..ready as usize]),
        _ => match io::Error::last_os_error() {
            error if error.kind() == ErrorKind::Interrupted => Ok(&[]),
            error => Err(error),
        },
    }
}

fn stalled() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "nothing comes through the proxy any more")
}
