//! WebAssembly, and whatever else has no descriptors to wait for.
//!
//! A loop is there for its messages, and for its timers where there is a clock. Everything else is `Unsupported`:
//! sources, signals, children, and whatever opens a socket or a pipe.
//!
//! - **With threads** (`target_feature = "atomics"`) a wait is one on a condition variable.
//! - **Without threads** nobody could end a wait: it is a sleep until the timeout, and an error of kind `Deadlock`
//!   if that is never. WASI can sleep. wasm32-unknown-unknown cannot: there a wait that is not over at once
//!   is `Unsupported`, and the host has to call the loop again, with a timeout of zero, when it is time.
//! - **Without a clock** (wasm32-unknown-unknown, where `Instant::now` panics) timers are `Unsupported`.
//! - **WASI** has descriptors and poll_oneoff, but opens neither sockets nor pipes; they are not waited for.

mod child_watch;
#[path = "../edges/kernel.rs"]
mod edges;
mod events;
#[path = "../names.rs"]
pub(crate) mod names;
mod selector;
mod waker;

pub(crate) mod child;
pub(crate) mod pipe;
pub(crate) mod signal;
pub(crate) mod socket;

pub(crate) use child_watch::ChildWatch;
pub(crate) use edges::Rearming;
pub(crate) use events::Events;
pub(crate) use selector::{NoDescriptor, Selector};
pub(crate) use waker::Waker;

/// What is there only if a selector is a descriptor, which nests in other loops: it is not.
macro_rules! if_nestable {
    ($($item:item)*) => {};
}
pub(crate) use if_nestable;
