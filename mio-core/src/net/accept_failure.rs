//! [`AcceptFailure`]: whose failure it is that nothing was accepted.

use std::io::{self, ErrorKind};

/// What a failed `accept` means to a server: whether it goes on, when, and with what.
///
/// By kinds and exclusion, since no [`ErrorKind`] says that descriptors ran out. What is unknown counts as a
/// shortage, which costs a server that tries again later nothing but time.
///
/// ```
/// use std::io;
/// use mio_core::net::{AcceptFailure, TcpListener, TcpStream};
///
/// /// Accepts all who wait. Answers whether to try again by a timer.
/// fn accept(listener: &TcpListener, clients: &mut Vec<TcpStream>) -> io::Result<bool> {
///     loop {
///         match listener.accept() {
///             Ok((client, _)) => clients.push(client),
///             Err(error) => match AcceptFailure::of(&error) {
///                 AcceptFailure::Nobody => return Ok(false),
///                 AcceptFailure::Connection => {}
///                 AcceptFailure::Shortage => return Ok(true),
///                 AcceptFailure::Listener => return Err(error),
///             },
///         }
///     }
/// }
///
/// let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
/// let _client = TcpStream::connect(listener.local_addr()?)?;
/// let mut clients = Vec::new();
/// while clients.is_empty() {
///     assert!(!accept(&listener, &mut clients)?);
/// }
/// # Ok::<(), io::Error>(())
/// ```
///
/// Source: accept(2), "Error handling".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptFailure {
    /// Nobody waits. The listener will be reported when somebody does.
    Nobody,
    /// A connection failed before it was accepted, or a firewall forbade it: the next one may wait.
    Connection,
    /// Descriptors or memory ran out, most likely. Who waits goes on waiting, and in edge mode no report
    /// follows: try again by a timer.
    Shortage,
    /// The listener does not listen (any more).
    Listener,
}

impl AcceptFailure {
    /// What `error`, of an `accept`, means.
    #[must_use]
    pub fn of(error: &io::Error) -> AcceptFailure {
        match error.kind() {
            ErrorKind::WouldBlock => AcceptFailure::Nobody,
            ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::Interrupted
            | ErrorKind::NetworkDown
            | ErrorKind::NetworkUnreachable
            | ErrorKind::PermissionDenied
            | ErrorKind::TimedOut => AcceptFailure::Connection,
            ErrorKind::InvalidInput => AcceptFailure::Listener,
            _ => AcceptFailure::Shortage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::TcpListener;

    #[test]
    fn only_what_concerns_one_connection_is_passed_over() {
        for (kind, failure) in [
            (ErrorKind::WouldBlock, AcceptFailure::Nobody),
            (ErrorKind::ConnectionAborted, AcceptFailure::Connection),
            (ErrorKind::ConnectionReset, AcceptFailure::Connection),
            (ErrorKind::HostUnreachable, AcceptFailure::Connection),
            (ErrorKind::Interrupted, AcceptFailure::Connection),
            (ErrorKind::NetworkDown, AcceptFailure::Connection),
            (ErrorKind::NetworkUnreachable, AcceptFailure::Connection),
            (ErrorKind::PermissionDenied, AcceptFailure::Connection),
            (ErrorKind::TimedOut, AcceptFailure::Connection),
            (ErrorKind::OutOfMemory, AcceptFailure::Shortage),
            (ErrorKind::QuotaExceeded, AcceptFailure::Shortage),
            (ErrorKind::Other, AcceptFailure::Shortage),
            (ErrorKind::InvalidInput, AcceptFailure::Listener),
        ] {
            assert_eq!(AcceptFailure::of(&kind.into()), failure, "{kind:?}");
        }
    }

    #[test]
    fn a_listener_to_which_nobody_comes_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = listener.accept().unwrap_err();
        assert_eq!(AcceptFailure::of(&error), AcceptFailure::Nobody);
    }

    #[test]
    #[cfg(unix)]
    fn a_lack_of_descriptors_or_buffers_is_a_shortage_and_a_deaf_socket_the_listeners() {
        for (code, failure) in [
            (libc::EMFILE, AcceptFailure::Shortage),
            (libc::ENFILE, AcceptFailure::Shortage),
            (libc::ENOBUFS, AcceptFailure::Shortage),
            (libc::ENOMEM, AcceptFailure::Shortage),
            (libc::EINVAL, AcceptFailure::Listener),
            (libc::ECONNABORTED, AcceptFailure::Connection),
        ] {
            assert_eq!(AcceptFailure::of(&io::Error::from_raw_os_error(code)), failure, "{code}");
        }
    }
}
