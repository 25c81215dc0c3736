//! What a flow asks of the streams at its two ends.

use std::{
    io::{self, Read, Write},
    net::Shutdown,
};

use crate::net::TcpStream;
#[cfg(unix)]
use crate::unix::UnixStream;

/// A stream that never blocks, registered in edge mode.
///
/// The methods are as those of `std`, with `WouldBlock` and `Interrupted` told as they come.
pub trait Stream {
    /// Takes bytes. 0 is the end.
    ///
    /// # Errors
    ///
    /// The system's.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Looks at the bytes that a read would take, and leaves them there.
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

    /// Says that nothing more will be written.
    ///
    /// # Errors
    ///
    /// The system's; `NotConnected` means that the peer is gone already.
    fn finish(&self) -> io::Result<()>;
}

macro_rules! stream {
    ($name:ty) => {
        impl Stream for $name {
            #[inline]
            fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
                let mut stream = self;
                Read::read(&mut stream, buffer)
            }

            #[inline]
            fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
                <$name>::peek(self, buffer)
            }

            #[inline]
            fn write(&self, bytes: &[u8]) -> io::Result<usize> {
                let mut stream = self;
                Write::write(&mut stream, bytes)
            }

            #[inline]
            fn finish(&self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
            }
        }
    };
}

stream!(TcpStream);
#[cfg(unix)]
stream!(UnixStream);
