//! Signals and exits of children reach the component that asked for them, also one of many.
#![cfg(target_os = "linux")]

use std::{
    io::{self, ErrorKind},
    process::{Child, Command},
    time::Duration,
};

use mio_core::{Any, ChildExit, EventLoop, Handler, Key, Scope, Signal, SignalInfo, Slab};

/// A component: waits for a signal, and for children by their numbers.
mod watch {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Handler)]
    #[handler(state = Watch)]
    pub(super) enum On {
        #[signal(URG)]
        Poke,
        #[child]
        Helper(u8),
    }

    #[derive(Debug, Default)]
    pub(super) struct Watch {
        pub(super) calls: Vec<String>,
    }

    impl<L> OnHandler<L> for Watch {
        fn poke(&mut self, event_loop: &mut EventLoop<L, On>, info: SignalInfo) -> io::Result<()> {
            self.calls.push(info.signal.to_string());
            // In its own scope: the next child is its own too.
            let mut child = Command::new("true").spawn()?;
            event_loop.child(&child, On::Helper(200))?;
            child.wait().map(drop)
        }

        fn helper(&mut self, _: &mut EventLoop<L, On>, number: u8, _: ChildExit) -> io::Result<()> {
            self.calls.push(format!("helper {number}"));
            if number == 7 { Err(ErrorKind::TimedOut.into()) } else { Ok(()) }
        }
    }
}

/// By hand: says what it is told.
#[derive(Default)]
struct Raw(Vec<u64>);

impl<L> Handler<(), L> for Raw {
    fn signal(&mut self, _: &mut EventLoop<L>, token: u64, info: SignalInfo) {
        assert_eq!(info.signal, Signal::IO);
        self.0.push(token);
    }

    fn child(&mut self, _: &mut EventLoop<L>, token: u64, _: ChildExit) {
        self.0.push(token);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Server)]
enum On {
    #[nested(watches)]
    Watch(Key<8, 8>, watch::On),
    #[nested(raw)]
    Raw(Any),
}

struct Server {
    watches: Slab<watch::Watch, 8, 8>,
    raw: Raw,
    pulled: usize,
    errors: Vec<(On, ErrorKind)>,
}

impl OnHandler for Server {
    fn watch(&mut self, _: &mut EventLoop<(), On>, _: Key<8, 8>) -> io::Result<()> {
        self.pulled += 1;
        Ok(())
    }

    fn error(&mut self, _: &mut EventLoop<(), On>, source: On, error: io::Error) {
        self.errors.push((source, error.kind()));
    }
}

fn exited() -> Child {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child
}

#[test]
fn signals_and_exits_reach_the_component_that_asked_for_them() {
    let mut event_loop: EventLoop = EventLoop::new().unwrap();
    let mut server = Server {
        watches: Slab::with_capacity(2),
        raw: Raw::default(),
        pulled: 0,
        errors: Vec::new(),
    };
    let keys = [(); 2].map(|()| server.watches.insert(watch::Watch::default()).unwrap());
    let children = [Command::new("true"), Command::new("true"), Command::new("true")];
    let mut children = children.map(|mut command| command.spawn().unwrap());
    let scopes: [Scope<On, watch::On>; 2] = keys.map(On::watch);
    event_loop.nested(scopes[1]).signals(watch::On::Poke).unwrap();
    event_loop.nested(scopes[0]).child(&children[0], watch::On::Helper(7)).unwrap();
    event_loop.nested(scopes[1]).child(&children[1], watch::On::Helper(8)).unwrap();
    event_loop.nested(On::RAW).child(&children[2], 1u64 << 40).unwrap();
    event_loop.nested(On::RAW).signals_with(Signal::IO.into(), 5u64).unwrap();
    for child in &mut children {
        child.wait().unwrap();
    }
    tests::raise(Signal::URG.as_raw());
    tests::raise(Signal::IO.as_raw());
    let done = |server: &Server| server.pulled == 4 && server.raw.0.len() == 2;
    for _ in 0..100 {
        if !done(&server) {
            event_loop.run_once(&mut server, Some(Duration::from_millis(100))).unwrap();
        }
    }
    let calls = |server: &Server, key| {
        let mut calls = server.watches.get(key).unwrap().calls.clone();
        calls.sort();
        calls
    };
    assert_eq!(calls(&server, keys[0]), ["helper 7"]);
    assert_eq!(calls(&server, keys[1]), ["SIGURG", "helper 200", "helper 8"]);
    server.raw.0.sort_unstable();
    assert_eq!(server.raw.0, [5, 1 << 40]);
    let failed = On::Watch(keys[0], watch::On::Helper(7));
    assert_eq!(server.errors, [(failed, ErrorKind::TimedOut)]);

    // A stale key finds nobody.
    event_loop.nested(scopes[0]).child(&exited(), watch::On::Helper(9)).unwrap_err();
    let mut late = Command::new("true").spawn().unwrap();
    event_loop.nested(scopes[0]).child(&late, watch::On::Helper(9)).unwrap();
    server.watches.remove(keys[0]).unwrap();
    let next = server.watches.insert(watch::Watch::default()).unwrap();
    late.wait().unwrap();
    tests::raise(Signal::URG.as_raw());
    for _ in 0..3 {
        event_loop.run_once(&mut server, Some(Duration::from_millis(100))).unwrap();
    }
    assert_eq!(calls(&server, next), [""; 0]);
}
