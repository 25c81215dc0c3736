//! Unix sockets that never block.
//!
//! Thin newtypes over those of `std`, `From` and `Into` both ways; what [`net`](crate::net) says of
//! its types holds for these too: non-blocking, close-on-exec, nothing allocated, and how broken
//! pipes and interruptions are told.
//!
//! # Portability
//!
//! Unix. Windows has such sockets, but `std` has no type for them.
//!
//! # Names
//!
//! A socket is bound to a path, to an abstract name or to nothing. A path stays in the file system
//! when the socket is gone, and nobody can bind it again before it is removed. Linux has abstract
//! names, which go with their socket: build one with `std`'s `SocketAddrExt`
//! (`std::os::linux::net`) and give it to the functions that end in `_addr`.

mod datagram;
mod listener;
mod stream;

pub use std::os::unix::net::SocketAddr;

pub use datagram::UnixDatagram;
pub use listener::UnixListener;
pub use stream::UnixStream;

#[cfg(test)]
pub(crate) mod tests {
    use std::path::{Path, PathBuf};

    use super::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
    use crate::{
        awaited::awaited,
        sync::global::{AtomicUsize, Ordering},
        sys::abstract_names::SocketAddrExt,
    };

    /// A path of its own for one socket, removed at the end.
    pub(crate) struct TempPath(PathBuf);

    impl TempPath {
        pub(crate) fn new() -> TempPath {
            static NEXT: AtomicUsize = AtomicUsize::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("mio-core-{}-{number}", std::process::id());
            TempPath(std::env::temp_dir().join(name))
        }
    }

    impl AsRef<Path> for TempPath {
        fn as_ref(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for TempPath {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn abstract_names_are_bound_connected_and_told_with_every_byte() {
        let name = [b"mio-core \0 ".as_slice(), &std::process::id().to_ne_bytes()].concat();
        let Ok(address) = <SocketAddr as SocketAddrExt>::from_abstract_name(&name) else { return };
        let listener = UnixListener::bind_addr(&address).unwrap();
        assert_eq!(listener.local_addr().unwrap().as_abstract_name(), Some(name.as_slice()));
        let client = UnixStream::connect_addr(&address).unwrap();
        assert_eq!(client.peer_addr().unwrap().as_abstract_name(), Some(name.as_slice()));
        listener.accept().unwrap();
        drop(listener);
        awaited(|| UnixListener::bind_addr(&address).ok());

        let datagram = UnixDatagram::bind_addr(&address).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.connect_addr(&address).unwrap();
        sender.send(b"hello").unwrap();
        assert_eq!(datagram.recv(&mut [0; 8]).unwrap(), 5);
    }
}
