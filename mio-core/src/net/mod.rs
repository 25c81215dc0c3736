//! TCP and UDP sockets that never block.
//!
//! Thin newtypes over those of `std`, `From` and `Into` both ways. They add what `std` lacks: a
//! [`connect`](TcpStream::connect) that does not wait, an [`accept`](TcpListener::accept) that is one
//! system call, ports shared between loops. What they do not offer, [`as_std`](TcpStream::as_std) and
//! crates that take any `AsFd` do.
//!
//! All of them are non-blocking and close-on-exec, and nothing here allocates. An operation that
//! would have to wait fails with [`WouldBlock`](std::io::ErrorKind::WouldBlock).
//!
//! # Interruption and broken pipes
//!
//! A call that does not sleep is not interrupted by signals. `accept` retries
//! [`Interrupted`](std::io::ErrorKind::Interrupted) nevertheless; reads and writes pass it on as
//! those of `std` do.
//!
//! Writing to a peer that is gone fails with [`BrokenPipe`](std::io::ErrorKind::BrokenPipe). The Rust
//! runtime sees to it that no `SIGPIPE` ends the process, in every program whose `main` is Rust's;
//! any other program ignores that signal itself.
//!
//! # Names
//!
//! To look a name up takes as long as its servers do, and the way of the system
//! ([`ToSocketAddrs`](std::net::ToSocketAddrs)) blocks. So let another thread do it, and send the loop what it has found:
//!
//! ```
//! use std::{io, net::{SocketAddr, ToSocketAddrs}, thread};
//! use mio_core::{EventLoop, Handler, Sender, net::{TcpListener, TcpStream}};
//!
//! type Found = io::Result<Vec<SocketAddr>>;
//!
//! /// The thread may be one of several that take names from a channel.
//! fn look_up(name: String, answer: Sender<Found>) {
//!     thread::spawn(move || {
//!         let found = name.to_socket_addrs().map(Iterator::collect);
//!         // An error means that nobody waits for it any more, or that its queue is full.
//!         let _ = answer.send(found);
//!     });
//! }
//!
//! struct Client(Option<TcpStream>);
//!
//! impl Handler<Found> for Client {
//!     fn message(&mut self, event_loop: &mut EventLoop<Found>, found: Found) {
//!         // Which of them answers shows only later: keep the others.
//!         let first = found.ok().and_then(|addresses| addresses.first().copied());
//!         self.0 = first.and_then(|address| TcpStream::connect(address).ok());
//!         event_loop.shutdown();
//!     }
//! }
//!
//! let server = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
//! let mut event_loop = EventLoop::new()?;
//! look_up(server.local_addr()?.to_string(), event_loop.sender());
//! assert!(event_loop.run(Client(None))?.0.is_some());
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # Portability
//!
//! On WASI a program opens no sockets: `bind` and `connect` are `Unsupported`, and so is every option. A listener or a
//! connection of the host's is taken over from `std`'s types; the addresses of peers are 0.0.0.0:0, since the host does
//! not tell them. On the Web all of it is `Unsupported`.

mod accept_failure;
mod tcp_listener;
mod tcp_stream;
mod udp_socket;

pub use accept_failure::AcceptFailure;
pub use tcp_listener::{ListenOptions, TcpListener};
pub use tcp_stream::TcpStream;
pub use udp_socket::UdpSocket;

/// How many connections may wait to be accepted, unless [`ListenOptions`] say otherwise: 4,096.
///
/// Portability: the kernel cuts it to its own bound, on Linux `net.core.somaxconn` (4,096 since 5.4,
/// 128 before).
pub const BACKLOG: u32 = 4096;
