//! A global allocator that counts, per thread and for the whole process.
//!
//! A binary installs it with `#[global_allocator] static ALLOCATOR: Counting = Counting;`, and
//! [`here`], [`everywhere`] and [`forbidden`] refuse to count in one that has not.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
    ops::{AddAssign, Sub},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// The system's allocator, counted.
#[derive(Debug)]
pub struct Counting;

/// How often the allocator was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of `alloc` and `alloc_zeroed`.
    pub allocations: u64,
    /// Calls of `realloc`.
    pub reallocations: u64,
    /// Calls of `dealloc`.
    pub deallocations: u64,
}

/// What `body` returns, and what the current thread asked of the allocator meanwhile.
///
/// # Panics
/// If this binary's allocator is not [`Counting`].
pub fn here<R>(body: impl FnOnce() -> R) -> (R, Counts) {
    counted(body, || HERE.get())
}

/// What `body` returns, and what all threads of the process asked of the allocator meanwhile.
///
/// # Panics
/// If this binary's allocator is not [`Counting`].
pub fn everywhere<R>(body: impl FnOnce() -> R) -> (R, Counts) {
    counted(body, || Counts {
        allocations: ALLOCATIONS.load(Relaxed),
        reallocations: REALLOCATIONS.load(Relaxed),
        deallocations: DEALLOCATIONS.load(Relaxed),
    })
}

/// Runs `body`, in which the current thread may not touch the allocator, not even to free.
///
/// # Panics
/// If it does, with `what` and the counts; and if this binary's allocator is not [`Counting`].
pub fn forbidden<R>(what: &str, body: impl FnOnce() -> R) -> R {
    let (result, counts) = here(body);
    assert_eq!(counts, Counts::default(), "{what} touched the allocator");
    result
}

fn counted<R>(body: impl FnOnce() -> R, counts: impl Fn() -> Counts) -> (R, Counts) {
    let before = counts();
    drop(black_box(Box::new(0_u8)));
    assert_ne!(counts(), before, "this binary's #[global_allocator] is not tests::alloc::Counting");
    let before = counts();
    let result = body();
    (result, counts() - before)
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.allocations += other.allocations;
        self.reallocations += other.reallocations;
        self.deallocations += other.deallocations;
    }
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, other: Counts) -> Counts {
        Counts {
            allocations: self.allocations - other.allocations,
            reallocations: self.reallocations - other.reallocations,
            deallocations: self.deallocations - other.deallocations,
        }
    }
}

thread_local! {
    // Without a destructor, so that the allocator may use it at any moment of a thread's life.
    static HERE: Cell<Counts> = const {
        Cell::new(Counts { allocations: 0, reallocations: 0, deallocations: 0 })
    };
}
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static REALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static DEALLOCATIONS: AtomicU64 = AtomicU64::new(0);

fn count(allocations: u64, reallocations: u64, deallocations: u64) {
    let mut counts = HERE.get();
    counts += Counts { allocations, reallocations, deallocations };
    HERE.set(counts);
    ALLOCATIONS.fetch_add(allocations, Relaxed);
    REALLOCATIONS.fetch_add(reallocations, Relaxed);
    DEALLOCATIONS.fetch_add(deallocations, Relaxed);
}

// SAFETY: every method is the system allocator's own, after counting, which neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, 0, 0);
        // SAFETY: the caller's promise to us is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, 0, 0);
        // SAFETY: the caller's promise to us is the one that `System` asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(0, 1, 0);
        // SAFETY: the caller's promise to us is the one that `System` asks for.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, 0, 1);
        // SAFETY: the caller's promise to us is the one that `System` asks for.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    #[test]
    fn a_vector_that_grows_is_counted_step_by_step() {
        let (_, counts) = here(|| {
            let mut vector = Vec::with_capacity(1);
            vector.extend(black_box([1_u8, 2]));
            drop(vector);
        });
        assert_eq!(counts, Counts { allocations: 1, reallocations: 1, deallocations: 1 });
    }

    #[test]
    fn a_thread_does_not_see_what_another_allocates() {
        let (entered, enter) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                enter.wait();
                drop(black_box(vec![0_u8; 64]));
                entered.wait();
            });
            let (_, everywhere) = everywhere(|| {
                forbidden("waiting", || {
                    enter.wait();
                    entered.wait();
                });
            });
            assert!(everywhere.allocations >= 1);
        });
    }

    #[test]
    #[should_panic = "a box touched the allocator"]
    fn an_allocation_where_it_is_forbidden_panics() {
        forbidden("a box", || black_box(Box::new(1)));
    }
}
