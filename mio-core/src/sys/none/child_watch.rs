//! There are no processes to watch.

use std::{convert::Infallible, io, process::ExitStatus};

use super::selector::Selector;

/// There is none.
#[derive(Debug)]
pub(crate) struct ChildWatch(Infallible);

impl ChildWatch {
    pub(crate) fn open(_pid: u32) -> io::Result<Option<ChildWatch>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn peek(&self) -> io::Result<Option<ExitStatus>> {
        match self.0 {}
    }

    pub(crate) fn register(&self, _selector: &Selector, _token: u64) -> io::Result<bool> {
        match self.0 {}
    }

    pub(crate) fn deregister(&self, _selector: &Selector) {
        match self.0 {}
    }
}
