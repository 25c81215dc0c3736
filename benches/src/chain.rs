//! The many-pipes chain, after the benchmark that libevent made classic: a byte hops from pipe to
//! pipe. Whoever finds a pipe readable reads its byte and, while hops are left, writes one to the
//! next pipe.
//!
//! One thing differs from the classic: the next pipe is `active` pipes further on, not one. So each
//! travelling byte keeps to its own residue class, no pipe ever holds two bytes, and one written
//! byte is one event under level and edge alike, whatever order a loop serves its events in. With as
//! many active as there are pipes, each feeds itself.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use crate::os;

pub struct Chain {
    readers: Vec<RawFd>,
    writers: Vec<RawFd>,
    active: usize,
    /// Bytes still to be written, and to be read until the run is over.
    to_write: u64,
    to_read: u64,
    _owned: Vec<(OwnedFd, OwnedFd)>,
}

impl Chain {
    /// A chain over `pipes` pipes with `active` bytes under way at a time and `hops` in all.
    pub fn new(pipes: usize, active: usize, hops: u64) -> Self {
        assert!(pipes % active == 0 && hops >= active as u64);
        let owned: Vec<_> = (0..pipes).map(|_| os::pipe()).collect();
        Self {
            readers: owned.iter().map(|(reader, _)| reader.as_raw_fd()).collect(),
            writers: owned.iter().map(|(_, writer)| writer.as_raw_fd()).collect(),
            active,
            to_write: hops,
            to_read: hops,
            _owned: owned,
        }
    }

    /// The ends to watch; a pipe's token is its index.
    pub fn readers(&self) -> &[RawFd] {
        &self.readers
    }

    /// Writes the first bytes.
    pub fn start(&mut self) {
        for pipe in 0..self.active {
            self.to_write -= 1;
            write_byte(self.writers[pipe]);
        }
    }

    /// Serves one readable pipe. True when it was the last hop.
    #[inline(always)]
    pub fn readable(&mut self, pipe: usize) -> bool {
        if !read_byte(self.readers[pipe]) {
            return false;
        }
        if self.to_write > 0 {
            self.to_write -= 1;
            let mut next = pipe + self.active;
            if next >= self.writers.len() {
                next -= self.writers.len();
            }
            write_byte(self.writers[next]);
        }
        self.to_read -= 1;
        self.to_read == 0
    }
}

#[inline(always)]
fn write_byte(fd: RawFd) {
    let byte = 1u8;
    // SAFETY: the byte lives across the call, which reads one.
    if unsafe { libc::write(fd, (&raw const byte).cast(), 1) } != 1 {
        failed("write");
    }
}

/// False when there was nothing.
#[inline(always)]
fn read_byte(fd: RawFd) -> bool {
    let mut byte = 0u8;
    // SAFETY: the call writes at most one byte into `byte`.
    if unsafe { libc::read(fd, (&raw mut byte).cast(), 1) } == 1 {
        return true;
    }
    nothing_read();
    false
}

#[cold]
fn nothing_read() {
    let error = io::Error::last_os_error();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "read: {error}");
}

#[cold]
fn failed(call: &str) -> ! {
    panic!("{call}: {}", io::Error::last_os_error())
}
