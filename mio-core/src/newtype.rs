//! What the newtypes over the sockets and files of `std` have in common.

/// Conversions between a newtype and the socket of `std` inside it, and its descriptor; and what needs nothing else.
macro_rules! socket_newtype {
    ($name:ident, $std:ty) => {
        impl $name {
            /// Takes over a socket of `std` and makes it non-blocking.
            ///
            /// # Errors
            ///
            /// The system's, if it refuses to make the socket non-blocking. An open socket gives it
            /// no reason to; a sandbox may.
            pub fn from_std(socket: $std) -> std::io::Result<$name> {
                socket.set_nonblocking(true)?;
                Ok($name(crate::sys::Rearming::new(socket)))
            }

            /// The socket as `std` knows it, for what this type does not offer.
            ///
            /// Leave it non-blocking: a loop that waits in one source serves no other.
            #[inline]
            #[must_use]
            pub fn as_std(&self) -> &$std {
                &self.0
            }

            /// Takes the error that waits on the socket, if there is one (`SO_ERROR`).
            ///
            /// # Errors
            ///
            /// The system's, if it cannot be asked.
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.0.take_error()
            }
        }

        /// Takes over a socket of `std` and makes it non-blocking.
        ///
        /// # Panics
        ///
        /// If the system refuses to make it non-blocking, for which an open socket gives it no
        /// reason; `from_std` returns that error instead.
        impl From<$std> for $name {
            fn from(socket: $std) -> $name {
                match $name::from_std(socket) {
                    Ok(socket) => socket,
                    Err(error) => panic!("cannot make the socket non-blocking: {error}"),
                }
            }
        }

        /// The socket stays non-blocking.
        impl From<$name> for $std {
            #[inline]
            fn from(socket: $name) -> $std {
                socket.0.into_inner()
            }
        }

        crate::sys::if_descriptors! {
            /// Takes over a descriptor, which is to be such a socket, and makes it non-blocking and
            /// close-on-exec.
            ///
            /// # Panics
            ///
            /// If the system refuses to do so, for which an open socket gives it no reason.
            impl From<std::os::fd::OwnedFd> for $name {
                fn from(fd: std::os::fd::OwnedFd) -> $name {
                    if let Err(error) = crate::sys::set_cloexec(&fd) {
                        panic!("cannot make the socket close-on-exec: {error}");
                    }
                    <$std>::from(fd).into()
                }
            }

            /// The socket stays non-blocking.
            impl From<$name> for std::os::fd::OwnedFd {
                #[inline]
                fn from(socket: $name) -> std::os::fd::OwnedFd {
                    socket.0.into_inner().into()
                }
            }

            impl std::os::fd::AsFd for $name {
                #[inline]
                fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                    self.0.as_fd()
                }
            }

            impl std::os::fd::AsRawFd for $name {
                #[inline]
                fn as_raw_fd(&self) -> std::os::fd::RawFd {
                    self.0.as_raw_fd()
                }
            }

            impl std::os::fd::IntoRawFd for $name {
                #[inline]
                fn into_raw_fd(self) -> std::os::fd::RawFd {
                    self.0.into_inner().into_raw_fd()
                }
            }
        }

        /// Takes over a socket, which is to be of this type, and makes it non-blocking.
        ///
        /// # Panics
        ///
        /// If the system refuses to do so, for which an open socket gives it no reason.
        #[cfg(windows)]
        impl From<std::os::windows::io::OwnedSocket> for $name {
            fn from(socket: std::os::windows::io::OwnedSocket) -> $name {
                <$std>::from(socket).into()
            }
        }

        /// The socket stays non-blocking.
        #[cfg(windows)]
        impl From<$name> for std::os::windows::io::OwnedSocket {
            #[inline]
            fn from(socket: $name) -> std::os::windows::io::OwnedSocket {
                socket.0.into_inner().into()
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::AsSocket for $name {
            #[inline]
            fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
                self.0.as_socket()
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::AsRawSocket for $name {
            #[inline]
            fn as_raw_socket(&self) -> std::os::windows::io::RawSocket {
                self.0.as_raw_socket()
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::IntoRawSocket for $name {
            #[inline]
            fn into_raw_socket(self) -> std::os::windows::io::RawSocket {
                self.0.into_inner().into_raw_socket()
            }
        }

        crate::sys::if_sourceless! {
            impl crate::source::Source for $name {}
        }
    };
}

/// `Read` for a newtype and for a reference to it, by the type of `std` inside.
macro_rules! forward_read {
    ($($name:ty),*) => {$(
        impl std::io::Read for $name {
            #[inline]
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let wanted = buffer.len();
                self.0.transfer(crate::Interest::READABLE, wanted, buffer, |mut inner, buffer| inner.read(buffer))
            }

            #[inline]
            fn read_vectored(
                &mut self,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::io::Result<usize> {
                let wanted = buffers.iter().map(|buffer| buffer.len()).sum();
                self.0.transfer(crate::Interest::READABLE, wanted, buffers, |mut inner, buffers| inner.read_vectored(buffers))
            }
        }
    )*};
}

/// `Write` for a newtype and for a reference to it, by the type of `std` inside.
macro_rules! forward_write {
    ($($name:ty),*) => {$(
        impl std::io::Write for $name {
            #[inline]
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.transfer(crate::Interest::WRITABLE, bytes.len(), bytes, |mut inner, bytes| inner.write(bytes))
            }

            #[inline]
            fn write_vectored(&mut self, slices: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
                let wanted = slices.iter().map(|slice| slice.len()).sum();
                self.0.transfer(crate::Interest::WRITABLE, wanted, slices, |mut inner, slices| inner.write_vectored(slices))
            }

            /// Does nothing: there is no buffer here.
            #[inline]
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
    )*};
}

pub(crate) use {forward_read, forward_write, socket_newtype};
