//! Registration and waiting.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use libc::c_int;

use super::{
    events::Events,
    ffi::{self, epoll_event},
};
use crate::{
    interest::{Interest, Trigger},
    sync::global::{AtomicBool, Ordering},
    sys::{
        REFUSING,
        unix::{self, fork},
    },
};

#[derive(Debug)]
pub(crate) struct Selector {
    epoll: OwnedFd,
    /// The process that it belongs to: a forked child has another generation.
    generation: usize,
    /// Set for good when the kernel or a sandbox refuses `epoll_pwait2`.
    rounds_up: AtomicBool,
}

impl Selector {
    pub(crate) fn with_capacity(_sources: usize) -> io::Result<Selector> {
        Ok(Selector {
            epoll: ffi::epoll_create()?,
            generation: fork::watch()?,
            rounds_up: AtomicBool::new(REFUSING),
        })
    }

    #[inline]
    pub(crate) fn register(
        &self,
        source: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, source, token, to_epoll(interest, trigger)?)
    }

    pub(crate) fn register_exclusive(
        &self,
        source: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        if interest.contains(Interest::PRIORITY) || trigger == Trigger::OneShot {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let events = to_epoll(interest, trigger)? & !(libc::EPOLLRDHUP as u32);
        let events = events | libc::EPOLLEXCLUSIVE as u32;
        self.control(libc::EPOLL_CTL_ADD, source, token, events)
    }

    #[inline]
    pub(crate) fn reregister(
        &self,
        source: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, source, token, to_epoll(interest, trigger)?)
    }

    #[inline]
    pub(crate) fn deregister(&self, source: BorrowedFd<'_>) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, source, 0, 0)
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

    #[inline(always)]
    pub(crate) fn select(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        match timeout {
            None => self.wait(events, -1),
            Some(Duration::ZERO) => self.wait(events, 0),
            Some(timeout) if milliseconds_do(timeout) => self.wait(events, milliseconds(timeout)),
            Some(timeout) => self.wait_exactly(events, timeout),
        }
    }

    #[inline(always)]
    fn wait(&self, events: &mut Events, timeout_ms: c_int) -> io::Result<()> {
        ffi::epoll_wait(self.epoll.as_fd(), events, timeout_ms)
            .or_else(|error| uninterrupted(events, error))
    }

    #[inline(never)]
    fn wait_exactly(&self, events: &mut Events, timeout: Duration) -> io::Result<()> {
        if !self.rounds_up.load(Ordering::Relaxed) {
            match ffi::epoll_pwait2(self.epoll.as_fd(), events, timeout) {
                Err(error) if unix::refused(&error) => {
                    self.rounds_up.store(true, Ordering::Relaxed);
                }
                result => return result.or_else(|error| uninterrupted(events, error)),
            }
        }
        self.wait(events, milliseconds(timeout))
    }

    /// The epoll instance is the parent's too: what a forked child did to it, the parent would feel.
    #[inline]
    pub(crate) fn check_process(&self) -> io::Result<()> {
        fork::check(self.generation)
    }

    #[inline]
    fn control(
        &self,
        operation: c_int,
        source: BorrowedFd<'_>,
        token: u64,
        events: u32,
    ) -> io::Result<()> {
        self.check_process()?;
        let event = epoll_event { events, u64: token };
        ffi::epoll_ctl(self.epoll.as_fd(), operation, source, event).map_err(clear)
    }
}

impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

#[inline]
fn to_epoll(interest: Interest, trigger: Trigger) -> io::Result<u32> {
    if interest.is_empty() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut events = match trigger {
        Trigger::Edge => libc::EPOLLET,
        Trigger::Level => 0,
        Trigger::OneShot => libc::EPOLLONESHOT,
    };
    if interest.contains(Interest::READABLE) {
        events |= libc::EPOLLIN | libc::EPOLLRDHUP;
    }
    if interest.contains(Interest::WRITABLE) {
        events |= libc::EPOLLOUT;
    }
    if interest.contains(Interest::PRIORITY) {
        events |= libc::EPOLLPRI;
    }
    Ok(events as u32)
}

/// Whether the cheaper call, which takes milliseconds, keeps the promise for this timeout.
#[inline]
fn milliseconds_do(timeout: Duration) -> bool {
    match timeout.as_secs() {
        0 => timeout.subsec_nanos() % 1_000_000 == 0,
        // Rounding up is lost in the kernel's own slack.
        seconds => seconds < SECONDS_MAX,
    }
}

/// Rounded up; at most 24 days, after which the wait ends early and without an event.
#[inline]
fn milliseconds(timeout: Duration) -> c_int {
    match timeout.as_secs() {
        0..SECONDS_MAX => {
            let rest = timeout.subsec_nanos().div_ceil(1_000_000);
            timeout.as_secs() as c_int * 1_000 + rest as c_int
        }
        _ => c_int::MAX,
    }
}

const SECONDS_MAX: u64 = c_int::MAX as u64 / 1_000;

/// A wait that fails has no events; if a signal interrupted it, that is all there is to it.
#[cold]
fn uninterrupted(events: &mut Events, error: io::Error) -> io::Result<()> {
    events.clear();
    if error.raw_os_error() == Some(libc::EINTR) { Ok(()) } else { Err(error) }
}

/// `EPERM` is epoll's word for a file that has no readiness.
#[cold]
fn clear(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(libc::EPERM) {
        io::ErrorKind::Unsupported.into()
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_never_rounded_down() {
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_nanos(1_000_000)), 1);
        assert_eq!(milliseconds(Duration::from_nanos(1_000_001)), 2);
        assert_eq!(milliseconds(Duration::MAX), c_int::MAX);
    }

    #[test]
    fn nanoseconds_are_for_timeouts_that_rounding_would_stretch() {
        assert!(milliseconds_do(Duration::from_millis(3)));
        assert!(!milliseconds_do(Duration::from_micros(2_500)));
        assert!(milliseconds_do(Duration::from_micros(1_000_500)));
        assert!(!milliseconds_do(Duration::from_secs(60 * 86_400)));
    }
}
