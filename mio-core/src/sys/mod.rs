//! What the kernel does for us, behind one contract; the one place that picks a backend.
//!
//! A backend is a folder with the same files, types and method order as its siblings:
//!
//! - `selector.rs`: `Selector::{with_capacity, register, register_exclusive, reregister, deregister,
//!   would_block, select, check_process}`;
//! - `events.rs`: `Events::{with_capacity, len, capacity, get, take, current, disown, is_done, push, park,
//!   unpark, permute}`;
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
#[cfg(unix)]
pub(crate) use unix::{pipe, socket};

#[cfg(not(any(target_os = "linux", target_os = "android")))]
compile_error!("mio-core has no backend for this target yet");

// Whether sockets and pipes are born with their flags or get them later.
#[cfg(all(unix, not(target_vendor = "apple")))]
#[path = "unix/born/ffi.rs"]
mod born;
#[cfg(target_vendor = "apple")]
#[path = "unix/born_bare/ffi.rs"]
mod born;

// Where the extension for the abstract names of Unix sockets is; elsewhere its stand-in.
#[cfg(target_os = "android")]
pub(crate) use std::os::android::net as abstract_names;
#[cfg(target_os = "linux")]
pub(crate) use std::os::linux::net as abstract_names;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
#[path = "unix/abstract_names.rs"]
pub(crate) mod abstract_names;
