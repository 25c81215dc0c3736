//! Children that are watched, by their descriptors or by SIGCHLD.

use std::{fs, io, io::Write, os::unix::net::UnixStream, process::Child};

use mio_core::{ChildExit, EventLoop, Handler, Signal, SignalInfo};
use tests::{Isolated, backend, test_name};

use crate::{Log, disposition, kill, raise, shell, wait_without_reaping};

/// Children that exit in every way; all of them are told of, and can be waited for.
fn watch_children(event_loop: &mut EventLoop, log: &mut Log) {
    let mut children: Vec<Child> = (0..20).map(|code| shell(&format!("exit {code}"))).collect();
    children.push(shell("kill -KILL $$"));
    children.push(shell("sleep 0.1; exit 9"));
    for (token, child) in (100u64..).zip(&children) {
        event_loop.child(child, token).unwrap();
    }
    log.exits.clear();
    log.turn_until(event_loop, |log| log.exits.len() >= children.len());
    log.exits.sort_by_key(|&(token, _)| token);
    for ((token, child), (told, exit)) in (100u64..).zip(&mut children).zip(&log.exits) {
        assert_eq!((*told, exit.pid()), (token, child.id()));
        assert_eq!(exit.status(), child.wait().ok());
        let expected = match token - 100 {
            20 => (None, Some(Signal::from_raw(libc::SIGKILL).unwrap())),
            21 => (Some(9), None),
            code => (Some(code as i32), None),
        };
        assert_eq!((exit.code(), exit.signal()), expected);
    }
    let told = log.exits.len();
    log.turn(event_loop);
    assert_eq!(log.exits.len(), told);
}

/// As when the wait has seen the exit before the handler of the signal has run.
#[test]
fn what_a_child_sends_is_told_before_its_exit() {
    struct Interrupted {
        order: Vec<u64>,
    }
    impl Handler for Interrupted {
        fn readable(&mut self, _: &mut EventLoop, _: u64) {
            raise(Signal::USR1);
        }
        fn signal(&mut self, _: &mut EventLoop, token: u64, _: SignalInfo) {
            self.order.push(token);
        }
        fn child(&mut self, event_loop: &mut EventLoop, token: u64, _: ChildExit) {
            self.order.push(token);
            event_loop.shutdown();
        }
    }
    Isolated::new(test_name!()).run(|| {
        let mut event_loop = EventLoop::new().unwrap();
        event_loop.signals_with(Signal::USR1.into(), 1u64).unwrap();
        let (reader, mut writer) = UnixStream::pair().unwrap();
        event_loop.register(&reader, 2u64).unwrap();
        writer.write_all(b"x").unwrap();
        let mut child = shell("exit 0");
        wait_without_reaping(&child);
        event_loop.child(&child, 3u64).unwrap();
        let interrupted = event_loop.run(Interrupted { order: Vec::new() }).unwrap();
        assert_eq!(interrupted.order, [1, 3]);
        child.wait().unwrap();
    });
}

#[test]
fn child_exits_need_no_signal() {
    Isolated::new(test_name!()).run(|| {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        let mut log = Log::default();
        let long = shell("exec sleep 100");
        event_loop.child(&long, 1u64).unwrap();
        assert_eq!(disposition(Signal::CHLD) == libc::SIG_DFL, backend::OPENS_CHILDREN);
        watch_children(&mut event_loop, &mut log);
        assert!(event_loop.forget_child(&long) && !event_loop.forget_child(&long));
        kill(long.id(), Signal::TERM);
        let told = log.exits.len();
        log.turn(&mut event_loop);
        assert_eq!(log.exits.len(), told, "what is forgotten is not told of");
        let mut long = long;
        long.wait().unwrap();
        let error = event_loop.child(&long, 1u64).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
    });
}

#[test]
fn without_pidfds_exits_are_told_by_sigchld_beside_the_users_own() {
    Isolated::new(test_name!()).refuse(&[libc::SYS_pidfd_open], libc::ENOSYS).run(|| {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        let mut log = Log::default();
        watch_children(&mut event_loop, &mut log);
        assert!(log.signals.is_empty(), "the user did not ask for SIGCHLD");
        assert_eq!(disposition(Signal::CHLD), libc::SIG_DFL, "given back when it is not needed");

        event_loop.signals_with(Signal::CHLD.into(), 3u64).unwrap();
        watch_children(&mut event_loop, &mut log);
        assert!(!log.signals.is_empty());
        assert!(log.signals().iter().all(|&told| told == (3, Signal::CHLD)));

        let mut child = shell("exec sleep 100");
        event_loop.child(&child, 1u64).unwrap();
        event_loop.ignore_signals(Signal::CHLD.into());
        child.kill().unwrap();
        log.exits.clear();
        log.signals.clear();
        log.turn_until(&mut event_loop, |log| !log.exits.is_empty());
        assert!(log.signals.is_empty());
        child.wait().unwrap();
    });
}

#[test]
fn without_pidfds_one_loop_at_a_time_watches_children() {
    Isolated::new(test_name!()).refuse(&[libc::SYS_pidfd_open], libc::EPERM).run(|| {
        let (mut one, mut two) = (EventLoop::new().unwrap(), EventLoop::new().unwrap());
        let mut children = [shell("exec sleep 100"), shell("sleep 100")];
        one.child(&children[0], 1u64).unwrap();
        let error = two.child(&children[1], 2u64).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        let error = two.signals_with(Signal::CHLD.into(), 3u64).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        assert!(one.forget_child(&children[0]));
        two.child(&children[1], 2u64).unwrap();
        for child in &mut children {
            child.kill().unwrap();
        }
        let (mut first, mut second) = (Log::default(), Log::default());
        second.turn_until(&mut two, |log| !log.exits.is_empty());
        first.turn(&mut one);
        assert!(first.exits.is_empty());
        for child in &mut children {
            child.wait().unwrap();
        }
    });
}

#[test]
fn a_lack_of_descriptors_is_an_error_and_no_loss() {
    Isolated::new(test_name!()).descriptors(24).run(|| {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        let mut log = Log::default();
        let mut child = shell("exit 5");
        let mut files = Vec::new();
        while let Ok(file) = fs::File::open("/dev/null") {
            files.push(file);
        }
        let watched = event_loop.child(&child, 1u64);
        drop(files);
        if backend::OPENS_CHILDREN {
            assert_eq!(watched.unwrap_err().raw_os_error(), Some(libc::EMFILE));
            event_loop.child(&child, 1u64).unwrap();
        } else {
            watched.unwrap();
        }
        log.turn_until(&mut event_loop, |log| !log.exits.is_empty());
        assert_eq!(log.exits[0].1.code(), Some(5));
        child.wait().unwrap();
    });
}
