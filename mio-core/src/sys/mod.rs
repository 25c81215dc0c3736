//! What the kernel does for us, behind one contract; the one place that picks a backend.
//!
//! A backend is a folder with the same files, types and method order as its siblings:
//!
//! - `selector.rs`: `Selector::{with_capacity, register, register_exclusive, reregister, deregister,
//!   would_block, select}` and `Events::{with_capacity, len, capacity, get, permute}`;
//! - `waker.rs`: `Waker::{new, wake}`; `wake` may be called from a signal handler;
//! - `child/`: `ChildFd::{open, peek}`, a child's exit as something to register;
//! - `ffi.rs`: the only file that enters the kernel;
//! - `mod.rs`: an essay on how this kernel does readiness and what surprised us.
//!
//! `unix` holds what the Unix backends share. Nothing in here knows of anything above it.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use epoll::{ChildFd, Events, Selector, Waker};

#[cfg(unix)]
pub(crate) mod unix;
/// Where the calling thread's `errno` is.
#[cfg(target_os = "android")]
use libc::__errno as errno_location;
/// Where the calling thread's `errno` is.
#[cfg(target_os = "linux")]
use libc::__errno_location as errno_location;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
compile_error!("mio-core has no backend for this target yet");
