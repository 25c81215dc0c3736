//! A connected pair of streams, as every platform has one.

use std::{io::Write, thread, time::Duration};

use mio_core::{Events, Interest, Selector, Trigger};

/// The type of this crate's that [`pair`] answers: a Unix socket, or a TCP connection where there is none.
#[cfg(unix)]
pub type Stream = mio_core::unix::UnixStream;
/// The type of this crate's that [`pair`] answers: a Unix socket, or a TCP connection where there is none.
#[cfg(windows)]
pub type Stream = mio_core::net::TcpStream;

/// Two streams, connected and non-blocking.
///
/// # Panics
/// If there is no descriptor left.
#[must_use]
pub fn pair() -> (Stream, Stream) {
    #[cfg(unix)]
    let (one, other) = Stream::pair().expect("two descriptors");
    #[cfg(windows)]
    let (one, other) = {
        let listener =
            std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).expect("a descriptor");
        let address = listener.local_addr().expect("it is bound");
        let one = std::net::TcpStream::connect(address).expect("a descriptor");
        one.set_nodelay(true).expect("it is open");
        let (other, _) = listener.accept().expect("a descriptor");
        other.set_nodelay(true).expect("it is open");
        (one.into(), other.into())
    };
    (one, other)
}

/// Closes a stream such that its peer hears of the end of both directions: TCP has no word for that but a reset.
///
/// # Panics
/// If the system refuses it.
pub fn hang_up(stream: Stream) {
    #[cfg(windows)]
    stream.set_linger(Some(Duration::ZERO)).expect("it is open");
    // Until it executes its program, a child that another test begins has the descriptor too.
    #[cfg(unix)]
    stream.shutdown(std::net::Shutdown::Both).expect("it is connected");
    drop(stream);
    settle();
}

/// How long to wait for the kernel to tell of what was done on this machine: not at all, except on Windows, where
/// others do that work in their own time.
pub const PROMPTLY: Option<Duration> =
    Some(if cfg!(windows) { Duration::from_secs(20) } else { Duration::ZERO });

/// Returns when what was sent or closed on this machine has come to the other side, and the kernel tells of it;
/// see [`PROMPTLY`].
///
/// # Panics
/// If there is no descriptor left.
pub fn settle() {
    if cfg!(windows) {
        thread::sleep(Duration::from_millis(20));
        // On a busy machine that is too little. Who tells of this has told of what was before it.
        let selector = Selector::with_capacity(1).expect("a handle");
        let (one, mut other) = pair();
        selector.register(&one, 0, Interest::READABLE, Trigger::Edge).expect("it is open");
        other.write_all(b"x").expect("there is room");
        let mut events = Events::with_capacity(1);
        selector.select(&mut events, PROMPTLY).expect("it is open");
        assert!(!events.is_empty(), "what was sent arrives");
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_hang_up_is_heard_although_a_child_has_the_descriptor_too() {
        let (one, other) = pair();
        let _inherited = other.as_fd().try_clone_to_owned().unwrap();
        hang_up(other);
        let selector = Selector::with_capacity(1).unwrap();
        selector.register(&one, 0, Interest::READABLE, Trigger::Edge).unwrap();
        let mut events = Events::with_capacity(1);
        selector.select(&mut events, PROMPTLY).unwrap();
        assert!(events.iter().all(|event| event.readiness.is_closed()) && events.len() == 1);
    }
}
