//! The only door to atomics and shared ownership: the standard library's, or loom's under `cfg(loom)`.

#[cfg(not(loom))]
pub(crate) use std::{
    cell::UnsafeCell as StdUnsafeCell,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering, fence},
    },
};

#[cfg(loom)]
pub(crate) use loom::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering, fence},
};

/// Atomics of the standard library whatever the configuration: for statics, which loom's cannot be.
pub(crate) mod global {
    pub(crate) use std::sync::atomic::{
        AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering,
    };
}
