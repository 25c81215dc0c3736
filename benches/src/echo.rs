//! TCP echo on loopback: the server's side of the work, which every synchronous loop shares, and the
//! client, which is a process of its own so that a count of the server counts nothing else.
//!
//! For counting there is a lockstep: the client writes to every connection, then writes one byte to
//! its standard output; the server, having served a whole round, reads that byte before it goes on.
//! So each turn of the loop finds exactly one message on each connection, and the counts are the same
//! each time they are taken. The one read more a round is the same for every peer.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{Child, ChildStdout, Command, Stdio};

use libc::MSG_NOSIGNAL;

use crate::os;

/// Bytes of a message.
pub const MESSAGE: usize = 64;

/// Bytes read at once.
const BUFFER: usize = 4096;

/// Tokens of what is not a connection; a connection's token is its index.
pub const LISTENER: u64 = 1 << 32;

pub struct Echo {
    pub listener: TcpListener,
    pub connections: Vec<Connection>,
    /// Bytes until something other than serving is to be done: the next round in lockstep, the end.
    until_pause: usize,
    rounds_left: u64,
    gate: Option<ChildStdout>,
    client: Child,
    buffer: [u8; BUFFER],
}

pub struct Connection {
    pub stream: TcpStream,
    /// What the peer did not take yet; nothing is read while there is any.
    held: Vec<u8>,
}

impl Echo {
    /// Starts a client with `connections` connections and accepts them all.
    pub fn new(connections: usize, rounds: u64, lockstep: bool) -> Self {
        // One connection is in step with its client anyhow.
        let lockstep = lockstep && connections > 1;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let mut client = Command::new(os::program())
            .arg("client")
            .args([listener.local_addr().expect("own address").port().to_string()])
            .args([connections.to_string(), rounds.to_string(), lockstep.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("client");
        let connections: Vec<_> = (0..connections)
            .map(|_| {
                let (stream, _) = listener.accept().expect("accept");
                stream.set_nodelay(true).expect("nodelay");
                stream.set_nonblocking(true).expect("nonblocking");
                Connection { stream, held: Vec::with_capacity(4096) }
            })
            .collect();
        listener.set_nonblocking(true).expect("nonblocking");
        let round = connections.len() * MESSAGE;
        let mut echo = Self {
            listener,
            connections,
            until_pause: round,
            rounds_left: rounds,
            gate: client.stdout.take().filter(|_| lockstep),
            client,
            buffer: [0; BUFFER],
        };
        if lockstep {
            echo.wait_at_gate();
        } else {
            echo.until_pause = round * rounds as usize;
            echo.rounds_left = 1;
        }
        echo
    }

    /// Serves one readable connection. True when it was the last message.
    #[inline(always)]
    pub fn readable(&mut self, index: usize) -> bool {
        let connection = &mut self.connections[index];
        if !connection.held.is_empty() {
            return false;
        }
        let fd = connection.stream.as_raw_fd();
        // SAFETY: the kernel writes at most as many bytes as the buffer has.
        let read = unsafe { libc::recv(fd, self.buffer.as_mut_ptr().cast(), BUFFER, 0) };
        if read <= 0 {
            return nothing_read(read);
        }
        let read = read as usize;
        // SAFETY: the kernel reads the bytes that it has just written.
        let written = unsafe { libc::send(fd, self.buffer.as_ptr().cast(), read, MSG_NOSIGNAL) };
        if written != read as isize {
            connection.hold(&self.buffer[..read], written);
        }
        self.count(read) || (read == BUFFER && self.readable_again(index))
    }

    /// A full buffer was read: there may be more.
    #[cold]
    #[inline(never)]
    fn readable_again(&mut self, index: usize) -> bool {
        self.readable(index)
    }

    /// Writes on what was held back, if `index` is a connection. True when it was the last message.
    #[inline(always)]
    pub fn writable(&mut self, index: usize) -> bool {
        let connection = self.connections.get(index);
        connection.is_some_and(|connection| !connection.held.is_empty()) && self.flush(index)
    }

    #[cold]
    fn flush(&mut self, index: usize) -> bool {
        let connection = &mut self.connections[index];
        match (&connection.stream).write(&connection.held) {
            Ok(written) => drop(connection.held.drain(..written)),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "write: {error}"),
        }
        connection.held.is_empty() && self.readable(index)
    }

    /// Counts `bytes` as served. True when they were the last.
    #[inline(always)]
    pub fn count(&mut self, bytes: usize) -> bool {
        self.until_pause -= bytes;
        self.until_pause == 0 && self.pause()
    }

    #[cold]
    #[inline(never)]
    fn pause(&mut self) -> bool {
        self.rounds_left -= 1;
        if self.rounds_left == 0 {
            return true;
        }
        self.until_pause = self.connections.len() * MESSAGE;
        self.wait_at_gate();
        false
    }

    fn wait_at_gate(&self) {
        if let Some(gate) = &self.gate {
            let mut byte = 0u8;
            // SAFETY: the call writes at most one byte into `byte`.
            let read = unsafe { libc::read(gate.as_raw_fd(), (&raw mut byte).cast(), 1) };
            assert_eq!(read, 1, "the client's byte");
        }
    }

    /// What a listener in the loop does when it turns readable, which here it never does.
    #[cold]
    pub fn accept(&mut self) {
        drop(self.listener.accept());
    }
}

impl Connection {
    #[cold]
    fn hold(&mut self, bytes: &[u8], written: isize) {
        let written = usize::try_from(written).unwrap_or_else(|_| {
            would_block("send");
            0
        });
        self.held.extend_from_slice(&bytes[written..]);
    }
}

#[cold]
fn nothing_read(read: isize) -> bool {
    assert!(read < 0, "closed before the last message");
    would_block("recv");
    false
}

fn would_block(call: &str) {
    let error = io::Error::last_os_error();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{call}: {error}");
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.connections.clear();
        let status = self.client.wait().expect("client");
        assert!(std::thread::panicking() || status.success(), "the client saw a wrong echo");
    }
}

/// The client: in each round writes a message to every connection, then reads them all back.
pub fn client(port: u16, connections: usize, rounds: u64, lockstep: bool) {
    os::pin(1);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut streams: Vec<TcpStream> = (0..connections)
        .map(|_| {
            let stream = TcpStream::connect(address).expect("connect");
            stream.set_nodelay(true).expect("nodelay");
            stream
        })
        .collect();
    let mut back = [0; MESSAGE];
    for round in 0..rounds {
        let message = [round as u8; MESSAGE];
        for stream in &mut streams {
            stream.write_all(&message).expect("write");
        }
        if lockstep {
            // Not a `println`: its buffer would keep the byte.
            let result = io::stdout().write_all(b"\n").and_then(|()| io::stdout().flush());
            result.expect("gate");
        }
        for stream in &mut streams {
            stream.read_exact(&mut back).expect("read");
            assert_eq!(back, message);
        }
    }
}
