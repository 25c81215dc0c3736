//! What the kernel does for us, behind one contract; the one place that picks a backend.
//!
//! Nothing above this module knows which backend it is. `cfg(unix)` and `cfg(windows)` stand above it only where
//! the public interface differs: descriptors here, sockets there. Nothing in here knows of anything above it.
//!
//! # The contract
//!
//! A backend is a folder with the same files, types and method order as its siblings, which is tested by the lines
//! below.
//!
//! - `selector.rs`: `Selector::{with_capacity, register, register_exclusive, reregister, deregister,
//!   would_block, select, check_process}`, all on `&self`, from any thread, also while another one is in `select`,
//!   which then heeds the change. Sources are borrowed descriptors or sockets. All 64 bits of a token are the caller's.
//!   `with_capacity` takes all memory; where slots are emulated it is for so many sources, wakers and children
//!   besides. What a backend cannot do is `Unsupported`, a second registration `AlreadyExists`, none `NotFound`, no
//!   room `StorageFull`, an empty interest `InvalidInput`. `select` never ends before its timeout without an event,
//!   unless a signal interrupts it, and replaces what the events hold. `check_process` fails in forked children.
//! - `events.rs`: `Events`, which is [`events::Events`] of whatever the kernel writes, if that can be a
//!   [`Record`](events::Record), or of [`Event`](crate::event::Event)s with the kernel's own structures as `K`.
//! - `waker.rs`: `Waker::{new, wake}`. Reports `READABLE` under the token that it was made with, once for any number
//!   of wakes before the selector looks. `wake` may be called from a signal handler, and takes no lock.
//! - `child.rs`: `ChildWatch::{open, peek, register, deregister}`: the end of a child as something that
//!   the selector reports under a token, at least once. `open` answers `None` where there is nothing of the kind and
//!   SIGCHLD has to do; `register` answers whether the child was still running, else it is to be looked at at
//!   once. `peek` leaves the child for its owner to wait for.
//! - `ffi.rs`: the only file that enters the kernel; folders may have one each.
//! - `mod.rs`: an essay on how this kernel does readiness and what surprised us. It names the file of `edges/` that
//!   it needs, beside it for `edges/emulated.rs` a `descriptor.rs` with `AsDescriptor` and `number`, what the table
//!   knows a source by; and it has the macro `if_nestable`, which keeps its items if a selector is a descriptor itself and
//!   can be waited for in other loops.
//!
//! What belongs to the platform rather than to its way of waiting is shared by the backends of that platform; all
//! of Unix's is in `unix`:
//!
//! - `child.rs`: `{peek, signal, core_dumped}`, by number, and of a status.
//! - `pipe.rs`: `{new}`, a reading and a writing end, each an `End`, which is a type of `std`.
//! - `signal.rs`: `Catcher::{new, owned, capacity, claim, release, pending, pop}`, beside what is in [`bell`], and
//!   `names`: the number of every signal that [`Signal`](crate::Signal) names, one that cannot occur where there is
//!   no such signal; `REFUSED`; `real_time`, the first and the last, the first higher than the last if there are none.
//! - `socket.rs`: `{tcp_listen, tcp_accept, tcp_connect, receive, send, set_nodelay, shut_writing, is_connected,
//!   set_linger, udp_bind}`, which answer or take types of `std`.
//!
//! And for all of them: `Stopwatch::{start, elapsed}`, nanoseconds on the clock of `Instant`.
//!
//! # Edges
//!
//! A kernel that keeps edges (epoll, kqueue) reports a source when something changes. Elsewhere (poll(2), AFD) a
//! backend emulates it: an interest that was reported is disarmed, and armed again when the user has seen that
//! nothing more can be done. An edge may thus be reported twice, it is never lost, and it does not spin: an error
//! or a hang-up, which such kernels report without being asked, disarms everything.
//!
//! Every call of `net`, `unix` and `pipe` goes through [`Rearming`], which holds the type of `std`: `attempt` arms
//! on `WouldBlock`, `transfer` also on a short count, which to the users of streams means as much. On kernels that
//! keep edges it is nothing (`edges/kernel.rs`). Elsewhere (`edges/emulated.rs`) it finds the selectors by the
//! descriptor's number, in one table for the process (`edges/slots.rs`), which is also where a selector finds the
//! slot of a descriptor. So the types of this crate stay as large as those of `std`, and go to `std` and back
//! without losing their registration. Users of other types say [`would_block`](crate::Selector::would_block).
//!
//! A slot must not outlive its descriptor, whose number may be given to another. A type of this crate that is
//! dropped vacates its slots, as epoll would do; one that the kernel has just opened vacates what is left under
//! its number. For types of others the number alone does not do: `would_block` arms only the slot with its token.

mod bell;
mod events;

// Linux.
#[cfg(all(any(target_os = "linux", target_os = "android"), not(mio_core_poll)))]
#[path = "epoll/mod.rs"]
mod backend;
// Windows.
#[cfg(windows)]
#[path = "iocp/mod.rs"]
mod backend;
// Apple's systems and the BSDs.
#[cfg(all(
    not(mio_core_poll),
    any(
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "dragonfly",
        target_os = "netbsd",
        target_os = "openbsd"
    )
))]
#[path = "kqueue/mod.rs"]
mod backend;
// Every other Unix, and any if it is asked for; WASI without threads.
#[cfg(any(
    all(target_os = "wasi", not(target_feature = "atomics")),
    all(
        unix,
        any(
            mio_core_poll,
            not(any(
                target_os = "linux",
                target_os = "android",
                target_vendor = "apple",
                target_os = "freebsd",
                target_os = "dragonfly",
                target_os = "netbsd",
                target_os = "openbsd"
            ))
        )
    )
))]
#[path = "."]
mod backend {
    mod poll;

    pub(crate) use poll::{ChildWatch, Events, Rearming, Selector, Waker, if_nestable};

    /// What poll(2) calls a half-close.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    use libc::POLLRDHUP;
    /// poll(2) does not tell of a half-close.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const POLLRDHUP: std::ffi::c_short = 0;
    /// What poll(2) calls out-of-band data.
    #[cfg(unix)]
    use libc::POLLPRI;
    /// There is none.
    #[cfg(not(unix))]
    const POLLPRI: std::ffi::c_short = 0;
}
// No descriptors at all, or with threads that could not end a wait for them.
#[cfg(all(
    target_family = "wasm",
    not(unix),
    any(not(target_os = "wasi"), target_feature = "atomics")
))]
#[path = "none/mod.rs"]
mod backend;

pub(crate) use backend::{ChildWatch, Events, Rearming, Selector, Waker, if_nestable};

// What of kqueue can be tested where there is none; once is enough.
#[cfg(all(test, any(target_os = "linux", target_os = "android"), not(mio_core_poll)))]
#[path = "kqueue/registry/mod.rs"]
mod kqueue_registry;

#[cfg(not(any(unix, windows, target_family = "wasm")))]
compile_error!("mio-core has no backend for this target yet");

// What is there only if sources are descriptors, `AsFd` to `std`.
#[cfg(any(unix, all(target_os = "wasi", not(target_feature = "atomics"))))]
macro_rules! if_descriptors {
    ($($item:tt)*) => { $($item)* };
}
#[cfg(not(any(unix, all(target_os = "wasi", not(target_feature = "atomics")))))]
macro_rules! if_descriptors {
    ($($item:tt)*) => {};
}
// What is there only if nothing can be a source.
#[cfg(all(
    target_family = "wasm",
    not(unix),
    any(not(target_os = "wasi"), target_feature = "atomics")
))]
macro_rules! if_sourceless {
    ($($item:tt)*) => { $($item)* };
}
#[cfg(not(all(
    target_family = "wasm",
    not(unix),
    any(not(target_os = "wasi"), target_feature = "atomics")
)))]
macro_rules! if_sourceless {
    ($($item:tt)*) => {};
}
pub(crate) use {if_descriptors, if_sourceless};
if_sourceless! {
    pub(crate) use backend::NoDescriptor;
}

/// Whether to do as if the kernel refused what has a substitute: see ARCHITECTURE.md.
#[cfg(unix)]
const REFUSING: bool = cfg!(mio_core_old_linux);

/// Whether there is a clock, and so timers.
pub(crate) const HAS_CLOCK: bool =
    !cfg!(all(target_family = "wasm", not(any(unix, target_os = "wasi"))));

// What the backends of a platform share.
#[cfg(unix)]
pub(crate) mod unix;
#[cfg(unix)]
pub(crate) use unix::{child, pipe, signal, socket};
#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::{child, pipe, signal, socket};
#[cfg(all(target_family = "wasm", not(unix)))]
mod wasm;
#[cfg(all(target_family = "wasm", not(unix)))]
pub(crate) use wasm::{child, pipe, signal, socket};

// Descriptors are inherited by other programs unless they are told not to.
#[cfg(unix)]
pub(crate) use unix::set_cloexec;
#[cfg(all(target_os = "wasi", not(target_feature = "atomics")))]
pub(crate) use wasm::set_cloexec;

#[cfg(all(test, unix))]
pub(crate) use unix::is_flagged;
#[cfg(all(test, windows))]
pub(crate) use windows::is_flagged;

// The numbers of signals.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "unix/names/linux.rs"]
pub(crate) mod names;
#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "hurd",
))]
#[path = "unix/names/bsd.rs"]
pub(crate) mod names;
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
#[path = "unix/names/solaris.rs"]
pub(crate) mod names;
#[cfg(target_os = "haiku")]
#[path = "unix/names/haiku.rs"]
pub(crate) mod names;

/// Where the calling thread's `errno` is.
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
use libc::___errno as errno_location;
/// Where the calling thread's `errno` is.
#[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
use libc::__errno as errno_location;
/// Where the calling thread's `errno` is.
#[cfg(any(
    target_os = "linux",
    target_os = "dragonfly",
    target_os = "emscripten",
    target_os = "hurd"
))]
use libc::__errno_location as errno_location;
/// Where the calling thread's `errno` is.
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
use libc::__error as errno_location;
/// Where the calling thread's `errno` is.
#[cfg(target_os = "aix")]
use libc::_Errno as errno_location;
/// Where the calling thread's `errno` is.
#[cfg(target_os = "haiku")]
use libc::_errnop as errno_location;

// How time is read.
#[cfg(not(all(target_family = "wasm", not(any(unix, target_os = "wasi")))))]
mod epoch;
#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "unix/stopwatch/ffi.rs"]
mod stopwatch;
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    all(target_family = "wasm", not(any(unix, target_os = "wasi")))
)))]
mod stopwatch;
#[cfg(not(all(target_family = "wasm", not(any(unix, target_os = "wasi")))))]
pub(crate) use {epoch::Epoch, stopwatch::Stopwatch};
#[cfg(all(target_family = "wasm", not(any(unix, target_os = "wasi"))))]
#[path = "wasm/no_clock.rs"]
mod no_clock;
#[cfg(all(target_family = "wasm", not(any(unix, target_os = "wasi"))))]
pub(crate) use no_clock::{Epoch, Stopwatch};

/// The option that lets several sockets listen on one port.
#[cfg(all(unix, not(any(target_os = "illumos", target_os = "solaris"))))]
const REUSE_PORT: Option<libc::c_int> = Some(libc::SO_REUSEPORT);
/// There is no such option, or not in every release.
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
const REUSE_PORT: Option<libc::c_int> = None;

// Whether sockets and pipes are born with their flags or get them later.
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "aix"))))]
#[path = "unix/born/ffi.rs"]
mod born;
#[cfg(any(target_vendor = "apple", target_os = "aix"))]
#[path = "unix/born_bare.rs"]
mod born;
#[cfg(all(
    unix,
    not(any(
        target_vendor = "apple",
        target_os = "aix",
        target_os = "emscripten",
        target_os = "haiku"
    ))
))]
#[path = "unix/pipe2/ffi.rs"]
mod pipe2;
#[cfg(any(
    target_vendor = "apple",
    target_os = "aix",
    target_os = "emscripten",
    target_os = "haiku"
))]
#[path = "unix/no_pipe2.rs"]
mod pipe2;

/// How to send so that a peer that is gone raises no `SIGPIPE`.
#[cfg(all(unix, not(target_vendor = "apple")))]
const SEND: libc::c_int = libc::MSG_NOSIGNAL;
/// How to send: the socket is told once.
#[cfg(target_vendor = "apple")]
const SEND: libc::c_int = 0;
/// The option of a socket without which writing to a peer that is gone raises `SIGPIPE`: none here.
#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGPIPE: Option<libc::c_int> = None;
/// The option of a socket without which writing to a peer that is gone raises `SIGPIPE`.
#[cfg(target_vendor = "apple")]
const NO_SIGPIPE: Option<libc::c_int> = Some(libc::SO_NOSIGPIPE);
/// The option that lingers in seconds.
#[cfg(all(unix, not(target_vendor = "apple")))]
const LINGER_SECONDS: libc::c_int = libc::SO_LINGER;
/// The option that lingers in seconds; `SO_LINGER` counts the ticks of a clock here.
#[cfg(target_vendor = "apple")]
const LINGER_SECONDS: libc::c_int = libc::SO_LINGER_SEC;

// Where the extension for the abstract names of Unix sockets is; elsewhere its stand-in.
#[cfg(target_os = "android")]
pub(crate) use std::os::android::net as abstract_names;
#[cfg(target_os = "linux")]
pub(crate) use std::os::linux::net as abstract_names;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
#[path = "unix/abstract_names.rs"]
pub(crate) mod abstract_names;

// Whether the kernel moves bytes between sockets by itself.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "unix/splice/mod.rs"]
pub(crate) mod splice;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "no_splice.rs"]
pub(crate) mod splice;
