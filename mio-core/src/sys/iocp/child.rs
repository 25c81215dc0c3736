//! The exit of a child, by a wait on its handle.
//!
//! The handle is tied to the port ([`wait`](super::wait)). Where that cannot be, the wait is the system's thread pool's
//! (`RegisterWaitForSingleObject`), which puts a packet into the port when the process has ended: one thread of the
//! pool, which the process has anyway, watches many handles. What else there is: a job object posts its messages to a port,
//! but promises the delivery of none, and takes the child's own children with it.

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

use super::{
    port::{Kind, Port},
    selector::Selector,
    wait::WaitPacket,
};

/// A child whose end the selector can report.
#[derive(Debug)]
pub(crate) struct ChildWatch {
    process: OwnedHandle,
    /// Ends before the process's handle and the port are closed.
    wait: Mutex<Option<(Wait, Arc<Port>)>>,
}

/// Ends when it is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "kept until then")]
enum Wait {
    Port(WaitPacket),
    Pool(ffi::Wait),
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

    /// A wait for a process that has ended is over at once, so that no end is missed. Where that is known, it is to be
    /// looked at now; that the packet comes too does no harm.
    pub(crate) fn register(&self, selector: &Selector, token: u64) -> io::Result<bool> {
        let port = selector.port();
        let (process, mut running) = (self.process.as_handle(), true);
        let tied = port.waits.ok_or(io::ErrorKind::Unsupported.into()).and_then(WaitPacket::new);
        let tied = tied.and_then(|packet| {
            running = !packet.tie(process, port.as_handle(), Kind::Child, token)?;
            Ok(packet)
        });
        let wait = match tied {
            Ok(packet) => Wait::Port(packet),
            Err(_) => Wait::Pool(ffi::Wait::begin(process, port.as_handle(), token)?),
        };
        *self.wait.lock().unwrap_or_else(PoisonError::into_inner) = Some((wait, port));
        Ok(running)
    }

    pub(crate) fn deregister(&self, _selector: &Selector) {
        self.wait.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
