//! There is no descriptor for a child: SIGCHLD tells of its end.

use std::{io, process::ExitStatus};

use super::selector::Selector;
use crate::sys::child;

/// There is none.
#[derive(Debug)]
pub(crate) enum ChildWatch {}

impl ChildWatch {
    /// An error where there are no processes.
    pub(crate) fn open(pid: u32) -> io::Result<Option<ChildWatch>> {
        child::check(pid)?;
        Ok(None)
    }

    pub(crate) fn peek(&self) -> io::Result<Option<ExitStatus>> {
        match *self {}
    }

    pub(crate) fn register(&self, _selector: &Selector, _token: u64) -> io::Result<bool> {
        match *self {}
    }

    pub(crate) fn deregister(&self, _selector: &Selector) {
        match *self {}
    }
}
