//! Several loops in threads, which serve the same addresses and end together.

use std::{
    io,
    panic::resume_unwind,
    thread::{self, ScopedJoinHandle},
    time::Duration,
};

use super::{Command, Listener, ProxyConfig, Sharing};
use crate::{Config, EventLoop, Expiry, Handler, SendError, Sender, Signal, SignalInfo, SignalSet};

impl ProxyConfig {
    /// Listens at [`listen`](ProxyConfig::listen), for a single loop.
    ///
    /// # Errors
    ///
    /// Those of [`Listener::bind`].
    pub fn listeners(&self) -> io::Result<Vec<Listener>> {
        self.listen.iter().map(|address| Listener::bind(address, false, self.nodelay)).collect()
    }

    /// Listens at [`listen`](ProxyConfig::listen), for several loops: answers a list for each of them, all in
    /// the order of the addresses.
    ///
    /// # Errors
    ///
    /// Those of [`Listener::bind`] and [`Listener::share`].
    pub fn shared_listeners(&self, workers: usize) -> io::Result<Vec<Vec<Listener>>> {
        let mut lists: Vec<Vec<Listener>> = (0..workers).map(|_| Vec::new()).collect();
        for address in &self.listen {
            let apart = self.sharing == Sharing::ReusePort && address.tcp().is_some();
            let (first, apart) = match Listener::bind(address, apart, self.nodelay) {
                Err(error) if apart && error.kind() == io::ErrorKind::Unsupported => {
                    (Listener::bind(address, false, self.nodelay)?, false)
                }
                bound => (bound?, apart),
            };
            // It may have chosen the port.
            let address = first.local_addr()?;
            for list in lists.iter_mut().skip(1) {
                list.push(if apart {
                    Listener::bind(&address, true, self.nodelay)?
                } else {
                    first.share()?
                });
            }
            if let Some(list) = lists.first_mut() {
                list.push(if apart { first } else { first.share()? });
            }
        }
        Ok(lists)
    }
}

/// A thread that is to run a proxy.
#[derive(Debug)]
pub struct Worker {
    index: usize,
    listeners: Vec<Listener>,
    news: Sender<News>,
}

impl Worker {
    /// Which one it is, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its listeners; the first call has them.
    pub fn take_listeners(&mut self) -> Vec<Listener> {
        std::mem::take(&mut self.listeners)
    }

    /// Says that its loop is ready to run, and how to ask it for something: from now on it is drained with the
    /// others.
    pub fn starts(&self, commands: Sender<Command>) {
        // There is room: a worker has two pieces of news.
        let _ = self.news.send(News::Starts(commands));
    }
}

/// Runs `work` in a thread for each of the lists of listeners, and answers with what each came to.
///
/// The calling thread waits. INT and TERM drain all workers, and end them at the second time; USR1 makes each
/// [report](super::Hooks::report). One that is yet to start does so when it has. If one fails, the others are stopped.
/// Whose queue of messages is full is asked to end as soon as there is room, and not to report.
///
/// Portability: on Windows the events of the console that are [`Signal::INT`] and [`Signal::TERM`] do; there is no USR1.
///
/// # Errors
///
/// That of the first worker that failed; no thread to be had; those of
/// [`EventLoop::signals_with`] for these signals.
///
/// # Panics
///
/// If a worker panicked.
pub fn run_workers<R: Send>(
    lists: Vec<Vec<Listener>>,
    work: impl Fn(Worker) -> io::Result<R> + Sync,
) -> io::Result<Vec<R>> {
    let config = Config { sources: 0, timers: 1, messages: 2 * lists.len(), ..Config::default() };
    let mut event_loop = EventLoop::with_config(config)?;
    event_loop.signals_with(SignalSet::from([Signal::INT, Signal::TERM]), 0u64)?;
    match event_loop.signals_with(Signal::USR1.into(), 0u64) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        heeded => heeded?,
    }
    let mut overseer = Overseer::default();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut result = Ok(());
        for (index, listeners) in lists.into_iter().enumerate() {
            let worker = Worker { index, listeners, news: event_loop.sender() };
            let mut end = End { news: event_loop.sender(), failed: true };
            let work = &work;
            let run = move || {
                let result = work(worker);
                end.well(result.is_ok());
                result
            };
            match thread::Builder::new().name(format!("worker-{index}")).spawn_scoped(scope, run) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    result = Err(error);
                    overseer.end(Command::Stop);
                    break;
                }
            }
        }
        overseer.running = threads.len();
        if !threads.is_empty() {
            let overseen = event_loop.run(&mut overseer).map(drop);
            if overseen.is_err() {
                overseer.end(Command::Stop);
            }
            result = result.and(overseen);
        }
        let results: io::Result<Vec<R>> = threads.into_iter().map(joined).collect();
        result.and(results)
    })
}

fn joined<R>(thread: ScopedJoinHandle<'_, io::Result<R>>) -> io::Result<R> {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// What the workers tell the calling thread.
enum News {
    Starts(Sender<Command>),
    Ended { failed: bool },
}

/// Tells that a worker has ended, also if it panicked.
struct End {
    news: Sender<News>,
    failed: bool,
}

impl End {
    fn well(&mut self, well: bool) {
        self.failed = !well;
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.news.send(News::Ended { failed: self.failed });
    }
}

/// A worker that can be asked for something.
struct Asked {
    commands: Sender<Command>,
    /// How it is to end, if its queue was full.
    owed: Option<Command>,
}

impl Asked {
    /// Asks it to end. It is refused by one that has ended.
    fn end(&mut self, command: Command) {
        let command = at_last(self.owed.take(), command);
        if let Err(SendError::Full(command)) = self.commands.send(command) {
            self.owed = Some(command);
        }
    }
}

/// What comes of two commands to end of which nobody knows yet.
fn at_last(earlier: Option<Command>, command: Command) -> Command {
    if earlier.is_some() { Command::Stop } else { command }
}

#[derive(Default)]
struct Overseer {
    workers: Vec<Asked>,
    running: usize,
    /// What those are to do that are yet to start.
    reporting: Option<Command>,
    ending: Option<Command>,
}

impl Overseer {
    fn report(&mut self) {
        self.reporting = Some(Command::Report);
        for worker in &self.workers {
            let _ = worker.commands.send(Command::Report);
        }
    }

    fn end(&mut self, command: Command) {
        self.ending = Some(at_last(self.ending, command));
        self.workers.iter_mut().for_each(|worker| worker.end(command));
    }

    /// Tries again after a while, if there is a worker that could not be told how to end.
    fn insist(&self, event_loop: &mut EventLoop<News>) {
        if self.workers.iter().any(|worker| worker.owed.is_some()) {
            // If there is no room, it waits already.
            let _ = event_loop.timeout(0u64, AGAIN);
        }
    }
}

/// After how long a worker with a full queue is told again.
const AGAIN: Duration = Duration::from_millis(10);

impl Handler<News> for Overseer {
    fn message(&mut self, event_loop: &mut EventLoop<News>, news: News) {
        match news {
            News::Starts(commands) => {
                let mut worker = Asked { commands, owed: None };
                if let Some(report) = self.reporting {
                    let _ = worker.commands.send(report);
                }
                if let Some(command) = self.ending {
                    worker.end(command);
                }
                self.workers.push(worker);
            }
            News::Ended { failed } => {
                self.running -= 1;
                if failed {
                    self.end(Command::Stop);
                }
                if self.running == 0 {
                    event_loop.shutdown();
                }
            }
        }
        self.insist(event_loop);
    }

    fn signal(&mut self, event_loop: &mut EventLoop<News>, _: u64, info: SignalInfo) {
        if info.signal == Signal::USR1 {
            self.report();
        } else {
            self.end(Command::Drain);
        }
        self.insist(event_loop);
    }

    fn timeout(&mut self, event_loop: &mut EventLoop<News>, _: u64, _: Expiry) {
        for worker in &mut self.workers {
            if let Some(command) = worker.owed.take() {
                worker.end(command);
            }
        }
        self.insist(event_loop);
    }
}
