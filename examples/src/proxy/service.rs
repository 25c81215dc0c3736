//! A proxy in a thread of its own.

use std::{io, net::SocketAddr, thread};

use mio_core::{
    EventLoop, Sender,
    proxy::{Command, Counters, ProxyConfig},
};

use super::{Gateway, GatewayServer};

/// A proxy that runs in a thread of its own, for whoever wants to go on meanwhile.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    sender: Sender<Command>,
    thread: thread::JoinHandle<io::Result<Counters>>,
}

impl Service {
    /// Starts it. The listeners are there when this returns.
    ///
    /// # Errors
    ///
    /// Those of [`EventLoop::with_config`] and of listening, and no thread to be had; `InvalidInput` if the
    /// first listener is no TCP socket.
    pub fn start(gateway: Gateway, config: ProxyConfig) -> io::Result<Service> {
        let mut event_loop = EventLoop::with_config(config.event_loop())?;
        let listeners = config.listeners()?;
        let first = listeners.first().ok_or(io::ErrorKind::InvalidInput)?;
        let address = first.local_addr()?.tcp().ok_or(io::ErrorKind::InvalidInput)?;
        let server = GatewayServer::new(event_loop.scoped(), gateway, config, listeners)?;
        let sender = event_loop.sender();
        let thread = thread::Builder::new()
            .name("proxy".into())
            .spawn(move || server.run(event_loop).map(|server| server.counters()))?;
        Ok(Service { address, sender, thread })
    }

    /// The address of its first listener.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks it to drain or to stop.
    pub fn command(&self, command: Command) {
        // It is refused if the proxy is gone, or if enough commands wait for it.
        let _ = self.sender.send(command);
    }

    /// Waits until it has ended, and says what it has done.
    ///
    /// # Errors
    ///
    /// The one that ended it, if it was one.
    ///
    /// # Panics
    ///
    /// If it panicked.
    pub fn wait(self) -> io::Result<Counters> {
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Drains it and waits.
    ///
    /// # Errors
    ///
    /// As [`wait`](Service::wait).
    ///
    /// # Panics
    ///
    /// As `wait`.
    pub fn drain(self) -> io::Result<Counters> {
        self.command(Command::Drain);
        self.wait()
    }
}
