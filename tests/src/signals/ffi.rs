//! Signals to oneself.
#![allow(unsafe_code)]

use std::{io, process};

/// Sends this thread a signal, which has been handled when this returns, unless it is blocked.
///
/// # Panics
/// If there is no such signal.
pub fn raise(signal: i32) {
    // SAFETY: takes only an integer.
    check(unsafe { libc::raise(signal) }).expect("a signal");
}

/// Sends this process a signal, which any of its threads may handle, at any time.
///
/// # Panics
/// If there is no such signal.
pub fn signal_process(signal: i32) {
    // SAFETY: takes only integers.
    check(unsafe { libc::kill(process::id() as libc::pid_t, signal) }).expect("a signal");
}

fn check(result: i32) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
