//! Edges where the kernel has none: the calls of this crate's types arm them again.
#![allow(unsafe_code)]

pub(in crate::sys) mod slots;

use std::{fmt, io, mem::ManuallyDrop, ops::Deref, ptr};

use super::descriptor::{AsDescriptor, number};
use crate::interest::Interest;

/// What a type of this crate wraps: a socket or a file of `std`, through which its calls go so that an edge
/// which is emulated is armed again. It is found by its number in the table of [`slots`], so that it is no larger
/// than what is in it. When it is dropped, every selector forgets it, as epoll does.
#[repr(transparent)]
pub(crate) struct Rearming<T: AsDescriptor> {
    inner: T,
}

impl<T: AsDescriptor> Rearming<T> {
    /// Takes over what may have been registered before.
    #[inline]
    pub(crate) fn new(inner: T) -> Rearming<T> {
        Rearming { inner }
    }

    /// Takes over what the kernel has just opened: what was registered under this number is gone.
    #[inline]
    pub(crate) fn born(inner: T) -> Rearming<T> {
        slots::forget(number(&inner));
        Rearming { inner }
    }

    /// It stays registered.
    pub(crate) fn into_inner(self) -> T {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped, so that what is read here has one owner.
        unsafe { ptr::read(&raw const this.inner) }
    }

    /// Calls `call`. If it answers `WouldBlock`, `interest` is armed.
    #[inline]
    pub(crate) fn attempt<R>(
        &self,
        interest: Interest,
        call: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let outcome = call(&self.inner);
        if outcome.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            slots::arm(number(&self.inner), interest);
        }
        outcome
    }

    /// As [`attempt`](Rearming::attempt) with `buffer`, for `wanted` bytes of a stream, where some but not all of
    /// them mean as much: a caller takes them for a sign that the stream is drained, or full. None at all are its end.
    #[inline]
    pub(crate) fn transfer<B>(
        &self,
        interest: Interest,
        wanted: usize,
        buffer: B,
        call: impl FnOnce(&T, B) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let outcome = self.attempt(interest, |inner| call(inner, buffer));
        if outcome.as_ref().is_ok_and(|&moved| 0 < moved && moved < wanted) {
            slots::arm(number(&self.inner), interest);
        }
        outcome
    }
}

impl<T: AsDescriptor> Drop for Rearming<T> {
    fn drop(&mut self) {
        slots::forget(number(&self.inner));
    }
}

impl<T: AsDescriptor> Deref for Rearming<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: AsDescriptor + fmt::Debug> fmt::Debug for Rearming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
