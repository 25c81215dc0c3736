//! What the test programs share: a counting allocator, and children of the test binary that run
//! alone, under refused system calls, few descriptors or a tracer; a loop that relays, and the peers of a proxy.
//!
//! Nothing here needs an installed tool or a privilege.

pub mod alloc;
pub mod backend;
mod child;
#[cfg(target_os = "linux")]
mod ffi;
#[cfg(target_os = "linux")]
pub mod isolated;
#[cfg(any(unix, windows))]
#[path = "odd/ffi.rs"]
mod odd;
#[cfg(any(unix, windows))]
mod pair;
#[cfg(any(unix, windows))]
pub mod peers;
mod relayed;
#[cfg(unix)]
#[path = "signals/ffi.rs"]
mod signals;
#[cfg(target_os = "linux")]
pub mod trace;

pub use child::{exits, sole_watcher, waits_for_its_input};
#[cfg(target_os = "linux")]
pub use ffi::{
    broken_pipes_kill, connect_from, is_nonblocking_and_cloexec, limit_descriptors, mark,
};
#[cfg(target_os = "linux")]
pub use isolated::Isolated;
#[cfg(any(unix, windows))]
pub use odd::{closed, send_out_of_band, small_buffers};
#[cfg(any(unix, windows))]
pub use pair::{PROMPTLY, Stream, hang_up, pair, settle};
pub use relayed::Relayed;
#[cfg(unix)]
pub use signals::{raise, signal_process};
#[cfg(target_os = "linux")]
pub use trace::{Call, Trace};
