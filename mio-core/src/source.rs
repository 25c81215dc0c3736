//! [`Source`]: whatever can be registered.

#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(windows)]
use std::os::windows::io::{AsSocket, BorrowedSocket};

/// Whatever can be registered: on Unix every `AsFd`, on Windows every `AsSocket`, of this crate, of `std` or your own.
/// Elsewhere the types of this crate and the sockets of `std` are accepted, and refused as `Unsupported`.
///
/// A source is only ever waited for: registering never reads, writes or closes it, nor changes its
/// blocking mode.
///
/// # What a bare drop does
///
/// Dropping a source closes its descriptor. On epoll the kernel forgets it then, unless a duplicate
/// of the descriptor is still open: the registration belongs to the open file and its events go on
/// coming. [`EventLoop::close`](crate::EventLoop::close) deregisters first and leaves no doubt.
///
/// On kqueue it is forgotten with its descriptor, on Windows with the last handle of the socket. With poll(2) the types of this crate are forgotten when they are
/// dropped. One of another type keeps its place until its number is registered again, and in level mode, if that number
/// is given to another file, that file is reported in its stead: deregister it.
pub trait Source {
    /// The descriptor to wait for.
    #[cfg(unix)]
    fn as_source(&self) -> BorrowedFd<'_>;

    /// The socket to wait for.
    #[cfg(windows)]
    fn as_source(&self) -> BorrowedSocket<'_>;

    /// There is nothing to wait for.
    #[cfg(not(any(unix, windows)))]
    #[doc(hidden)]
    fn as_source(&self) -> crate::sys::none::NoDescriptor {
        crate::sys::none::NoDescriptor
    }
}

#[cfg(unix)]
impl<T: AsFd + ?Sized> Source for T {
    #[inline]
    fn as_source(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

#[cfg(windows)]
impl<T: AsSocket + ?Sized> Source for T {
    #[inline]
    fn as_source(&self) -> BorrowedSocket<'_> {
        self.as_socket()
    }
}

/// What no system here can wait for.
#[cfg(not(any(unix, windows)))]
macro_rules! hopeless_source {
    ($($name:ty),*) => {$(
        impl crate::source::Source for $name {}
    )*};
}

#[cfg(not(any(unix, windows)))]
hopeless_source!(std::net::TcpListener, std::net::TcpStream, std::net::UdpSocket);

#[cfg(not(any(unix, windows)))]
pub(crate) use hopeless_source;
