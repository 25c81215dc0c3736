//! Pipes that never block: bytes that go one way, within a process or between two.
//!
//! Both ends are non-blocking and close-on-exec, and nothing here allocates.

use std::io;
#[cfg(windows)]
use std::os::windows::io::{AsRawSocket, AsSocket, BorrowedSocket, RawSocket};

use crate::{
    newtype::{forward_read, forward_write},
    sys::{self, Rearming, pipe},
};

/// A new pipe: what is written to the [`Writer`] is read from the [`Reader`].
///
/// ```
/// use std::io::{Read, Write};
/// use mio_core::{Events, Interest, Selector, Trigger, pipe};
///
/// let (mut reader, mut writer) = pipe::new()?;
/// let selector = Selector::new()?;
/// let mut events = Events::with_capacity(64);
/// selector.register(&reader, 1, Interest::READABLE, Trigger::Edge)?;
///
/// writer.write_all(b"hello")?;
/// selector.select(&mut events, None)?;
/// let mut bytes = [0; 64];
/// assert_eq!(reader.read(&mut bytes)?, 5);
///
/// drop(writer);
/// assert_eq!(reader.read(&mut bytes)?, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// One system call; where the kernel lacks it (`pipe2`), the same in several.
///
/// Do not hand an end to a child as its standard stream: it stays non-blocking there, and few
/// programs expect that. Let [`Stdio::piped`](std::process::Stdio::piped) make the pipe, of which
/// [`Reader`] and [`Writer`] take over this side.
///
/// Portability: on Windows a connection between two sockets, which holds more and ends as connections do. On
/// WebAssembly `Unsupported`.
///
/// Source: pipe(2), pipe(7).
///
/// # Errors
///
/// The system's: no descriptor (`EMFILE`, `ENFILE`) or no memory left.
pub fn new() -> io::Result<(Reader, Writer)> {
    let (reader, writer) = pipe::new()?;
    Ok((Reader(Rearming::born(reader)), Writer(Rearming::born(writer))))
}

/// The end of a pipe that is read from.
///
/// A read is `WouldBlock` when the pipe is empty, and 0 when it is empty and the last writer is gone.
/// `Read` is implemented for it and for a reference to it. It takes over the output of a child too:
///
/// ```
/// use std::process::{Command, Stdio};
/// use mio_core::pipe::Reader;
///
/// let mut child = Command::new("true").stdout(Stdio::piped()).spawn()?;
/// let output = Reader::from_fd(child.stdout.take().unwrap())?;
/// # child.wait()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Reader(Rearming<pipe::End>);

/// The end of a pipe that is written to.
///
/// A write is `WouldBlock` when the pipe is full (it holds 64 KiB on Linux, mostly), and `BrokenPipe`
/// when the last reader is gone: about the signal `SIGPIPE`, [`net`](crate::net) says what there is
/// to know. `Write` is implemented for it and for a reference to it.
#[derive(Debug)]
pub struct Writer(Rearming<pipe::End>);

forward_read!(Reader, &Reader);
forward_write!(Writer, &Writer);

sys::if_descriptors! {
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

    /// What both ends have in common.
    macro_rules! pipe_end {
        ($end:ident) => {
            impl $end {
                /// Takes over a descriptor and makes it non-blocking and close-on-exec: an end of a
                /// pipe, a FIFO, a stream of a child, `std`'s own ends of pipes.
                ///
                /// Whoever else has the same open file, in another process too, finds it non-blocking.
                ///
                /// Portability: not on Windows. On WASI some hosts refuse it to the standard streams, which register as
                /// what `std` has for them.
                ///
                /// # Errors
                ///
                /// The system's, if it refuses to do so. A pipe gives it no reason to; a sandbox may.
                pub fn from_fd(fd: impl Into<OwnedFd>) -> io::Result<$end> {
                    let fd = fd.into();
                    sys::set_cloexec(&fd)?;
                    pipe::set_nonblocking(&fd)?;
                    Ok($end(Rearming::new(fd.into())))
                }
            }

            /// As [`from_fd`](Self::from_fd).
            ///
            /// # Panics
            ///
            /// If the system refuses to make it non-blocking, for which a pipe gives it no reason.
            impl From<OwnedFd> for $end {
                fn from(fd: OwnedFd) -> $end {
                    match $end::from_fd(fd) {
                        Ok(end) => end,
                        Err(error) => panic!("cannot make the descriptor non-blocking: {error}"),
                    }
                }
            }

            /// The end stays non-blocking.
            impl From<$end> for OwnedFd {
                #[inline]
                fn from(end: $end) -> OwnedFd {
                    end.0.into_inner().into()
                }
            }

            impl AsFd for $end {
                #[inline]
                fn as_fd(&self) -> BorrowedFd<'_> {
                    self.0.as_fd()
                }
            }

            impl AsRawFd for $end {
                #[inline]
                fn as_raw_fd(&self) -> RawFd {
                    self.0.as_raw_fd()
                }
            }

            impl IntoRawFd for $end {
                #[inline]
                fn into_raw_fd(self) -> RawFd {
                    self.0.into_inner().into_raw_fd()
                }
            }
        };
    }

    pipe_end!(Reader);
    pipe_end!(Writer);
}

/// What a child's stream becomes.
#[cfg(unix)]
macro_rules! end_of_child {
    ($end:ident, $child:ty) => {
        /// As [`from_fd`](Self::from_fd).
        ///
        /// # Panics
        ///
        /// If the system refuses to make it non-blocking, for which a pipe gives it no reason.
        impl From<$child> for $end {
            fn from(child: $child) -> $end {
                OwnedFd::from(child).into()
            }
        }
    };
}

#[cfg(unix)]
end_of_child!(Reader, std::process::ChildStdout);
#[cfg(unix)]
end_of_child!(Reader, std::process::ChildStderr);
#[cfg(unix)]
end_of_child!(Writer, std::process::ChildStdin);

/// What both ends have in common where they are sockets.
#[cfg(windows)]
macro_rules! pipe_end {
    ($end:ident) => {
        impl AsSocket for $end {
            #[inline]
            fn as_socket(&self) -> BorrowedSocket<'_> {
                self.0.as_socket()
            }
        }

        impl AsRawSocket for $end {
            #[inline]
            fn as_raw_socket(&self) -> RawSocket {
                self.0.as_raw_socket()
            }
        }
    };
}

#[cfg(windows)]
pipe_end!(Reader);
#[cfg(windows)]
pipe_end!(Writer);

sys::if_sourceless! {
    impl crate::source::Source for Reader {}
    impl crate::source::Source for Writer {}
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        io::{ErrorKind, IoSlice, IoSliceMut, Read, Write},
        os::fd::{AsRawFd, OwnedFd},
        process::{Command, Stdio},
        time::Duration,
    };

    use super::{Reader, Writer, new};
    use crate::{
        Events, Interest, Selector, Trigger,
        awaited::awaited,
        sys::unix::{is_flagged, without_flags},
    };

    #[test]
    fn both_ends_are_non_blocking_and_close_on_exec() {
        let (mut reader, writer) = new().unwrap();
        assert!(is_flagged(&reader) && is_flagged(&writer));
        assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn a_full_pipe_is_would_block_and_loses_nothing() {
        let (reader, writer) = new().unwrap();
        let mut written = 0;
        let error = loop {
            match (&writer).write(&[7; 4096]) {
                Ok(length) => written += length,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        drop(writer);
        let mut bytes = Vec::new();
        awaited(|| (&reader).read_to_end(&mut bytes).ok());
        assert_eq!(bytes.len(), written);
    }

    #[test]
    fn the_end_is_read_after_the_last_byte() {
        let (mut reader, mut writer) = new().unwrap();
        writer.write_all(b"last").unwrap();
        drop(writer);
        let mut bytes = [0; 8];
        assert_eq!(reader.read(&mut bytes).unwrap(), 4);
        assert_eq!(awaited(|| reader.read(&mut bytes).ok()), 0);
    }

    #[test]
    fn writing_without_a_reader_is_an_error_and_no_signal() {
        let (reader, mut writer) = new().unwrap();
        drop(reader);
        assert_eq!(awaited(|| writer.write(b"x").err()).kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn vectors_move_in_order() {
        let (mut reader, mut writer) = new().unwrap();
        let slices = [IoSlice::new(b"to"), IoSlice::new(b"gether")];
        assert_eq!(writer.write_vectored(&slices).unwrap(), 8);
        let (mut head, mut tail) = ([0; 3], [0; 9]);
        let mut vector = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut tail)];
        assert_eq!(reader.read_vectored(&mut vector).unwrap(), 8);
        assert_eq!((&head, &tail[..5]), (b"tog", b"ether".as_slice()));
    }

    #[test]
    fn streams_of_a_child_are_taken_over() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = Writer::from(child.stdin.take().unwrap());
        let mut output = Reader::from(child.stdout.take().unwrap());
        let errors = Reader::from(child.stderr.take().unwrap());
        assert!(is_flagged(&input) && is_flagged(&output) && is_flagged(&errors));

        let selector = Selector::new().unwrap();
        let mut events = Events::with_capacity(4);
        selector.register(&output, 1, Interest::READABLE, Trigger::Level).unwrap();
        input.write_all(b"meow").unwrap();
        // Without an event if the SIGCHLD of another test's child ends the wait.
        awaited(|| {
            selector.select(&mut events, Some(Duration::from_secs(10))).unwrap();
            (!events.is_empty()).then_some(())
        });
        assert_eq!(output.read(&mut [0; 8]).unwrap(), 4);
        drop(input);
        assert!(child.wait().unwrap().success());
        assert_eq!(awaited(|| output.read(&mut [0; 8]).ok()), 0);
    }

    #[test]
    fn descriptors_go_in_and_out_and_get_their_flags() {
        let (reader, writer) = new().unwrap();
        let number = reader.as_raw_fd();
        let reader = Reader::from(without_flags(reader));
        let writer = Writer::from_fd(without_flags(writer)).unwrap();
        assert!(is_flagged(&reader) && is_flagged(&writer));
        assert_eq!(OwnedFd::from(reader).as_raw_fd(), number);
    }
}
