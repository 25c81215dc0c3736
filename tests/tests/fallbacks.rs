//! Where a kernel or a sandbox refuses a call, everything works all the same: each of the calls that
//! have a substitute is made to fail for real, alone and with all the others, with both of the errors by
//! which kernels and sandboxes refuse.
#![cfg(target_os = "linux")]

use std::{
    ffi::OsStr,
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use mio_core::{
    ChildExit, EventLoop, Events, Expiry, Handler, Selector, Signal, SignalInfo,
    net::{TcpListener, TcpStream},
    unix::{UnixListener, UnixStream},
};
use tests::{Isolated, backend, is_nonblocking_and_cloexec};

const LOCALHOST: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

macro_rules! without {
    ($($name:ident: $($call:ident)+;)*) => {$(
        mod $name {
            use super::*;

            const CALLS: &[libc::c_long] = &[$(libc::$call),+];

            #[test]
            fn that_the_kernel_lacks() {
                Isolated::new(tests::test_name!()).refuse(CALLS, libc::ENOSYS).run(everything_works);
            }

            #[test]
            fn that_a_sandbox_refuses() {
                Isolated::new(tests::test_name!()).refuse(CALLS, libc::EPERM).run(everything_works);
            }
        }
    )*};
}

without! {
    without_waits_in_nanoseconds: SYS_epoll_pwait2;
    without_eventfd: SYS_eventfd2;
    without_signalfd: SYS_signalfd4;
    without_pidfd: SYS_pidfd_open;
    without_accept4: SYS_accept4;
    without_any: SYS_epoll_pwait2 SYS_eventfd2 SYS_signalfd4 SYS_pidfd_open SYS_accept4;
}

/// The same with nothing refused, so that a failure above is one of the substitutes.
#[test]
fn everything_works_with_all_of_them() {
    Isolated::new(tests::test_name!()).run(everything_works);
}

#[test]
fn no_substitute_is_used_where_there_is_no_need() {
    let trace = Isolated::new(tests::test_name!()).trace(|| {
        tests::mark(1);
        everything_works();
        tests::mark(2);
    });
    let calls = trace.between(1, 2);
    let made = |name| calls.iter().any(|call| call.name() == name);
    for call in ["epoll_pwait2", "eventfd2", "pidfd_open"] {
        let used = backend::IS_EPOLL && !backend::IS_OLD;
        assert_eq!(made(call), used, "{call} is what the tests above refuse");
    }
    assert_eq!(made("accept4"), !backend::IS_OLD, "it is what the tests above refuse");
    assert_eq!(made("accept"), backend::IS_OLD, "it is a substitute");
    for call in ["pipe", "signalfd4"] {
        assert!(!made(call), "{call} is a substitute");
    }
}

#[test]
fn no_substitute_is_missing_where_the_call_that_is_really_made_is_refused() {
    let isolated = Isolated::new(tests::test_name!()).refuse(&[libc::SYS_accept4], libc::ENOSYS);
    let trace = isolated.trace(|| {
        tests::mark(1);
        accepted_connections_neither_block_nor_survive_an_exec();
        tests::mark(2);
    });
    assert!(
        trace.names(1, 2).contains(&"accept"),
        "a machine has more than one call to accept with"
    );
}

#[test]
fn what_was_refused_is_not_asked_for_again() {
    let isolated =
        Isolated::new(tests::test_name!()).refuse(&[libc::SYS_epoll_pwait2], libc::ENOSYS);
    let trace = isolated.trace(|| {
        let selector = Selector::new().unwrap();
        let mut events = Events::with_capacity(1);
        tests::mark(1);
        for _ in 0..3 {
            selector.select(&mut events, Some(Duration::from_micros(1_500))).unwrap();
        }
        tests::mark(2);
    });
    let refused = trace.names(1, 2).into_iter().filter(|name| *name == "epoll_pwait2");
    assert_eq!(refused.count(), usize::from(backend::IS_EPOLL && !backend::IS_OLD));
}

#[test]
fn accept_does_not_ask_again_for_what_was_refused() {
    // Without it in the kernel, musl's own `accept4` asks for it and does the rest each time.
    let isolated = Isolated::new(tests::test_name!()).refuse(&[libc::SYS_accept4], libc::EPERM);
    let trace = isolated.trace(|| {
        let listener = TcpListener::bind(LOCALHOST).unwrap();
        let address = listener.local_addr().unwrap();
        let _clients = [(); 3].map(|()| std::net::TcpStream::connect(address).unwrap());
        tests::mark(1);
        (0..3).for_each(|_| drop(listener.accept().unwrap()));
        tests::mark(2);
    });
    let refused = trace.names(1, 2).into_iter().filter(|name| *name == "accept4");
    assert_eq!(refused.count(), usize::from(!backend::IS_OLD));
}

#[test]
fn a_connect_that_is_interrupted_is_in_progress() {
    let isolated = Isolated::new(tests::test_name!()).refuse(&[libc::SYS_connect], libc::EINTR);
    isolated.run(|| {
        let listener = TcpListener::bind(LOCALHOST).unwrap();
        assert!(TcpStream::connect(listener.local_addr().unwrap()).is_ok());
    });
}

#[test]
fn a_connection_is_not_lost_for_a_name_that_a_sandbox_refuses() {
    let isolated = Isolated::new(tests::test_name!()).refuse(&[libc::SYS_getpeername], libc::EPERM);
    isolated.run(|| {
        let path = std::env::temp_dir().join(format!("{}.socket", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        // Of such a path `std` builds no address, so that `accept` has to ask for it.
        let mut long = [b'x'; 108];
        let start = path.with_extension("");
        long[..start.as_os_str().len()].copy_from_slice(start.as_os_str().as_bytes());
        let mut client = tests::connect_from(&long, &path).unwrap();
        let accepted = listener.accept();
        for path in [&path, Path::new(OsStr::from_bytes(&long))] {
            std::fs::remove_file(path).unwrap();
        }
        let (mut server, peer) = accepted.unwrap();
        assert!(peer.is_unnamed());
        assert_eq!(server.peer_addr().unwrap_err().raw_os_error(), Some(libc::EPERM));
        client.write_all(b"x").unwrap();
        assert_eq!(server.read(&mut [0; 8]).unwrap(), 1);
    });
}

fn everything_works() {
    timers_are_never_early();
    messages_wake_a_sleeping_loop();
    signals_arrive();
    child_exits_are_told();
    accepted_connections_neither_block_nor_survive_an_exec();
}

/// What happened, and how many times.
#[derive(Default)]
struct Log {
    fired: Vec<(u64, Instant, Instant)>,
    messages: Vec<u32>,
    signals: Vec<(u64, SignalInfo)>,
    exits: Vec<(u64, ChildExit)>,
    readable: Vec<u64>,
}

impl Handler<u32> for Log {
    fn readable(&mut self, _: &mut EventLoop<u32>, token: u64) {
        self.readable.push(token);
    }

    fn timeout(&mut self, _: &mut EventLoop<u32>, token: u64, expiry: Expiry) {
        self.fired.push((token, expiry.deadline(), Instant::now()));
    }

    fn message(&mut self, _: &mut EventLoop<u32>, message: u32) {
        self.messages.push(message);
    }

    fn signal(&mut self, _: &mut EventLoop<u32>, token: u64, info: SignalInfo) {
        self.signals.push((token, info));
    }

    fn child(&mut self, _: &mut EventLoop<u32>, token: u64, exit: ChildExit) {
        self.exits.push((token, exit));
    }
}

/// Runs until `done`, and no longer than ten seconds.
fn run(event_loop: &mut EventLoop<u32>, done: impl Fn(&Log) -> bool) -> Log {
    let end = Instant::now() + Duration::from_secs(10);
    let mut log = Log::default();
    while !done(&log) {
        let left = end.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "nothing came");
        event_loop.run_once(&mut log, Some(left)).unwrap();
    }
    log
}

fn timers_are_never_early() {
    let mut event_loop = EventLoop::new().unwrap();
    for token in 0..50 {
        event_loop.timeout(token, Duration::from_micros(1_000 + 333 * token)).unwrap();
    }
    let log = run(&mut event_loop, |log| log.fired.len() == 50);
    for (n, (token, deadline, fired)) in log.fired.into_iter().enumerate() {
        assert_eq!(token, n as u64);
        assert!(fired >= deadline, "{token} early by {:?}", deadline - fired);
    }
}

fn messages_wake_a_sleeping_loop() {
    let mut event_loop = EventLoop::new().unwrap();
    for round in 0..5 {
        let sender = event_loop.sender();
        let threads = thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            (0..100).for_each(|n| sender.send(n).unwrap());
        });
        let log = run(&mut event_loop, |log| log.messages.len() == 100);
        assert_eq!(log.messages, Vec::from_iter(0..100), "round {round}");
        threads.join().unwrap();
    }
    // Wakes that nobody needed must not fill up what carries them.
    for _ in 0..20 {
        let sender = event_loop.sender();
        thread::scope(|scope| {
            for _ in 0..4 {
                let sender = sender.clone();
                scope.spawn(move || (0..10).for_each(|n| sender.send(n).unwrap()));
            }
            run(&mut event_loop, |log| log.messages.len() == 40);
        });
    }
}

fn signals_arrive() {
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.signals_with([Signal::USR1, Signal::USR2].into(), 7u64).unwrap();
    for signal in [Signal::USR1, Signal::USR2, Signal::USR1] {
        let threads = thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            tests::signal_process(signal.as_raw());
        });
        let log = run(&mut event_loop, |log| !log.signals.is_empty());
        let [(7, info)] = log.signals[..] else { panic!("{:?}", log.signals) };
        assert_eq!((info.signal, info.pid), (signal, Some(std::process::id())));
        threads.join().unwrap();
    }
}

fn child_exits_are_told() {
    let mut event_loop = EventLoop::new().unwrap();
    let cat = |_| {
        let (end, input) = std::os::unix::net::UnixStream::pair().unwrap();
        let child = Command::new("cat").stdin(OwnedFd::from(input)).spawn().unwrap();
        (child, Some(end))
    };
    let (mut children, mut ends): (Vec<_>, Vec<_>) = (0..3).map(cat).unzip();
    for (token, child) in (0_u64..).zip(&children) {
        event_loop.child(child, token).unwrap();
    }
    drop(ends[1].take());
    let log = run(&mut event_loop, |log| !log.exits.is_empty());
    assert!(matches!(&log.exits[..], [(1, exit)] if exit.pid() == children[1].id()));
    children[0].kill().unwrap();
    drop(ends[2].take());
    let mut log = run(&mut event_loop, |log| log.exits.len() == 2);
    log.exits.sort_by_key(|&(token, _)| token);
    assert_eq!(log.exits[0].1.signal().map(Signal::as_raw), Some(libc::SIGKILL));
    assert!(log.exits[1].1.success());
    // They are told of, not reaped.
    assert!(!children[0].wait().unwrap().success());
    assert!(children[1].wait().unwrap().success() && children[2].wait().unwrap().success());
}

fn accepted_connections_neither_block_nor_survive_an_exec() {
    let mut event_loop = EventLoop::new().unwrap();
    let listener = TcpListener::bind(LOCALHOST).unwrap();
    let address = listener.local_addr().unwrap();
    event_loop.register(&listener, 1u64).unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    run(&mut event_loop, |log| log.readable == [1]);
    let (mut server, peer) = listener.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    for socket in [&client, &server] {
        assert!(is_nonblocking_and_cloexec(socket));
    }
    assert_eq!(server.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    event_loop.register(&server, 2u64).unwrap();
    client.write_all(b"x").unwrap();
    run(&mut event_loop, |log| log.readable == [2]);
    assert_eq!(server.read(&mut [0; 8]).unwrap(), 1);

    let path = format!("{}/{}.socket", std::env::temp_dir().display(), std::process::id());
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(is_nonblocking_and_cloexec(&server) && is_nonblocking_and_cloexec(&client));
}
