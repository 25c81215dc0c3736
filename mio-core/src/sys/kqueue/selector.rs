//! Registration and waiting.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    events::Events,
    ffi,
    queue::Queue,
    registry::{Registry, Wish, kevent::Kind, system::System, wait::wait_out},
};
use crate::interest::{Interest, Trigger};

#[derive(Debug)]
pub(crate) struct Selector {
    shared: Arc<Shared>,
}

/// What its wakers have of a selector.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) queue: Queue,
    registry: Mutex<Registry>,
}

/// Room for so many wakers beside the sources; more take their room.
const WAKERS: usize = 16;

impl Selector {
    pub(crate) fn with_capacity(sources: usize) -> io::Result<Selector> {
        let system = System::of(std::env::consts::OS);
        let registry = Registry::with_capacity(system, sources.saturating_add(WAKERS))?;
        let shared = Shared { queue: Queue::new(&system)?, registry: Mutex::new(registry) };
        // Some of `std`'s mutexes allocate when they are first locked.
        drop(shared.registry());
        Ok(Selector { shared: Arc::new(shared) })
    }

    #[inline]
    pub(crate) fn register(
        &self,
        source: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        let wish = self.wish(source, token, interest, trigger)?;
        self.shared.registry().register(&self.shared.queue, wish)
    }

    /// There is nothing like `EPOLLEXCLUSIVE`.
    #[expect(clippy::unused_self, reason = "the backends' contract")]
    pub(crate) fn register_exclusive(
        &self,
        _source: BorrowedFd<'_>,
        _token: u64,
        _interest: Interest,
        _trigger: Trigger,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[inline]
    pub(crate) fn reregister(
        &self,
        source: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        let wish = self.wish(source, token, interest, trigger)?;
        self.shared.registry().reregister(&self.shared.queue, wish)
    }

    #[inline]
    pub(crate) fn deregister(&self, source: BorrowedFd<'_>) -> io::Result<()> {
        self.check_process()?;
        let descriptor = source.as_raw_fd() as usize;
        self.shared.registry().deregister(&self.shared.queue, descriptor)
    }

    #[inline]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the backends' contract")]
    pub(crate) fn would_block(
        &self,
        _source: BorrowedFd<'_>,
        _token: u64,
        _interest: Interest,
    ) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn select(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        wait_out(timeout, |timeout| {
            ffi::wait(self.shared.queue.as_fd(), events.room(), timeout)?;
            events.translate(&mut self.shared.registry());
            Ok(!events.is_done())
        })
    }

    #[inline]
    pub(crate) fn check_process(&self) -> io::Result<()> {
        self.shared.queue.check_process()
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn wish(
        &self,
        source: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<Wish> {
        self.check_process()?;
        let descriptor = source.as_raw_fd();
        if descriptor == self.as_fd().as_raw_fd() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let kind = kind(source)?;
        Ok(Wish { descriptor: descriptor as usize, kind, token, interest, trigger })
    }
}

impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.queue.as_fd()
    }
}

impl Shared {
    pub(super) fn registry(&self) -> MutexGuard<'_, Registry> {
        // Nothing panics between two states of it that fit.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `Unsupported` for what is always ready; a kqueue would take it, and report it at every turn.
fn kind(source: BorrowedFd<'_>) -> io::Result<Kind> {
    match ffi::file(source)? {
        (libc::S_IFREG | libc::S_IFDIR | libc::S_IFBLK, _) => {
            Err(io::ErrorKind::Unsupported.into())
        }
        (libc::S_IFIFO, libc::O_RDONLY) => Ok(Kind::Reader),
        (libc::S_IFIFO, libc::O_WRONLY) => Ok(Kind::Writer),
        // A kqueue also says that it is a pipe, and is open for both.
        _ => Ok(Kind::Duplex),
    }
}
