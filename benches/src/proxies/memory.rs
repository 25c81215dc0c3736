//! What a pair that does nothing costs: user memory that only the proxy has, and the kernel's.

use std::collections::BTreeMap;
use std::{fs, io, thread, time::Duration};

use super::load::{Load, Upstream};
use super::peers::{Peer, Programs};
use super::{IDLE_PAIRS, Plan, Workload};
use crate::os;

#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Private and written, with no pair.
    pub base_bytes: f64,
    /// The same for each of so many pairs.
    pub pair_bytes: f64,
    /// What the kernel's slabs hold for each pair, the sockets of its two peers included.
    pub kernel_bytes: f64,
}

pub type Memories = BTreeMap<Peer, Memory>;

pub fn take(plan: &Plan, programs: &Programs) -> Memories {
    let mut memories = Memories::new();
    if !plan.memory {
        return memories;
    }
    for &peer in plan.peers.iter().filter(|&&peer| Workload::Idle.is_for(peer)) {
        match measure(programs, peer) {
            Ok(memory) => {
                eprintln!("measured the memory of {}", peer.name());
                memories.insert(peer, memory);
            }
            Err(error) => eprintln!("FAILED: memory of {}: {error}", peer.name()),
        }
    }
    memories
}

fn measure(programs: &Programs, peer: Peer) -> io::Result<Memory> {
    // Others use the kernel's memory too: the middle one of three.
    let mut kernel = Vec::new();
    let mut user = None;
    for _ in 0..3 {
        let upstream = Upstream::new()?;
        // The pages of a program that was just built are private and dirty until they are on the disk.
        os::sync();
        let (process, address) = programs.start(peer, &[], |_| {}, upstream.address())?;
        settle();
        let no_memory = || io::Error::other("no smaps_rollup");
        let (base, slabs) = (process.private_bytes().ok_or_else(no_memory)?, slab_bytes());
        let mut load = Load::new(Workload::Idle, address, &upstream)?;
        load.run(1)?;
        settle();
        let (full, more_slabs) = (process.private_bytes().ok_or_else(no_memory)?, slab_bytes());
        user.get_or_insert((base as f64, (full as f64 - base as f64) / IDLE_PAIRS as f64));
        kernel.push((more_slabs - slabs) / IDLE_PAIRS as f64);
        drop(load);
        process.finish();
    }
    kernel.sort_by(f64::total_cmp);
    let (base_bytes, pair_bytes) = user.expect("measured");
    Ok(Memory { base_bytes, pair_bytes, kernel_bytes: kernel[1] })
}

fn settle() {
    thread::sleep(Duration::from_millis(300));
}

/// The slabs that sockets, pipes and what watches them come from.
fn slab_bytes() -> f64 {
    const SLABS: [&str; 7] =
        ["TCP", "sock_inode_cache", "filp", "eventpoll", "ep_head", "skbuff", "kmalloc-cg"];
    let text = fs::read_to_string("/proc/slabinfo").unwrap_or_default();
    let bytes = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let active: f64 = words.next()?.parse().ok()?;
        let size: f64 = words.nth(1)?.parse().ok()?;
        SLABS.iter().any(|start| name.starts_with(start)).then_some(active * size)
    };
    text.lines().filter_map(bytes).sum()
}
