//! A global allocator that counts.
//!
//! The counter is bumped with a plain load and store, one `inc` and no locked instruction, so that
//! peers which allocate do not pay for being watched. What is counted runs on one thread; a count
//! taken while several threads allocate is a lower bound and is not published.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static CALLS: AtomicU64 = AtomicU64::new(0);

struct Counting;

#[inline]
fn bump() {
    CALLS.store(CALLS.load(Relaxed).wrapping_add(1), Relaxed);
}

// SAFETY: every call is passed on, unchanged, to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        bump();
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        bump();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        bump();
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations and reallocations since the process began.
pub fn calls() -> u64 {
    CALLS.load(Relaxed)
}
