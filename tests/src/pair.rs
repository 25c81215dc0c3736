//! A connected pair of streams, as every platform has one.

use std::{thread, time::Duration};

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
/// If the system refuses to set the option.
pub fn hang_up(stream: Stream) {
    #[cfg(windows)]
    stream.set_linger(Some(Duration::ZERO)).expect("it is open");
    drop(stream);
    settle();
}

/// Returns when what was sent or closed on this machine has come to the other side, and the kernel tells of it.
/// That is at once, except on Windows, where others do that work in their own time.
pub fn settle() {
    if cfg!(windows) {
        thread::sleep(Duration::from_millis(20));
    }
}
