//! A component that accepts connections within limits and hands them over.
//!
//! It knows nothing of the handler that it is nested in. After each of its events the parent [takes](Listener::take)
//! what came in, and says with [`release`](Listener::release) when a connection is over.
//!
//! - At most so many connections [live](Limits::live) at a time; the next ones wait in the kernel's queue.
//! - At most a [batch](Limits::batch) of them is accepted in a turn, so that others are served between.
//! - When descriptors or memory run out, it [backs off](Limits::retry) and tries again by a timer: no
//!   edge tells when there are some again.
//! - What is wrong with a connection that only came in is nobody's concern; what is wrong with the listener
//!   itself reaches the parent's `error`.
//!
//! Nothing is allocated once it is made.
//!
//! ```
//! use std::io::{self, Write};
//! use listener::{Limits, Listener};
//! use mio_core::{EventLoop, Handler, net::TcpListener};
//!
//! /// Tells everybody the same.
//! struct Greeter {
//!     listener: Listener,
//! }
//!
//! #[derive(Clone, Copy, Debug, Handler)]
//! #[handler(state = Greeter)]
//! enum On {
//!     #[nested(listener, method = accepted)]
//!     Listener(listener::On),
//! }
//!
//! impl OnHandler for Greeter {
//!     fn accepted(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
//!         while let Some((mut stream, _)) = self.listener.take() {
//!             stream.write_all(b"good day\n")?;
//!             self.listener.release(&mut event_loop.nested(On::LISTENER))?;
//!         }
//!         event_loop.shutdown();
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> io::Result<()> {
//! let mut event_loop = EventLoop::new()?;
//! let socket = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
//! let listener =
//!     Listener::new(&mut event_loop.nested(On::LISTENER), socket, Limits::default())?;
//! # let _peer = std::net::TcpStream::connect(listener.local_addr()?)?;
//! event_loop.run(Greeter { listener })?;
//! # Ok(())
//! # }
//! ```

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use mio_core::{
    EventLoop, Handler, Readiness, Timeout,
    net::{AcceptFailure, TcpListener, TcpStream},
};

/// The sources of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Handler)]
#[handler(state = Listener, message = Message)]
pub enum On {
    /// The socket that listens.
    #[io(readable = accept)]
    Socket,
    /// Time to try again after descriptors or memory ran out.
    #[timer]
    Retry,
}

/// What a listener can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Let so many connections live at a time, but no more than it was made with. Zero is a pause; those
    /// that live already go on.
    Live(usize),
}

/// What a listener keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections that live at a time: accepted and not yet released.
    pub live: usize,
    /// Connections accepted in a turn.
    pub batch: usize,
    /// How long it waits when descriptors or memory ran out.
    pub retry: Duration,
}

impl Default for Limits {
    /// 1024, 32, and a tenth of a second.
    fn default() -> Limits {
        Limits { live: 1024, batch: 32, retry: Duration::from_millis(100) }
    }
}

/// Accepts connections within limits.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    limits: Limits,
    live: usize,
    /// What the parent did not take yet; counted as live.
    accepted: VecDeque<(TcpStream, SocketAddr)>,
    capacity: usize,
    backs_off: Option<Timeout>,
    /// It has asked to be called again.
    goes_on: bool,
}

impl Listener {
    /// Accepts from `socket` as soon as the loop runs.
    ///
    /// # Errors
    ///
    /// Those of [`EventLoop::register`].
    pub fn new<L>(
        event_loop: &mut EventLoop<L, On>,
        socket: TcpListener,
        limits: Limits,
    ) -> io::Result<Listener> {
        event_loop.register(&socket, On::Socket)?;
        let (capacity, accepted) = (limits.live, VecDeque::with_capacity(limits.live));
        Ok(Listener {
            socket,
            limits,
            live: 0,
            accepted,
            capacity,
            backs_off: None,
            goes_on: false,
        })
    }

    /// A connection that came in, with the address of its peer. To be called until there is none.
    pub fn take(&mut self) -> Option<(TcpStream, SocketAddr)> {
        self.accepted.pop_front()
    }

    /// Says that a connection that was taken is over: there is room for another one.
    ///
    /// # Errors
    ///
    /// Those of [`EventLoop::again`].
    pub fn release<L>(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
        let was_full = self.is_full();
        self.live = self.live.saturating_sub(1);
        if was_full { self.go_on(event_loop) } else { Ok(()) }
    }

    /// How many connections live: those that were accepted and not released.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live
    }

    /// Whether it waits for descriptors or memory.
    #[must_use]
    pub fn is_backing_off(&self) -> bool {
        self.backs_off.is_some()
    }

    /// The address it listens on.
    ///
    /// # Errors
    ///
    /// None that an open socket meets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Stops to listen, which refuses whoever waits. What was accepted can still be taken.
    ///
    /// # Errors
    ///
    /// Those of [`EventLoop::close`].
    pub fn close<L>(
        self,
        event_loop: &mut EventLoop<L, On>,
    ) -> io::Result<impl Iterator<Item = (TcpStream, SocketAddr)> + use<L>> {
        if let Some(timeout) = self.backs_off {
            event_loop.cancel(timeout);
        }
        event_loop.close(self.socket, On::Socket)?;
        Ok(self.accepted.into_iter())
    }

    fn is_full(&self) -> bool {
        self.live >= self.limits.live
    }

    fn go_on<L>(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
        if !self.goes_on {
            event_loop.again(On::Socket, Readiness::READABLE)?;
            self.goes_on = true;
        }
        Ok(())
    }

    fn back_off<L>(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
        self.backs_off = Some(event_loop.timeout(On::Retry, self.limits.retry)?);
        Ok(())
    }
}

impl<L> OnHandler<L> for Listener {
    fn accept(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
        self.goes_on = false;
        // The timer will call again.
        if self.is_backing_off() {
            return Ok(());
        }
        for _ in 0..self.limits.batch {
            // `release` will call again.
            if self.is_full() {
                return Ok(());
            }
            match self.socket.accept() {
                Ok(connection) => {
                    self.live += 1;
                    self.accepted.push_back(connection);
                }
                Err(error) => match AcceptFailure::of(&error) {
                    AcceptFailure::Nobody => return Ok(()),
                    AcceptFailure::Shortage => return self.back_off(event_loop),
                    AcceptFailure::Connection => {}
                    AcceptFailure::Listener => return Err(error),
                },
            }
        }
        self.go_on(event_loop)
    }

    fn retry(&mut self, event_loop: &mut EventLoop<L, On>) -> io::Result<()> {
        self.backs_off = None;
        self.accept(event_loop)
    }

    fn message(&mut self, event_loop: &mut EventLoop<L, On>, message: Message) -> io::Result<()> {
        let Message::Live(live) = message;
        self.limits.live = live.min(self.capacity);
        if self.is_full() { Ok(()) } else { self.go_on(event_loop) }
    }
}
