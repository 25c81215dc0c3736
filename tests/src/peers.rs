//! The two peers of a proxy, as blocking sockets that give up in the end.

use std::{
    io::{self, ErrorKind, Read},
    net::{SocketAddr, TcpListener, TcpStream},
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

/// What `look` sees in the end; until it does, `meanwhile` is called again and again.
///
/// # Panics
/// If it sees nothing for [`PATIENCE`].
#[track_caller]
pub fn awaited<T>(mut meanwhile: impl FnMut(), mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "it does not come");
        meanwhile();
        thread::sleep(Duration::from_micros(200));
    }
}

/// Returns when nobody listens there any more: until it executes its program, a child that another test begins has the
/// listener too.
///
/// # Panics
/// If somebody does for [`PATIENCE`].
#[track_caller]
pub fn nobody_listens(address: SocketAddr) {
    // Windows gives children none, and takes seconds to refuse.
    if cfg!(unix) {
        awaited(|| (), || TcpStream::connect(address).err());
    }
}

/// The next who comes.
///
/// # Panics
/// If nobody comes, or the system refuses.
#[must_use]
#[track_caller]
pub fn accept(listener: &TcpListener) -> TcpStream {
    accept_while(|| (), listener)
}

/// The next who comes, if something has to be done for that in this thread.
///
/// # Panics
/// As [`accept`].
#[track_caller]
pub fn accept_while(meanwhile: impl FnMut(), listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).expect("it is open");
    let stream = awaited(meanwhile, || match listener.accept() {
        Ok((stream, _)) => Some(stream),
        Err(error) if error.kind() != ErrorKind::WouldBlock => panic!("{error}"),
        Err(_) => None,
    });
    stream.set_nonblocking(false).expect("it is open");
    patient(stream)
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

/// So many bytes, if something has to be done for them in this thread.
///
/// # Panics
/// If they do not come.
#[track_caller]
pub fn read_while(meanwhile: impl FnMut(), stream: &TcpStream, length: usize) -> Vec<u8> {
    let bytes = read_up_to(meanwhile, stream, length as u64).expect("bytes");
    assert_eq!(bytes.len(), length, "an end");
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

/// All that comes, if something has to be done for that in this thread.
///
/// # Errors
/// What came instead of an end.
///
/// # Panics
/// If no end comes.
#[track_caller]
pub fn read_to_end_while(meanwhile: impl FnMut(), stream: &TcpStream) -> io::Result<Vec<u8>> {
    read_up_to(meanwhile, stream, u64::MAX)
}

#[track_caller]
fn read_up_to(meanwhile: impl FnMut(), stream: &TcpStream, most: u64) -> io::Result<Vec<u8>> {
    stream.set_nonblocking(true)?;
    let mut bytes = Vec::new();
    let read = awaited(meanwhile, || {
        let left = most - bytes.len() as u64;
        match { stream }.take(left).read_to_end(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            read => Some(read),
        }
    });
    stream.set_nonblocking(false)?;
    read.map(|_| bytes)
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
