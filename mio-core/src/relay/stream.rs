//! What a flow asks of the streams at its two ends.

use std::io::{self, ErrorKind};

use super::KernelPipe;
#[cfg(unix)]
use crate::unix::UnixStream;
use crate::{
    interest::Interest,
    net::TcpStream,
    sys::{socket, splice},
};

/// A stream that never blocks, registered in edge mode.
///
/// The methods are as those of `std`, with `WouldBlock` and `Interrupted` told as they come. `P` is the
/// [`Pipe`](super::Pipe) that it can be spliced through.
pub trait Stream<P = KernelPipe> {
    /// Takes bytes. 0 is the end.
    ///
    /// # Errors
    ///
    /// The system's.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Looks at the bytes that a read would take, and leaves them there.
    ///
    /// Portability: where edges are emulated (Windows, poll(2)), bytes that are left there are reported again at once.
    ///
    /// # Errors
    ///
    /// Those of a read.
    fn peek(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes some of `bytes`, and says how many.
    ///
    /// # Errors
    ///
    /// The system's.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// The length of the segments that the kernel sends what is written in, which may change; 1, the default, if it is
    /// not known or of no matter. Asked of a sink of bulk that is copied, about once a burst.
    ///
    /// What is read then is no longer than whole segments. A short one at the end of each write would be sent for itself,
    /// which costs nearly as much as sending all the others, which leave the host as one.
    fn segment(&self) -> usize {
        1
    }

    /// Says that nothing more will be written.
    ///
    /// # Errors
    ///
    /// The system's; `NotConnected` means that the peer is gone already.
    fn finish(&self) -> io::Result<()>;

    /// Moves up to `max` bytes into an empty pipe. 0 is the end. That a [`read`](Stream::read) would block is
    /// not concluded from this.
    ///
    /// # Errors
    ///
    /// The system's. `InvalidInput`, the default: this stream cannot do that. `Unsupported` or
    /// `PermissionDenied`: none can.
    fn fill(&self, pipe: &P, max: usize) -> io::Result<usize> {
        let _ = (pipe, max);
        Err(ErrorKind::InvalidInput.into())
    }

    /// Moves up to `max` bytes out of a pipe, in which there are so many. It is asked with an empty pipe first,
    /// where `WouldBlock` means that it can.
    ///
    /// # Errors
    ///
    /// As [`fill`](Stream::fill).
    fn drain(&self, pipe: &P, max: usize) -> io::Result<usize> {
        let _ = (pipe, max);
        Err(ErrorKind::InvalidInput.into())
    }
}

macro_rules! stream {
    ($name:ty, $segment:expr) => {
        impl Stream for $name {
            #[inline(always)]
            fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
                let wanted = buffer.len();
                self.rearming().transfer(Interest::READABLE, wanted, buffer, socket::receive)
            }

            #[inline]
            fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
                // What is short of `buffer` drains the source, as a read would.
                let wanted = buffer.len();
                self.rearming()
                    .transfer(Interest::READABLE, wanted, buffer, |_, buffer| self.peek(buffer))
            }

            #[inline(always)]
            fn write(&self, bytes: &[u8]) -> io::Result<usize> {
                self.rearming().transfer(Interest::WRITABLE, bytes.len(), bytes, socket::send)
            }

            fn segment(&self) -> usize {
                $segment(self)
            }

            #[inline]
            fn finish(&self) -> io::Result<()> {
                socket::shut_writing(self.as_std())
            }

            #[inline]
            fn fill(&self, pipe: &KernelPipe, max: usize) -> io::Result<usize> {
                pipe.get().fill(self, max)
            }

            #[inline]
            fn drain(&self, pipe: &KernelPipe, max: usize) -> io::Result<usize> {
                self.rearming().transfer(Interest::WRITABLE, max, pipe.get(), |inner, pipe| {
                    pipe.drain(inner, max)
                })
            }
        }
    };
}

stream!(TcpStream, splice::segment);
#[cfg(unix)]
// Nothing is cut into segments.
stream!(UnixStream, |_| 1);
