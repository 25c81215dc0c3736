//! Edges where the kernel keeps them: there is nothing to arm, and nothing here that costs anything.

use std::{fmt, io, ops::Deref};

use crate::interest::Interest;

/// What a type of this crate wraps: a socket or a file of `std`, through which its calls go so that an edge
/// which is emulated is armed again. See the contract in [`sys`](crate::sys).
#[repr(transparent)]
pub(crate) struct Rearming<T>(T);

impl<T> Rearming<T> {
    /// Takes over what may have been registered before.
    #[inline(always)]
    pub(crate) fn new(inner: T) -> Rearming<T> {
        Rearming(inner)
    }

    /// Takes over what the kernel has just opened.
    #[inline(always)]
    pub(crate) fn born(inner: T) -> Rearming<T> {
        Rearming(inner)
    }

    #[inline(always)]
    pub(crate) fn into_inner(self) -> T {
        self.0
    }

    /// Calls `call`. If it answers `WouldBlock`, `interest` is armed.
    #[inline(always)]
    pub(crate) fn attempt<R>(
        &self,
        _interest: Interest,
        call: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        call(&self.0)
    }

    /// As [`attempt`](Rearming::attempt) with `buffer`, for `wanted` bytes of a stream, where some but not
    /// all of them mean as much.
    #[inline(always)]
    pub(crate) fn transfer<B>(
        &self,
        _interest: Interest,
        _wanted: usize,
        buffer: B,
        call: impl FnOnce(&T, B) -> io::Result<usize>,
    ) -> io::Result<usize> {
        call(&self.0, buffer)
    }
}

impl<T> Deref for Rearming<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Rearming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const _: () =
    assert!(size_of::<Rearming<std::net::TcpStream>>() == size_of::<std::net::TcpStream>());
