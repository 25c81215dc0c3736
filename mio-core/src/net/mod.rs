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
