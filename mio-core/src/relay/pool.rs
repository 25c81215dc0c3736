//! What all flows of a loop share.

use std::{collections::VecDeque, fmt, mem};

use super::pipe::{KernelPipe, Pipe, Pipes};
use crate::Full;

/// The first buffer begins at one of these, and each other at one of those: kernels copy by one instruction, which some
/// processors do more slowly into what lies 16 bytes off a line. `malloc` puts there what is large.
const PAGE: usize = 4096;
const CACHE_LINE: usize = 64;

/// The bounds of a [`Pool`], each with a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Remainders held at a time, of those that a sink did not take. Default 128: 64 MiB, if all are ever
    /// full at a time.
    pub buffers: usize,
    /// The length of the scratch buffer and of each remainder's, from 1 to 1 GiB. Default 512 KiB: what copying
    /// costs beside the copies is paid for each read, and the scratch buffer is there once for all flows.
    pub buffer_bytes: usize,
    /// After how many bytes a flow yields to the others; it may carry a buffer or a pipe more. Default 256 KiB.
    pub burst_bytes: u64,
    /// How many may wait in the [queue](Pool::queue) at a time. Default 0, which is enough where no
    /// [`Filter`](crate::relay::Filter) is at work; twice the number of pairs is enough everywhere.
    pub waiting: usize,
    /// Pipes at a time, of two descriptors each, opened as they are needed. Default 64; 0 is no splicing.
    pub pipes: usize,
    /// The length of a pipe, and the most that is moved into it at a time, in bytes, up to 1 GiB. Default 512 KiB. The
    /// system may give less: Linux 1 MiB at most to the unprivileged (`fs.pipe-max-size`).
    pub pipe_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            buffers: 128,
            buffer_bytes: 512 * 1024,
            burst_bytes: 256 * 1024,
            waiting: 0,
            pipes: 64,
            pipe_bytes: 512 * 1024,
        }
    }
}

/// A scratch buffer, spare ones for what a sink does not take, and pipes for what nobody looks at.
///
/// One for each loop. A flow belongs to the pool that it was first advanced with: with another one it would
/// send bytes that are not its own, or panic.
pub struct Pool<P = KernelPipe> {
    /// One piece, so that what was never used was never touched.
    memory: Box<[u8]>,
    /// Where the first buffer begins: at a page.
    first: usize,
    /// From the beginning of a buffer to that of the next one.
    stride: usize,
    buffer_bytes: usize,
    pub(super) burst_bytes: u64,
    /// The number of the buffer that is read into, and where that begins.
    scratch: u32,
    scratch_start: usize,
    /// The last one to be used first, while the processor's cache still has it.
    spare: Vec<u32>,
    buffers: usize,
    /// The fewest that were ever left.
    spare_min: usize,
    waiting: VecDeque<u64>,
    waiting_max: usize,
    pub(super) pipes: Pipes<P>,
}

/// Without the bytes, which may be secret.
impl<P> fmt::Debug for Pool<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("buffers", &self.buffers)
            .field("spare", &self.spare.len())
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// Takes the memory that the bounds ask for. The system gives pages as they are used.
    ///
    /// # Panics
    ///
    /// If it would be more than an address can say. If the system refuses the memory, the process is aborted, as by the
    /// collections of `std`.
    #[must_use]
    pub fn new(bounds: Bounds) -> Pool {
        Pool::with_pipes(bounds)
    }
}

impl<P: Pipe> Pool<P> {
    /// Like [`new`](Pool::new), with pipes of any kind.
    ///
    /// # Panics
    ///
    /// As `new`.
    #[must_use]
    pub fn with_pipes(bounds: Bounds) -> Pool<P> {
        let Bounds { buffers, buffer_bytes, burst_bytes, waiting, pipes, pipe_bytes } = bounds;
        let buffer_bytes = buffer_bytes.clamp(1, 1 << 30);
        let buffers = buffers.min(u32::MAX as usize - 1);
        let stride = buffer_bytes.next_multiple_of(CACHE_LINE);
        let bytes = (buffers + 1).checked_mul(stride).and_then(|bytes| bytes.checked_add(PAGE));
        let memory = vec![0; bytes.expect("the memory can be addressed")].into_boxed_slice();
        // An interpreter may not know.
        let first = memory.as_ptr().align_offset(PAGE).min(PAGE);
        Pool {
            memory,
            first,
            stride,
            buffer_bytes,
            burst_bytes: burst_bytes.max(1),
            scratch: 0,
            scratch_start: first,
            spare: (1..=buffers as u32).rev().collect(),
            buffers,
            spare_min: buffers,
            waiting: VecDeque::with_capacity(waiting),
            waiting_max: waiting,
            pipes: Pipes::new(pipes, pipe_bytes.clamp(1, 1 << 30)),
        }
    }

    /// Buffers that hold a remainder.
    #[must_use]
    pub fn held(&self) -> usize {
        self.buffers - self.spare.len()
    }

    /// The most that ever did at a time.
    #[must_use]
    pub fn held_max(&self) -> usize {
        self.buffers - self.spare_min
    }

    /// Pipes that are open.
    #[must_use]
    pub fn pipes(&self) -> usize {
        self.pipes.open()
    }

    /// Closes the pipes that hold nothing. They are opened again as they are needed: worth doing now and then, lest
    /// the descriptors of a burst of bulk are kept for ever.
    pub fn close_idle_pipes(&mut self) {
        self.pipes.close_idle();
    }

    /// Lines up a flow that [starves](crate::relay::Progress::Starves), by whatever finds it again: its pair's
    /// token, say.
    ///
    /// # Errors
    ///
    /// [`Full`] after [`Bounds::waiting`] of them.
    pub fn queue(&mut self, token: u64) -> Result<(), Full> {
        if self.waiting.len() == self.waiting_max {
            return Err(Full);
        }
        self.waiting.push_back(token);
        Ok(())
    }

    /// Takes out of the queue who will not want a buffer any more. It costs time by how many wait.
    pub fn leave_queue(&mut self, token: u64) {
        self.waiting.retain(|&waiting| waiting != token);
    }

    /// Whoever has waited longest, if there is a buffer for it; to be advanced now, or in the next turn.
    ///
    /// To be asked after flows were advanced or closed, until the answer is `None`. Whose flow is closed while it waits
    /// had better [leave](Pool::leave_queue): its place would not be free for others. Asking is two comparisons.
    #[inline]
    pub fn next_in_queue(&mut self) -> Option<u64> {
        if self.waiting.is_empty() || !self.can_hold() {
            return None;
        }
        self.waiting.pop_front()
    }

    /// Whether [`hold`](Pool::hold) will succeed: to be asked before anything is taken from a source.
    #[inline]
    pub(super) fn can_hold(&self) -> bool {
        !self.spare.is_empty()
    }

    pub(super) fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }

    #[inline]
    pub(super) fn scratch(&mut self) -> &mut [u8] {
        let start = self.scratch_start;
        &mut self.memory[start..start + self.buffer_bytes]
    }

    /// Keeps what is in the scratch buffer, under the number that it answers. Nothing is copied: the buffer
    /// itself is kept, and a spare one takes its place.
    ///
    /// # Panics
    ///
    /// If none is left.
    pub(super) fn hold(&mut self) -> u32 {
        let spare = self.spare.pop().expect("asked for before the read");
        self.spare_min = self.spare_min.min(self.spare.len());
        self.scratch_start = self.place(spare);
        mem::replace(&mut self.scratch, spare)
    }

    pub(super) fn buffer(&self, number: u32) -> &[u8] {
        let start = self.place(number);
        &self.memory[start..start + self.buffer_bytes]
    }

    #[inline]
    fn place(&self, number: u32) -> usize {
        self.first + number as usize * self.stride
    }

    pub(super) fn put_back(&mut self, number: u32) {
        self.spare.push(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_printed_without_bytes() {
        let mut pool: Pool = Pool::new(Bounds { buffers: 2, ..Bounds::default() });
        pool.scratch().fill(77);
        assert_eq!(format!("{pool:?}"), "Pool { buffers: 2, spare: 2, .. }");
    }

    #[test]
    fn buffers_of_any_length_begin_where_kernels_copy_fast() {
        for buffer_bytes in [1, 100, 4096, 64 * 1024, 512 * 1024] {
            let bounds = Bounds { buffers: 2, buffer_bytes, ..Bounds::default() };
            let mut pool: Pool = Pool::new(bounds);
            assert_eq!(pool.scratch().as_ptr().addr() % PAGE, 0);
            for number in 0..=2 {
                let buffer = pool.buffer(number);
                assert_eq!((buffer.as_ptr().addr() % CACHE_LINE, buffer.len()), (0, buffer_bytes));
            }
        }
    }
}
