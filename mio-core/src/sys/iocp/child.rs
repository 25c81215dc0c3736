//! The exit of a child, by a wait on its handle.
//!
//! The wait is the system's thread pool's (`RegisterWaitForSingleObject`), which puts a packet into the port when
//! the process has ended. One thread of the pool, which the process has anyway, watches many handles. What else
//! there is: a job object posts its messages to a port, but promises the delivery of none, and takes the child's own
//! children with it; `NtAssociateWaitCompletionPacket` needs no thread, but is undocumented, and Wine 10.0 has none.

mod ffi;

use std::{
    io,
    os::windows::{
        io::{AsHandle, OwnedHandle},
        process::ExitStatusExt,
    },
    process::ExitStatus,
    sync::{Arc, Mutex, PoisonError},
};

use super::{port::Port, selector::Selector};

/// A child whose end the selector can report.
#[derive(Debug)]
pub(crate) struct ChildWatch {
    process: OwnedHandle,
    /// Ends before the process's handle and the port are closed.
    wait: Mutex<Option<(ffi::Wait, Arc<Port>)>>,
}

impl ChildWatch {
    /// There is always one. A handle, unlike a number, names that very process for ever.
    pub(crate) fn open(pid: u32) -> io::Result<Option<ChildWatch>> {
        if pid == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(Some(ChildWatch { process: ffi::open_process(pid)?, wait: Mutex::new(None) }))
    }

    /// How it ended, if it has ended.
    pub(crate) fn peek(&self) -> io::Result<Option<ExitStatus>> {
        Ok(ffi::exit_code(self.process.as_handle())?.map(ExitStatus::from_raw))
    }

    /// A wait for a process that has ended is over at once, so that no end is missed.
    pub(crate) fn register(&self, selector: &Selector, token: u64) -> io::Result<bool> {
        let port = selector.port();
        let wait = ffi::Wait::begin(self.process.as_handle(), port.as_handle(), token)?;
        *self.wait.lock().unwrap_or_else(PoisonError::into_inner) = Some((wait, port));
        Ok(true)
    }

    pub(crate) fn deregister(&self, _selector: &Selector) {
        self.wait.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
