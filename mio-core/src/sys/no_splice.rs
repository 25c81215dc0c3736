//! Where the kernel moves no bytes between sockets by itself.

use std::{convert::Infallible, io};

use crate::interest::Interest;

/// Nothing tells of urgent bytes.
pub(crate) const URGENT: Interest = Interest::empty();

/// Whether the length of a segment can be asked for.
#[cfg(test)]
pub(crate) const KNOWS_SEGMENTS: bool = false;

/// Nobody asks for the length of a segment.
pub(crate) fn segment<S>(_socket: &S) -> usize {
    1
}

/// There is none.
#[derive(Debug)]
pub(crate) struct Pipe(Infallible);

impl Pipe {
    /// `Unsupported`.
    pub(crate) fn open(_bytes: usize) -> io::Result<Pipe> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn fill<S>(&self, _source: &S, _max: usize) -> io::Result<usize> {
        match self.0 {}
    }

    pub(crate) fn drain<S>(&self, _sink: &S, _max: usize) -> io::Result<usize> {
        match self.0 {}
    }
}
