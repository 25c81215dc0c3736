//! A child that was forked without `exec` shares the kernel's part of its parent's loop, and can
//! neither use it nor disturb it.
#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

use std::{
    io::{self, ErrorKind, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
    time::Duration,
};

use mio_core::{EventLoop, Events, Handler, Interest, Selector, Signal, Trigger, Waker, pipe};
use tests::{Isolated, test_name};

#[derive(Default)]
struct Log {
    ready: Vec<u64>,
    messages: Vec<u32>,
}

impl Handler<u32> for Log {
    fn readable(&mut self, _: &mut EventLoop<u32>, token: u64) {
        self.ready.push(token);
    }

    fn message(&mut self, _: &mut EventLoop<u32>, message: u32) {
        self.messages.push(message);
    }
}

/// Whether `body` holds in a forked child. Its process has one thread but for the test harness's.
fn holds_in_a_fork(body: impl FnOnce()) -> bool {
    // SAFETY: the child only runs `body`, which the C library we test with is able to.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let held = catch_unwind(AssertUnwindSafe(body)).is_ok();
        // SAFETY: ends the child without running what belongs to the parent.
        unsafe { libc::_exit(if held { 7 } else { 8 }) };
    }
    let mut status = 0;
    // SAFETY: `status` has room for what is written to it.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 7
}

fn refused<T>(result: io::Result<T>) {
    assert_eq!(result.err().map(|error| error.kind()), Some(ErrorKind::Unsupported));
}

#[test]
fn every_use_of_the_parents_loop_is_refused_and_the_parent_notices_nothing() {
    Isolated::new(test_name!()).run(|| {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        let outer = Selector::new().unwrap();
        #[cfg(nests)]
        outer.register(&event_loop, 1, Interest::READABLE, Trigger::Level).unwrap();
        let (a, mut b) = UnixStream::pair().unwrap();
        event_loop.register_with(&a, 2u64, Interest::READABLE, Trigger::Edge).unwrap();
        event_loop.run_once(&mut Log::default(), Some(Duration::ZERO)).unwrap();
        let sender = event_loop.sender();
        let mut sleeper = Command::new("sleep").arg("100").spawn().unwrap();

        let (other, _writer) = pipe::new().unwrap();
        let own = a.as_fd().try_clone_to_owned().unwrap();
        let mut log = Log::default();
        let (event_loop_there, log_there) = (&mut event_loop, &mut log);
        let held = holds_in_a_fork(|| {
            let event_loop = event_loop_there;
            refused(event_loop.run_once(log_there, Some(Duration::ZERO)));
            refused(event_loop.run(log_there));
            refused(event_loop.register(&other, 3u64));
            refused(event_loop.register_exclusive(&other, 3u64));
            refused(event_loop.reregister(&a, 3u64));
            refused(event_loop.deregister(&a, 2u64));
            refused(event_loop.close(own, 2u64));
            refused(event_loop.signals_with(Signal::USR1.into(), 3u64));
            refused(event_loop.child(&sleeper, 3u64));
            sender.send(4).unwrap();
            *event_loop = EventLoop::new().unwrap();
            event_loop.sender().send(5).unwrap();
            let mut log = Log::default();
            event_loop.run_once(&mut log, None).unwrap();
            assert_eq!(log.messages, [5], "a loop of its own works");
        });
        assert!(held);

        let mut events = Events::with_capacity(4);
        outer.select(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty(), "the child's message wakes nobody here");
        b.write_all(b"x").unwrap();
        sender.send(6).unwrap();
        event_loop.run_once(&mut log, None).unwrap();
        assert_eq!((log.ready, log.messages), (vec![2], vec![6]));
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    });
}

#[test]
fn every_use_of_the_parents_selector_is_refused() {
    Isolated::new(test_name!()).run(|| {
        let selector = Selector::new().unwrap();
        let waker = Waker::new(&selector, 1).unwrap();
        let (reader, _writer) = pipe::new().unwrap();
        let mut events = Events::with_capacity(4);
        assert!(holds_in_a_fork(|| {
            let mut events = Events::with_capacity(4);
            refused(selector.select(&mut events, Some(Duration::ZERO)));
            refused(selector.register(&reader, 2, Interest::READABLE, Trigger::Edge));
            refused(selector.register_exclusive(&reader, 2, Interest::READABLE, Trigger::Edge));
            refused(selector.reregister(&reader, 2, Interest::READABLE, Trigger::Edge));
            refused(selector.deregister(&reader));
            refused(waker.wake());
            refused(Waker::new(&selector, 3));
        }));
        selector.select(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
        waker.wake().unwrap();
        selector.select(&mut events, None).unwrap();
        assert_eq!(events.get(0).map(|event| event.token), Some(1));
    });
}
