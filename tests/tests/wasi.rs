//! Descriptors on WASI: the standard input, which is a pipe, and a listener that the host has opened.
//!
//! The host is `.ci/wasi-host`, which does what `host` asks of it by a line on the standard error.
#![cfg(all(target_os = "wasi", not(target_feature = "atomics")))]
#![allow(unsafe_code)]

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Write},
    mem::ManuallyDrop,
    os::fd::{AsFd, BorrowedFd, FromRawFd},
    time::{Duration, Instant},
};

use mio_core::{
    Config, EventLoop, Events, Expiry, Handler, Interest, Key, Readiness, Selector, Slab, Trigger,
    net::{TcpListener, TcpStream},
};

const ZERO: Option<Duration> = Some(Duration::ZERO);
const LONG: Option<Duration> = Some(Duration::from_secs(10));

/// Asks the host to do something, a little later.
fn host(request: &str) {
    io::stderr().write_all(format!("\nhost: {request}\n").as_bytes()).unwrap();
}

/// The standard input, as a type of somebody else's.
struct Stdin(ManuallyDrop<File>);

impl Stdin {
    fn new() -> Stdin {
        // SAFETY: it is open, and is never closed here.
        Stdin(ManuallyDrop::new(unsafe { File::from_raw_fd(0) }))
    }

    /// A read that does not wait if the input is ready.
    fn take(&self) -> String {
        let mut bytes = [0; 64];
        let length = (&*self.0).read(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].into()).unwrap()
    }
}

impl AsFd for Stdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn select(selector: &Selector, timeout: Option<Duration>) -> Option<(u64, Readiness)> {
    let mut events = Events::with_capacity(4);
    selector.select(&mut events, timeout).unwrap();
    assert!(events.len() <= 1);
    events.get(0).map(|event| (event.token, event.readiness))
}

const READABLE: Option<(u64, Readiness)> = Some((7, Readiness::READABLE));

#[test]
fn a_level_is_reported_until_it_is_read() {
    let (selector, stdin) = (Selector::new().unwrap(), Stdin::new());
    selector.register(&stdin, 7, Interest::READABLE, Trigger::Level).unwrap();
    assert_eq!(select(&selector, ZERO), None);
    host("write level");
    assert_eq!(select(&selector, LONG), READABLE);
    assert_eq!(select(&selector, LONG), READABLE);
    assert_eq!(stdin.take(), "level");
    assert_eq!(select(&selector, ZERO), None);
    selector.deregister(&stdin).unwrap();
    assert_eq!(selector.deregister(&stdin).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn an_edge_is_reported_once_until_the_user_says_that_it_would_block() {
    let (selector, stdin) = (Selector::new().unwrap(), Stdin::new());
    selector.register(&stdin, 7, Interest::READABLE, Trigger::Edge).unwrap();
    assert_eq!(select(&selector, ZERO), None);
    for word in ["edge", "again"] {
        host(&format!("write {word}"));
        assert_eq!(select(&selector, LONG), READABLE);
        assert_eq!(select(&selector, ZERO), None, "it is told");
        assert_eq!(stdin.take(), word);
        selector.would_block(&stdin, 7, Interest::READABLE).unwrap();
        assert_eq!(select(&selector, ZERO), None, "nothing is there");
    }
    let stale = selector.would_block(&stdin, 8, Interest::READABLE).unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::NotFound);
}

#[test]
fn a_one_shot_is_silent_until_it_is_registered_again() {
    let (selector, stdin) = (Selector::new().unwrap(), Stdin::new());
    selector.register(&stdin, 7, Interest::READABLE, Trigger::OneShot).unwrap();
    host("write shot");
    assert_eq!(select(&selector, LONG), READABLE);
    assert_eq!(select(&selector, ZERO), None);
    selector.reregister(&stdin, 7, Interest::READABLE, Trigger::OneShot).unwrap();
    assert_eq!(select(&selector, LONG), READABLE);
    assert_eq!(stdin.take(), "shot");
    selector.reregister(&stdin, 7, Interest::READABLE, Trigger::OneShot).unwrap();
    assert_eq!(select(&selector, ZERO), None);
}

#[test]
fn a_wait_for_a_source_ends_with_its_timeout_and_never_early() {
    let (selector, stdin) = (Selector::new().unwrap(), Stdin::new());
    selector.register(&stdin, 7, Interest::READABLE, Trigger::Level).unwrap();
    for milliseconds in [1, 5, 20] {
        let (start, timeout) = (Instant::now(), Duration::from_millis(milliseconds));
        assert_eq!(select(&selector, Some(timeout)), None);
        assert!(start.elapsed() >= timeout);
    }
}

#[test]
fn a_source_has_one_place_and_what_cannot_be_waited_for_is_refused() {
    let (selector, stdin) = (Selector::with_capacity(1).unwrap(), Stdin::new());
    let register = |interest| selector.register(&stdin, 7, interest, Trigger::Edge);
    let kind = |result: io::Result<()>| result.map_err(|error| error.kind());
    assert_eq!(kind(register(Interest::empty())), Err(ErrorKind::InvalidInput));
    assert_eq!(kind(register(Interest::PRIORITY)), Err(ErrorKind::Unsupported));
    register(Interest::READABLE).unwrap();
    assert_eq!(kind(register(Interest::READABLE)), Err(ErrorKind::AlreadyExists));
    let other = selector.register(&io::stdout(), 8, Interest::WRITABLE, Trigger::Level);
    assert_eq!(kind(other), Err(ErrorKind::StorageFull));
    let exclusive =
        selector.register_exclusive(&io::stdout(), 8, Interest::WRITABLE, Trigger::Level);
    assert_eq!(kind(exclusive), Err(ErrorKind::Unsupported));
}

/// Reads words from the standard input, and has them sent to itself; a timer has each asked for.
struct Reader {
    stdin: Stdin,
    got: Vec<String>,
    asked: u32,
}

const STDIN: u64 = 1;
const ASK: u64 = 2;

impl Handler<String> for Reader {
    fn readable(&mut self, event_loop: &mut EventLoop<String>, token: u64) {
        assert_eq!(token, STDIN);
        event_loop.sender().send(self.stdin.take()).unwrap();
        event_loop.would_block(&self.stdin, STDIN, Interest::READABLE).unwrap();
    }

    fn message(&mut self, event_loop: &mut EventLoop<String>, word: String) {
        self.got.push(word);
        if self.got.len() == 3 {
            return event_loop.shutdown();
        }
        event_loop.timeout(ASK, Duration::from_millis(5)).unwrap();
    }

    fn timeout(&mut self, _: &mut EventLoop<String>, token: u64, expiry: Expiry) {
        assert_eq!(token, ASK);
        assert!(Instant::now() >= expiry.deadline(), "never early");
        self.asked += 1;
        host(&format!("write word{}", self.asked));
    }
}

#[test]
fn a_loop_has_its_input_its_timers_and_its_messages_in_one_thread() {
    let mut event_loop = EventLoop::with_config(Config::default()).unwrap();
    let stdin = Stdin::new();
    event_loop.register_with(&stdin, STDIN, Interest::READABLE, Trigger::Edge).unwrap();
    event_loop.timeout(ASK, Duration::from_millis(5)).unwrap();
    let reader = Reader { stdin, got: Vec::new(), asked: 0 };
    let reader = event_loop.run(reader).unwrap();
    assert_eq!(
        (&reader.got[..], reader.asked),
        (&["word1", "word2", "word3"].map(String::from)[..], 3)
    );
}

/// Sends everything back, until `left` connections have ended.
struct Echo {
    listener: TcpListener,
    connections: Slab<TcpStream>,
    left: usize,
    bytes: usize,
}

const LISTENER: u64 = u64::MAX >> 8;

impl Handler for Echo {
    fn readable(&mut self, event_loop: &mut EventLoop, token: u64) {
        if token == LISTENER {
            return self.accept(event_loop);
        }
        let key = Key::from_bits_truncate(token);
        let mut buffer = [0; 512];
        loop {
            let Some(mut connection) = self.connections.get(key) else { return };
            match connection.read(&mut buffer) {
                Ok(0) => {
                    let connection = self.connections.remove(key).unwrap();
                    event_loop.close(connection, token).unwrap();
                    self.left -= 1;
                    if self.left == 0 {
                        event_loop.shutdown();
                    }
                    return;
                }
                Ok(length) => {
                    self.bytes += length;
                    connection.write_all(&buffer[..length]).unwrap();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

impl Echo {
    fn accept(&mut self, event_loop: &mut EventLoop) {
        loop {
            match self.listener.accept() {
                Ok((connection, peer)) => {
                    assert_eq!(peer.port(), 0, "the host does not tell");
                    let entry = self.connections.vacant_entry().unwrap();
                    let token = entry.key().to_bits();
                    let (interest, trigger) = (Interest::READABLE, Trigger::Edge);
                    event_loop.register_with(&connection, token, interest, trigger).unwrap();
                    entry.insert(connection);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn a_listener_of_the_host_serves_many_connections() {
    const CLIENTS: usize = 20;
    const BYTES: usize = 3_000;
    let number = std::env::var("MIO_LISTENER").expect("the host has a listener").parse().unwrap();
    // SAFETY: the host has opened it for this, and nobody else takes it.
    let listener = unsafe { std::net::TcpListener::from_raw_fd(number) };
    let listener = TcpListener::from(listener);
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.register_with(&listener, LISTENER, Interest::READABLE, Trigger::Edge).unwrap();
    host(&format!("connect {CLIENTS} {BYTES}"));
    let connections = Slab::with_capacity(CLIENTS);
    let echo = Echo { listener, connections, left: CLIENTS, bytes: 0 };
    let echo = event_loop.run(echo).unwrap();
    assert_eq!(echo.bytes, CLIENTS * BYTES);
}

/// The last one, in the order of the names: the input ends with it.
#[test]
fn when_the_input_ends_it_is_readable() {
    let (selector, stdin) = (Selector::new().unwrap(), Stdin::new());
    selector.register(&stdin, 7, Interest::READABLE, Trigger::Edge).unwrap();
    host("close");
    let (token, readiness) = select(&selector, LONG).unwrap();
    assert!(token == 7 && readiness.contains(Readiness::READABLE));
    assert_eq!(stdin.take(), "");
    assert_eq!(select(&selector, ZERO), None, "it does not spin");
}
