//! Ending a wait from another thread or from a signal handler.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use super::{ffi, nudge, selector::Selector};
use crate::{
    interest::{Interest, Trigger},
    sys::{
        REFUSING,
        unix::{self, fork, pipe},
    },
};

#[derive(Debug)]
pub(crate) struct Waker {
    /// The eventfd, or the pipe's writing end.
    writer: OwnedFd,
    /// The pipe's reading end, where there is no eventfd.
    reader: Option<OwnedFd>,
    /// The process that it belongs to: a forked child has another generation.
    generation: usize,
}

impl Waker {
    pub(crate) fn new(selector: &Selector, token: u64) -> io::Result<Waker> {
        let eventfd = if REFUSING { Ok(None) } else { ffi::eventfd().map(Some) };
        let (writer, reader) = match eventfd {
            Ok(Some(writer)) => (writer, None),
            Err(error) if !unix::refused(&error) => return Err(error),
            _ => {
                let (reader, writer) = pipe::open()?;
                (writer, Some(reader))
            }
        };
        let listened = reader.as_ref().unwrap_or(&writer);
        selector.register(listened.as_fd(), token, Interest::READABLE, Trigger::Edge)?;
        Ok(Waker { writer, reader, generation: fork::watch()? })
    }

    /// May be called from a signal handler. `Unsupported` in a forked child, which would wake its parent.
    #[inline]
    pub(crate) fn wake(&self) -> io::Result<()> {
        fork::check(self.generation)?;
        if let Some(reader) = &self.reader {
            // An edge is sure only when something comes into an empty pipe. If two threads wake at
            // once, the second one's emptying comes before the first one's write or takes its byte
            // away: either way a write that follows both reports to the loop.
            while nudge::read_some(reader.as_fd()).is_ok_and(|read| read == 512) {}
        }
        match nudge::write_one(self.writer.as_fd()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.refill(),
            result => result,
        }
    }

    /// The counter is full after 2⁶⁴ − 2 wakes, or the pipe because other threads filled it: empty it,
    /// and write again.
    #[cold]
    fn refill(&self) -> io::Result<()> {
        let listened = self.reader.as_ref().unwrap_or(&self.writer);
        while nudge::read_some(listened.as_fd()).is_ok() {}
        nudge::write_one(self.writer.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Write, time::Duration};

    use super::{super::Events, *};

    #[test]
    fn a_waker_that_is_full_wakes_all_the_same() {
        let selector = Selector::with_capacity(1).unwrap();
        let waker = Waker::new(&selector, 7).unwrap();
        let mut events = Events::with_capacity(4, 0).unwrap();
        let mut look = || {
            selector.select(&mut events, Some(Duration::ZERO)).unwrap();
            events.get(0).map(|event| event.token)
        };
        let mut writer = File::from(waker.writer.try_clone().unwrap());
        while writer.write(&(u64::MAX - 1).to_ne_bytes()).is_ok() {}
        assert_eq!((look(), look()), (Some(7), None));
        waker.wake().unwrap();
        assert_eq!((look(), look()), (Some(7), None));
    }
}
