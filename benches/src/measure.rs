//! What one run of a workload cost, taken around the part that counts and nothing of its set-up.

use std::time::{Duration, Instant};

use crate::{alloc, os};

/// The cost of one measured region.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub wall: Duration,
    /// Time on a processor of the measuring thread alone.
    pub cpu: Duration,
    pub allocations: u64,
    /// Calls of `read` and its like by the measuring thread, as the kernel counts them; `recv` is not
    /// among them.
    pub reads: u64,
    /// Calls of `write` and its like by the whole process.
    pub writes: u64,
}

/// Runs `work` and returns what it cost.
pub fn measure(work: impl FnOnce()) -> Cost {
    let (earlier, io) = (os::io(), os::io());
    let allocations = alloc::calls();
    let cpu = os::thread_cpu();
    let start = Instant::now();
    work();
    let wall = start.elapsed();
    let cpu = os::thread_cpu() - cpu;
    let allocations = alloc::calls() - allocations;
    let after = os::io();
    // The account was itself read once before the work, as it was between the first two looks.
    let reads = (after.reads - io.reads).saturating_sub(io.reads - earlier.reads);
    Cost { wall, cpu, allocations, reads, writes: after.writes - io.writes }
}
