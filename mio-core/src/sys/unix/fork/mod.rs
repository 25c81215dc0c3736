//! Noticing that this process is a forked child.
//!
//! A child made by fork(2) shares the open files of its parent, the epoll instance and the eventfd
//! among them: a loop that it used would take its parent's events and wake its parent. The C library
//! runs a hook in every such child, which counts the generation up; comparing two numbers then tells a
//! loop that it is in the wrong process. Children made by a bare clone(2), or by vfork(2) and
//! posix_spawn(3), run no hooks, but all they may do is to execute another program.

mod ffi;

use std::{io, sync::OnceLock};

use crate::sync::global::{AtomicUsize, Ordering};

static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// Sees to it that every later fork changes the generation, and returns the present one.
///
/// The first call in a process allocates; it fails with `ENOMEM` if it cannot, and then always.
pub(crate) fn watch() -> io::Result<usize> {
    static HOOK: OnceLock<Result<(), i32>> = OnceLock::new();
    HOOK.get_or_init(|| ffi::at_child(count_up)).map_err(io::Error::from_raw_os_error)?;
    Ok(generation())
}

/// How many forks lie between the process that first called [`watch`] and this one.
#[inline]
pub(crate) fn generation() -> usize {
    GENERATION.load(Ordering::Relaxed)
}

/// `Unsupported` in a forked child of the process in which [`watch`] told this generation.
#[inline]
pub(crate) fn check(generation: usize) -> io::Result<()> {
    if self::generation() == generation { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
}

/// Has `hook` run in every forked child, after those that were given before; it must be
/// async-signal-safe. An error is an `errno`.
pub(super) fn at_child(hook: extern "C" fn()) -> Result<(), i32> {
    ffi::at_child(hook)
}

extern "C" fn count_up() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
