//! WebAssembly without descriptors: the Web's, and WASI with threads.
//!
//! A loop is there for its messages and its timers. Everything else is `Unsupported`: sources, signals, children, and
//! whatever opens a socket or a pipe.
//!
//! - **With threads** (`target_feature = "atomics"`) a wait is one on a condition variable. That goes for WASI with
//!   threads too, whose poll_oneoff no other thread can end. Stable compilers do not tell of this feature: with one
//!   wasm32-wasip1-threads is taken for WASI without threads, where a message from another thread is seen when the
//!   wait has ended by something else.
//! - **Without threads** nobody could end a wait: one that is not over at once is an error, `Deadlock` without a
//!   timeout and `Unsupported` with one. The host has to call the loop again when it is time.
//! - **Without a clock** (wasm32-unknown-unknown, where `Instant::now` panics) timers are there in virtual time,
//!   which the host moves by the timeouts of its calls; without it they are `Unsupported`.

#[path = "../poll/child.rs"]
mod child;
#[path = "../edges/kernel.rs"]
mod edges;
mod events;
mod selector;
mod waker;

pub(crate) use child::ChildWatch;
pub(crate) use edges::Rearming;
pub(crate) use events::Events;
pub(crate) use selector::{NoDescriptor, Selector};
pub(crate) use waker::Waker;

/// What is there only if a selector is a descriptor, which nests in other loops: it is not.
macro_rules! if_nestable {
    ($($item:item)*) => {};
}
pub(crate) use if_nestable;
