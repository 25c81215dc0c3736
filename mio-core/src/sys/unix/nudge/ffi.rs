//! read(2) and write(2) on the eventfd or the pipe that ends a wait.
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

use libc::c_int;

use crate::sys::unix::ffi::check;

/// Writes eight bytes, which on an eventfd add one; may be called from a signal handler.
#[inline]
pub(in crate::sys) fn write_one(fd: BorrowedFd<'_>) -> io::Result<()> {
    let one = 1_u64;
    // SAFETY: `one` has the eight bytes that are read from it.
    let written = unsafe { libc::write(fd.as_raw_fd(), (&raw const one).cast(), 8) };
    check(written as c_int)?;
    Ok(())
}

/// Reads and forgets what waits, up to 512 bytes; may be called from a signal handler.
pub(in crate::sys) fn read_some(fd: BorrowedFd<'_>) -> io::Result<usize> {
    let mut sink = [0_u8; 512];
    // SAFETY: `sink` has the bytes that are written to it.
    let read = unsafe { libc::read(fd.as_raw_fd(), sink.as_mut_ptr().cast(), sink.len()) };
    Ok(check(read as c_int)? as usize)
}
