//! Waiting for wakers, and nothing else.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::events::Events;
use crate::{
    event::Event,
    interest::{Interest, Readiness, Trigger},
    sync::global::{AtomicBool, Ordering},
};

/// Whether a thread can wait for another one.
const HAS_THREADS: bool = cfg!(target_feature = "atomics");

/// What a source is where there are no descriptors: nothing that can be waited for.
#[derive(Clone, Copy, Debug)]
pub struct NoDescriptor;

#[derive(Debug)]
pub(crate) struct Selector {
    shared: Arc<Shared>,
}

impl Selector {
    #[expect(clippy::unnecessary_wraps, reason = "the backends' contract")]
    pub(crate) fn with_capacity(_sources: usize) -> io::Result<Selector> {
        let shared = Shared { wakers: Mutex::new(Vec::new()), woken: Condvar::new() };
        Ok(Selector { shared: Arc::new(shared) })
    }

    #[expect(clippy::unused_self, reason = "the backends' contract")]
    pub(crate) fn register(
        &self,
        _source: NoDescriptor,
        _token: u64,
        _interest: Interest,
        _trigger: Trigger,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[expect(clippy::unused_self, reason = "the backends' contract")]
    pub(crate) fn register_exclusive(
        &self,
        _source: NoDescriptor,
        _token: u64,
        _interest: Interest,
        _trigger: Trigger,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[expect(clippy::unused_self, reason = "the backends' contract")]
    pub(crate) fn reregister(
        &self,
        _source: NoDescriptor,
        _token: u64,
        _interest: Interest,
        _trigger: Trigger,
    ) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }

    #[expect(clippy::unused_self, reason = "the backends' contract")]
    pub(crate) fn deregister(&self, _source: NoDescriptor) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }

    #[expect(clippy::unused_self, reason = "the backends' contract")]
    pub(crate) fn would_block(
        &self,
        _source: NoDescriptor,
        _token: u64,
        _interest: Interest,
    ) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }

    pub(crate) fn select(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        let wakers = self.shared.lock();
        report(&wakers, events);
        if events.len() > 0 || timeout == Some(Duration::ZERO) {
            return Ok(());
        }
        if !HAS_THREADS {
            // Nobody is there to end a wait, nor a clock to end it by.
            let kind = timeout.map_or(io::ErrorKind::Deadlock, |_| io::ErrorKind::Unsupported);
            return Err(kind.into());
        }
        // A wait that ends for no reason is as one that a signal interrupts.
        let woken = &self.shared.woken;
        let wakers = match timeout {
            Some(timeout) => {
                woken.wait_timeout(wakers, timeout).unwrap_or_else(PoisonError::into_inner).0
            }
            None => woken.wait(wakers).unwrap_or_else(PoisonError::into_inner),
        };
        report(&wakers, events);
        Ok(())
    }

    /// There is no fork.
    #[inline]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the backends' contract")]
    pub(crate) fn check_process(&self) -> io::Result<()> {
        Ok(())
    }

    /// A flag that stands for `token`.
    pub(super) fn waker(&self, token: u64) -> io::Result<(Arc<Shared>, Arc<Flag>)> {
        let flag = Arc::new(Flag { token, up: AtomicBool::new(false) });
        let mut wakers = self.shared.lock();
        wakers.try_reserve(1)?;
        wakers.push(flag.clone());
        Ok((self.shared.clone(), flag))
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    wakers: Mutex<Vec<Arc<Flag>>>,
    woken: Condvar,
}

/// Whether a waker was called since somebody last selected.
#[derive(Debug)]
pub(super) struct Flag {
    token: u64,
    up: AtomicBool,
}

impl Shared {
    pub(super) fn wake(&self, flag: &Flag) {
        // Under the lock, so that it comes before the look or after the wait has begun.
        let wakers = self.lock();
        if !flag.up.swap(true, Ordering::Relaxed) {
            drop(wakers);
            self.woken.notify_one();
        }
    }

    pub(super) fn forget_waker(&self, flag: &Arc<Flag>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, flag));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Flag>>> {
        // Nothing that can panic is done while it is locked.
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn report(wakers: &[Arc<Flag>], events: &mut Events) {
    for flag in wakers {
        if events.len() < events.capacity() && flag.up.swap(false, Ordering::Relaxed) {
            events.push(Event { token: flag.token, readiness: Readiness::READABLE });
        }
    }
}
