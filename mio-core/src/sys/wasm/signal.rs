//! There are no signals.

use std::io;

pub(crate) use super::names;
pub(crate) use crate::sys::bell::{Bell, Occurrence, SIGNALS};

/// It catches nothing.
#[derive(Debug)]
pub(crate) struct Catcher;

#[expect(clippy::unused_self, reason = "the platforms' contract")]
impl Catcher {
    pub(crate) fn new(_capacity: usize, _bell: impl Bell) -> io::Result<Catcher> {
        Ok(Catcher)
    }

    pub(crate) fn owned(&self) -> u64 {
        0
    }

    pub(crate) fn capacity(&self) -> usize {
        0
    }

    pub(crate) fn claim(&mut self, signals: u64) -> io::Result<()> {
        if signals == 0 { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
    }

    pub(crate) fn release(&mut self, _signals: u64) {}

    #[inline]
    pub(crate) fn pending(&self) -> bool {
        false
    }

    pub(crate) fn pop(&mut self) -> Option<Occurrence> {
        None
    }
}
