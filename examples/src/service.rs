//! A proxy in a thread of its own.

use std::{io, net::SocketAddr, thread};

use mio_core::{
    Sender,
    proxy::{Command, Counters},
};

/// A proxy that runs in a thread of its own, for whoever wants to go on meanwhile.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    sender: Sender<Command>,
    thread: thread::JoinHandle<io::Result<Counters>>,
}

impl Service {
    /// Runs the proxy that listens at `address` and hears commands from `sender`.
    ///
    /// # Errors
    ///
    /// No thread to be had.
    pub fn start(
        address: SocketAddr,
        sender: Sender<Command>,
        run: impl FnOnce() -> io::Result<Counters> + Send + 'static,
    ) -> io::Result<Service> {
        let thread = thread::Builder::new().name("proxy".into()).spawn(run)?;
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
