//! When descriptors run out: the error says so, nothing leaks, and all goes on once there are some.
#![cfg(target_os = "linux")]

use std::{
    fmt::Debug,
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr},
    process::{Command, Stdio},
    time::Duration,
};

use mio_core::{
    EventLoop, Handler, Selector, Waker,
    net::{TcpListener, TcpStream, UdpSocket},
    pipe,
    unix::{UnixDatagram, UnixStream},
};
use tests::{Isolated, backend, limit_descriptors, test_name};

const LOCALHOST: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const PLENTY: u64 = 4_096;

fn open_descriptors() -> usize {
    // One is the folder's own.
    fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

/// Opens with room for no descriptor, for one, two and so on until it works. Before that it must
/// fail with EMFILE and leave nothing open. No number below the highest open one may be free.
fn fails_clearly_until_it_works<T>(what: &str, open: impl Fn() -> io::Result<T>) -> T {
    let before = open_descriptors();
    for room in 0..16 {
        limit_descriptors(before as u64 + room).unwrap();
        let result = open();
        limit_descriptors(PLENTY).unwrap();
        match result {
            Ok(opened) => {
                assert!(room > 0, "{what} needs a descriptor, or this tests nothing");
                return opened;
            }
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EMFILE), "{what}: {error}"),
        }
        assert_eq!(open_descriptors(), before, "{what} leaks when it fails");
    }
    panic!("{what} never works");
}

#[test]
fn whatever_opens_descriptors_fails_clearly_and_leaks_none() {
    Isolated::new(test_name!()).run(|| {
        // Numbers from here on are without gaps.
        let _gaps: Vec<File> = fill_gaps();
        let check = |what, open: &dyn Fn() -> io::Result<Box<dyn Debug>>| {
            drop(fails_clearly_until_it_works(what, open));
        };
        check("a loop", &|| Ok(Box::new(EventLoop::<()>::new()?)));
        check("a selector", &|| Ok(Box::new(Selector::new()?)));
        check("a pipe", &|| Ok(Box::new(pipe::new()?)));
        check("a listener", &|| Ok(Box::new(TcpListener::bind(LOCALHOST)?)));
        check("a UDP socket", &|| Ok(Box::new(UdpSocket::bind(LOCALHOST)?)));
        check("a pair of streams", &|| Ok(Box::new(UnixStream::pair()?)));
        check("a pair of datagram sockets", &|| Ok(Box::new(UnixDatagram::pair()?)));
        let listener = TcpListener::bind(LOCALHOST).unwrap();
        let address = listener.local_addr().unwrap();
        check("a connection", &|| Ok(Box::new(TcpStream::connect(address)?)));
        let selector = Selector::new().unwrap();
        if backend::OPENS_WAKERS {
            check("a waker", &|| Ok(Box::new(Waker::new(&selector, 1)?)));
        }
    });
}

/// Takes every descriptor below the highest one that is open.
fn fill_gaps() -> Vec<File> {
    let number = |entry: io::Result<fs::DirEntry>| {
        entry.unwrap().file_name().to_str().unwrap().parse::<u64>().unwrap()
    };
    let highest = fs::read_dir("/proc/self/fd").unwrap().map(number).max().unwrap();
    let null = || File::open("/dev/null").unwrap();
    let mut files = Vec::new();
    while open_descriptors() < usize::try_from(highest + 1).unwrap() {
        files.push(null());
    }
    files
}

/// Accepts whenever there is something to accept, and remembers how that went.
struct Server {
    listener: TcpListener,
    accepted: Vec<TcpStream>,
    failed: Vec<i32>,
}

impl Handler for Server {
    fn readable(&mut self, _: &mut EventLoop, _: u64) {
        loop {
            match self.listener.accept() {
                Ok((connection, _)) => self.accepted.push(connection),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => return self.failed.push(error.raw_os_error().unwrap()),
            }
        }
    }
}

#[test]
fn a_connection_that_could_not_be_accepted_waits_until_it_can() {
    Isolated::new(test_name!()).run(|| {
        let _gaps = fill_gaps();
        let listener = TcpListener::bind(LOCALHOST).unwrap();
        let mut event_loop = EventLoop::new().unwrap();
        event_loop.register(&listener, 1u64).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut server = Server { listener, accepted: Vec::new(), failed: Vec::new() };
        limit_descriptors(open_descriptors() as u64).unwrap();
        event_loop.run_once(&mut server, Some(Duration::from_secs(10))).unwrap();
        assert_eq!((&server.failed[..], server.accepted.len()), (&[libc::EMFILE][..], 0));
        limit_descriptors(PLENTY).unwrap();
        // The edge has been reported: the next look is the program's own to ask for.
        event_loop.again(1u64, mio_core::Readiness::READABLE).unwrap();
        event_loop.run_once(&mut server, Some(Duration::from_secs(10))).unwrap();
        assert_eq!((&server.failed[..], server.accepted.len()), (&[libc::EMFILE][..], 1));
    });
}

#[test]
fn a_child_that_cannot_be_watched_can_be_later() {
    Isolated::new(test_name!()).run(|| {
        let mut event_loop = EventLoop::<()>::new().unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let _gaps = fill_gaps();
        let before = open_descriptors();
        limit_descriptors(before as u64).unwrap();
        let watched = event_loop.child(&child, 1u64);
        limit_descriptors(PLENTY).unwrap();
        assert_eq!(open_descriptors(), before);
        if backend::OPENS_CHILDREN {
            assert_eq!(watched.unwrap_err().raw_os_error(), Some(libc::EMFILE));
            event_loop.child(&child, 1u64).unwrap();
        } else {
            watched.unwrap();
        }
        assert!(event_loop.forget_child(&child));
        child.kill().unwrap();
        child.wait().unwrap();
    });
}
