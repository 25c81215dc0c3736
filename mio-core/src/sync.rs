//! The only door to atomics and shared ownership: the standard library's, or loom's under `cfg(loom)`.
//!
//! Everything that threads share goes through here, so that the code which loom checks is the code that
//! runs. What loom cannot have, atomics in statics, is in [`global`].

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// Atomics of the standard library whatever the configuration: for statics, which loom's cannot be.
pub(crate) mod global {
    #[cfg(unix)]
    pub(crate) use std::sync::atomic::AtomicPtr;
    pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
    #[cfg(any(unix, windows))]
    pub(crate) use std::sync::atomic::{AtomicU32, AtomicUsize};
}

/// Stands between a `SeqCst` store and a later `SeqCst` load that must not pass it, and is free.
///
/// The language already promises that order. Loom takes `SeqCst` accesses for `AcqRel` ones (its README,
/// "Unsupported features") and would report an execution that cannot happen; a fence, which it does model,
/// gives the order back there.
#[inline(always)]
pub(crate) fn sequenced() {
    #[cfg(loom)]
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// Stores into a flag that others swap.
///
/// Loom keeps the order of the writes to one atomic only as far as it follows from what threads have seen.
/// Thus a plain store may end up between a swap and the value which that swap has read, which no
/// execution of the language allows. Between swaps its order is complete.
#[inline(always)]
pub(crate) fn store(flag: &AtomicBool, value: bool, order: Ordering) {
    #[cfg(not(loom))]
    flag.store(value, order);
    #[cfg(loom)]
    flag.swap(value, order);
}

/// The standard library's cell with loom's interface, which sees where an access begins and ends.
#[cfg(not(loom))]
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    /// Calls `read` with a pointer that nobody may write through meanwhile.
    #[inline(always)]
    pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    /// Calls `write` with a pointer that must be the only one in use meanwhile.
    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}
