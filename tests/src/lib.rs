//! What the test programs share: a counting allocator, and children of the test binary that run
//! alone, under refused system calls, few descriptors or a tracer.
//!
//! Nothing here needs an installed tool or a privilege.

pub mod alloc;
pub mod backend;
#[cfg(target_os = "linux")]
mod ffi;
#[cfg(target_os = "linux")]
pub mod isolated;
#[cfg(target_os = "linux")]
pub mod trace;

#[cfg(target_os = "linux")]
pub use ffi::{is_nonblocking_and_cloexec, limit_descriptors, mark, raise, signal_process};
#[cfg(target_os = "linux")]
pub use isolated::Isolated;
#[cfg(target_os = "linux")]
pub use trace::{Call, Trace};
