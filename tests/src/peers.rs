//! The two peers of a proxy, as blocking sockets that give up in the end.

use std::{
    io::{self, ErrorKind, Read},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// Longer than anything takes that is waited for, so that a failure is no hang.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A stream whose calls fail after [`PATIENCE`].
///
/// # Panics
/// Never, with an open stream.
#[must_use]
pub fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).expect("it is open");
    stream.set_write_timeout(Some(PATIENCE)).expect("it is open");
    stream
}

/// The next who comes.
///
/// # Panics
/// If nobody comes, or the system refuses.
#[must_use]
pub fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).expect("it is open");
    let began = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).expect("it is open");
                return patient(stream);
            }
            Err(error) if error.kind() != ErrorKind::WouldBlock => panic!("{error}"),
            Err(_) => assert!(began.elapsed() < PATIENCE, "nobody comes"),
        }
        thread::sleep(Duration::from_micros(200));
    }
}

/// So many bytes.
///
/// # Panics
/// If they do not come.
pub fn read(mut stream: impl Read, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).expect("bytes");
    bytes
}

/// All that comes.
///
/// # Errors
/// What came instead of an end.
pub fn read_to_end(mut stream: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).map(|_| bytes)
}

/// Ends a connection with a reset.
///
/// # Panics
/// If the system refuses to set the option.
pub fn reset(stream: TcpStream) {
    let stream = mio_core::net::TcpStream::from(stream);
    stream.set_linger(Some(Duration::ZERO)).expect("it is open");
}

/// Bytes of which each eight say where they stand, and in what.
#[must_use]
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let word = |i: u64| (i ^ seed << 40).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    (0..length as u64 / 8).flat_map(|i| word(i).to_le_bytes()).collect()
}
