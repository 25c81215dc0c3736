//! The buffers of a proxy: one that all share, and some for what a sink does not take.

use std::{mem, ops::Range};

/// A scratch buffer and spare ones, all taken at the start.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) scratch: Box<[u8]>,
    spare: Vec<Box<[u8]>>,
    capacity: usize,
    /// The fewest that were ever left.
    spare_min: usize,
}

/// Bytes that were read and not yet written.
#[derive(Debug)]
pub(super) struct Held {
    buffer: Box<[u8]>,
    start: u32,
    end: u32,
}

impl Pool {
    pub(super) fn new(capacity: usize, buffer_bytes: usize) -> Pool {
        let buffer = || vec![0; buffer_bytes.clamp(1, u32::MAX as usize)].into_boxed_slice();
        let spare = (0..capacity).map(|_| buffer()).collect();
        Pool { scratch: buffer(), spare, capacity, spare_min: capacity }
    }

    /// Whether [`hold`](Pool::hold) will succeed: to be asked before anything is taken from a
    /// source.
    pub(super) fn can_hold(&self) -> bool {
        !self.spare.is_empty()
    }

    /// Keeps a part of the scratch buffer. Nothing is copied: the buffer itself is kept, and a
    /// spare one takes its place.
    ///
    /// # Panics
    ///
    /// If none is left.
    pub(super) fn hold(&mut self, part: Range<usize>) -> Held {
        let spare = self.spare.pop().expect("asked for before the read");
        self.spare_min = self.spare_min.min(self.spare.len());
        let buffer = mem::replace(&mut self.scratch, spare);
        Held { buffer, start: part.start as u32, end: part.end as u32 }
    }

    /// Takes buffers back, the last one to be used first, while the processor's cache still has it.
    pub(super) fn put_back(&mut self, held: impl IntoIterator<Item = Held>) {
        self.spare.extend(held.into_iter().map(|held| held.buffer));
    }

    /// The most buffers that were ever held at a time.
    pub(super) fn held_max(&self) -> usize {
        self.capacity - self.spare_min
    }
}

impl Held {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start as usize..self.end as usize]
    }

    pub(super) fn consume(&mut self, n: usize) {
        self.start += n as u32;
    }
}
