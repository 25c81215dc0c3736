//! The exit of a child as a descriptor: a kqueue with nothing in it but `EVFILT_PROC` for the one process.
//!
//! It is readable once the process has exited, whoever waits for it, as a pidfd of Linux is, and is
//! registered like any source. That the process is ours, and how it ended, is waitid(2)'s to say.
//!
//! - A process that has exited before it is watched may be no process to kevent(2) any more: `ESRCH`.
//! - `NOTE_EXIT` comes before the process can be waited for, a moment before on Darwin and OpenBSD
//!   (libuv/libuv#3441, #3521). So once it has come, an exit is waited for, as long as a process may take to die.

use std::{io, os::fd::AsFd, process::ExitStatus, thread, time::Duration};

use super::{ffi, queue::Queue, registry::system::System, selector::Selector};
use crate::{
    interest::{Interest, Trigger},
    sync::global::{AtomicBool, Ordering},
    sys::unix::child,
};

/// A child whose end the selector can report.
#[derive(Debug)]
pub(crate) struct ChildWatch {
    pid: u32,
    queue: Queue,
    /// Set when the kernel has said so: it does so once.
    exited: AtomicBool,
}

impl ChildWatch {
    pub(crate) fn open(pid: u32) -> io::Result<Option<ChildWatch>> {
        child::check(pid)?;
        let queue = Queue::new(&System::of(std::env::consts::OS))?;
        let exited = match ffi::watch_process(queue.as_fd(), pid) {
            Ok(()) => false,
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => true,
            // There is such a process, but it is not ours to watch.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES)) => {
                return Err(io::Error::from_raw_os_error(libc::ECHILD));
            }
            Err(error) => return Err(error),
        };
        // Any process can be watched; this says whether it is a child.
        child::peek(pid)?;
        Ok(Some(ChildWatch { pid, queue, exited: AtomicBool::new(exited) }))
    }

    /// As [`child::peek`], and sure to know once the kernel has said that the process exits.
    pub(crate) fn peek(&self) -> io::Result<Option<ExitStatus>> {
        if !self.exited.load(Ordering::Relaxed) && ffi::has_event(self.queue.as_fd())? {
            self.exited.store(true, Ordering::Relaxed);
        }
        match child::peek(self.pid)? {
            None if self.exited.load(Ordering::Relaxed) => self.await_death(),
            status => Ok(status),
        }
    }

    pub(crate) fn register(&self, selector: &Selector, token: u64) -> io::Result<bool> {
        selector.register(self.queue.as_fd(), token, Interest::READABLE, Trigger::Edge)?;
        Ok(!self.exited.load(Ordering::Relaxed))
    }

    pub(crate) fn deregister(&self, selector: &Selector) {
        let _ = selector.deregister(self.queue.as_fd());
    }

    /// What holds it up for longer is a tracer. The owner's `wait` will tell then; here it counts as reaped.
    #[cold]
    fn await_death(&self) -> io::Result<Option<ExitStatus>> {
        const PAUSE: Duration = Duration::from_micros(100);
        const PAUSES_MAX: u32 = 1000;
        for _ in 0..PAUSES_MAX {
            if let Some(status) = child::peek(self.pid)? {
                return Ok(Some(status));
            }
            thread::sleep(PAUSE);
        }
        Err(io::Error::from_raw_os_error(libc::ECHILD))
    }
}
