//! [`Source`]: whatever can be registered.

#[cfg(windows)]
use std::os::windows::io::{AsSocket, BorrowedSocket};

use crate::sys;

/// Whatever can be registered: on Unix and WASI every `AsFd`, on Windows every `AsSocket`, of this crate, of `std` or
/// your own. Elsewhere (the Web) the types of this crate and the sockets of `std` are accepted, and refused as `Unsupported`.
///
/// A source is only ever waited for: registering never reads, writes or closes it, nor changes its
/// blocking mode.
///
/// # Standard input
///
/// Its open file is mostly shared with other processes, which do not expect it to be non-blocking. Leave it as it is, register
/// it in level mode, and read once for each report. Do so past the buffer of [`Stdin`](std::io::Stdin), of whose content
/// no report comes. A file cannot be waited for, and need not:
///
/// ```
/// # #[cfg(unix)] {
/// use std::{fs::File, io::{self, Read}, os::fd::AsFd};
/// use mio_core::{Events, Interest, Selector, Trigger};
///
/// /// What is read next, 0 bytes at the end.
/// fn read_input(selector: &Selector, input: &mut File, bytes: &mut [u8]) -> io::Result<usize> {
///     match selector.register(input, 1, Interest::READABLE, Trigger::Level) {
///         Err(error) if error.kind() == io::ErrorKind::Unsupported => return input.read(bytes),
///         result => result?,
///     }
///     let mut events = Events::with_capacity(1);
///     while events.is_empty() {
///         selector.select(&mut events, None)?;
///     }
///     selector.deregister(input)?;
///     input.read(bytes)
/// }
///
/// let selector = Selector::new()?;
/// let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
/// # let (reader, mut writer) = mio_core::pipe::new()?;
/// # std::thread::spawn(move || io::Write::write_all(&mut writer, b"typed"));
/// # input = File::from(std::os::fd::OwnedFd::from(reader));
/// let mut bytes = [0; 64];
/// let length = read_input(&selector, &mut input, &mut bytes)?;
/// # assert_eq!(&bytes[..length], b"typed");
/// # input = File::open("/dev/null")?;
/// # assert_eq!(read_input(&selector, &mut input, &mut bytes)?, 0);
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # What a bare drop does
///
/// Dropping a source closes its descriptor. On epoll the kernel forgets it then, unless a duplicate
/// of the descriptor is still open: the registration belongs to the open file and its events go on
/// coming. [`EventLoop::close`](crate::EventLoop::close) deregisters first and leaves no doubt.
///
/// Portability: on kqueue it is forgotten with its descriptor, on Windows with the last handle of the socket; while a
/// duplicate is open, its number may be given to another socket there, which is then reported in its stead. With
/// poll(2) the types of this crate are forgotten when they are dropped. One of another type keeps its place until its
/// number is registered again, and in level mode, if that number is given to another file, that file is reported in its
/// stead: deregister it. On WASI even its successor's registration may be refused as `AlreadyExists`.
pub trait Source {
    sys::if_descriptors! {
        /// The descriptor to wait for.
        fn as_source(&self) -> std::os::fd::BorrowedFd<'_>;
    }

    /// The socket to wait for.
    #[cfg(windows)]
    fn as_source(&self) -> BorrowedSocket<'_>;

    sys::if_sourceless! {
        /// There is nothing to wait for.
        #[doc(hidden)]
        fn as_source(&self) -> sys::NoDescriptor {
            sys::NoDescriptor
        }
    }
}

sys::if_descriptors! {
    impl<T: std::os::fd::AsFd + ?Sized> Source for T {
        #[inline]
        fn as_source(&self) -> std::os::fd::BorrowedFd<'_> {
            self.as_fd()
        }
    }
}

#[cfg(windows)]
impl<T: AsSocket + ?Sized> Source for T {
    #[inline]
    fn as_source(&self) -> BorrowedSocket<'_> {
        self.as_socket()
    }
}

sys::if_sourceless! {
    impl Source for std::net::TcpListener {}
    impl Source for std::net::TcpStream {}
    impl Source for std::net::UdpSocket {}
}
