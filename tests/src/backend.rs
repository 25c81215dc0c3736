//! What differs between the ways in which the library waits, as tests have to know it. Each constant is a
//! sentence of the documentation; a test asserts either side of it.

/// Whether this is epoll.
pub const IS_EPOLL: bool =
    cfg!(all(any(target_os = "linux", target_os = "android"), not(mio_core_poll)));

/// Whether this is kqueue.
pub const IS_KQUEUE: bool = cfg!(all(
    any(
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "dragonfly",
        target_os = "netbsd",
        target_os = "openbsd"
    ),
    not(mio_core_poll)
));

/// Whether this is epoll as it was before Linux 2.6.27: no eventfd, pidfd, `accept4`, no waits in nanoseconds.
pub const IS_OLD: bool = cfg!(mio_core_old_linux);

/// Whether the kernel keeps edges. If not, the calls of the library's types arm them again, and for other types
/// `would_block` does.
pub const KEEPS_EDGES: bool = IS_EPOLL || IS_KQUEUE;

/// Whether a registration belongs to the open file, so that a duplicate of a closed descriptor keeps it.
pub const REGISTERS_OPEN_FILES: bool = IS_EPOLL;

/// Whether loops can share a listener such that not all of them are woken.
pub const HAS_EXCLUSIVE_WAKE_UPS: bool = IS_EPOLL;

/// Whether as many sources can be registered as the selector was built for, and no more.
pub const HAS_SLOTS: bool = !KEEPS_EDGES;

/// Whether the exit of a child is a descriptor; else SIGCHLD tells of it.
pub const OPENS_CHILDREN: bool = IS_KQUEUE || IS_EPOLL && !IS_OLD;

/// Whether a waker is a descriptor of its own.
pub const OPENS_WAKERS: bool = IS_EPOLL;

/// The calls of a wake-up, by what they do: on the waker's side and on that of the selector.
pub const WAKE: &[&str] = if IS_OLD { &["read", "write"] } else { &["write"] };
/// See [`WAKE`].
pub const WOKEN: &[&str] = if IS_EPOLL { &["wait"] } else { &["wait", "read"] };

/// The calls by which a source is registered and deregistered.
pub const REGISTER: &[&str] = if IS_EPOLL { &["epoll_ctl"] } else { &["stat"] };
/// See [`REGISTER`].
pub const DEREGISTER: &[&str] = if IS_EPOLL { &["epoll_ctl"] } else { &[] };

/// Whether a wait costs time by what is ready, not by what is registered.
pub const SCALES: bool = KEEPS_EDGES || cfg!(windows);

/// Whether a registration ends when its source is closed, of whatever type that is.
pub const NOTICES_CLOSING: bool = KEEPS_EDGES || cfg!(windows);

/// Whether the kernel moves bytes between sockets by itself.
pub const SPLICES: bool = cfg!(any(target_os = "linux", target_os = "android"));
