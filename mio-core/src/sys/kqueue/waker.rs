//! Ending a wait from another thread or from a signal handler.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use super::{
    ffi,
    registry::kevent::Kevent,
    selector::{Selector, Shared},
};
use crate::{
    interest::{Interest, Trigger},
    sys::unix::pipe,
};

#[derive(Debug)]
pub(crate) struct Waker {
    selector: Arc<Shared>,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// The change that triggers a filter of this waker's own.
    Filter(Kevent),
    /// The ends of a pipe, of which the reading one is registered.
    Pipe(OwnedFd, OwnedFd),
}

impl Waker {
    pub(crate) fn new(selector: &Selector, token: u64) -> io::Result<Waker> {
        selector.check_process()?;
        let shared = selector.shared().clone();
        let filter = shared.registry().add_waker(&shared.queue, token)?;
        let way = match filter {
            Some(wake) => Way::Filter(wake),
            None => {
                let (reader, writer) = pipe::open()?;
                selector.register(reader.as_fd(), token, Interest::READABLE, Trigger::Edge)?;
                Way::Pipe(reader, writer)
            }
        };
        Ok(Waker { selector: shared, way })
    }

    /// May be called from a signal handler: kevent(2) is a bare system call on all of these systems.
    #[inline]
    pub(crate) fn wake(&self) -> io::Result<()> {
        self.selector.queue.check_process()?;
        match &self.way {
            Way::Filter(wake) => ffi::change(self.selector.queue.as_fd(), wake),
            Way::Pipe(reader, writer) => wake_by_pipe(reader, writer),
        }
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        // A forked child has no kqueue, and may have the lock of a thread that is not there.
        if self.selector.queue.check_process().is_err() {
            return;
        }
        if let Way::Filter(wake) = &self.way {
            self.selector.registry().remove_waker(&self.selector.queue, wake);
        }
    }
}

/// Nobody reads the pipe but who finds it full. Each write is an edge, whatever is in it.
#[cold]
fn wake_by_pipe(reader: &OwnedFd, writer: &OwnedFd) -> io::Result<()> {
    match ffi::write_byte(writer.as_fd()) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            while ffi::read_some(reader.as_fd()).is_ok() {}
            ffi::write_byte(writer.as_fd())
        }
        outcome => outcome,
    }
}
