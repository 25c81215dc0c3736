//! Every kind of source: its events reach its method, with its payload, and it is used for no other
//! kind.

use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Mutex,
    time::Duration,
};

use mio_core::{
    ChildExit, EventLoop, Expiry, Handler, Interest, Key, Readiness, Signal, SignalInfo, SignalSet,
    Slab, SourceKind, Token, Trigger, pipe,
};

use tests::{Stream, exits, hang_up, pair};

use crate::{SECOND, virtual_loop};

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Server, message = &'static str)]
enum On {
    #[io(readable, level)]
    Input,
    #[io(readable, writable, priority, closed)]
    Client(Key),
    #[io(writable = drained, oneshot)]
    Output { side: u8 },
    #[timer]
    Idle(Key, bool),
    #[timer(expiry, method = every_second)]
    Interval,
    #[signal(USR1, WINCH)]
    Signals,
    #[child]
    Worker(u16),
    #[io(priority, level)]
    Urgent,
}

#[derive(Default)]
struct Server {
    calls: Vec<String>,
    errors: Vec<(On, ErrorKind)>,
    fail: Option<ErrorKind>,
    input: Option<pipe::Reader>,
    client: Option<Stream>,
    deregister: bool,
}

impl Server {
    fn saw(&mut self, call: impl Into<String>) -> io::Result<()> {
        self.calls.push(call.into());
        match self.fail {
            Some(kind) => Err(kind.into()),
            None => Ok(()),
        }
    }
}

type Loop = EventLoop<&'static str, On>;

impl OnHandler for Server {
    fn input_readable(&mut self, event_loop: &mut Loop) -> io::Result<()> {
        let count = self.input.as_mut().unwrap().read(&mut [0; 16])?;
        event_loop.shutdown();
        self.saw(format!("input {count}"))
    }

    fn client_readable(&mut self, event_loop: &mut Loop, client: Key) -> io::Result<()> {
        if self.deregister {
            event_loop.close(self.client.take().unwrap(), On::Client(client))?;
        }
        self.saw(format!("readable {}", client.index()))
    }

    fn client_writable(&mut self, _: &mut Loop, client: Key) -> io::Result<()> {
        self.saw(format!("writable {}", client.index()))
    }

    fn client_priority(&mut self, _: &mut Loop, client: Key) -> io::Result<()> {
        self.saw(format!("priority {}", client.index()))
    }

    fn client_closed(&mut self, _: &mut Loop, client: Key) -> io::Result<()> {
        self.saw(format!("closed {}", client.index()))
    }

    fn drained(&mut self, event_loop: &mut Loop, side: u8) -> io::Result<()> {
        event_loop.shutdown();
        self.saw(format!("drained {side}"))
    }

    fn idle(&mut self, event_loop: &mut Loop, key: Key, twice: bool) -> io::Result<()> {
        if twice {
            event_loop.timeout(On::Idle(key, false), SECOND)?;
        } else {
            event_loop.shutdown();
        }
        self.saw(format!("idle {} {twice}", key.index()))
    }

    fn every_second(&mut self, event_loop: &mut Loop, expiry: Expiry) -> io::Result<()> {
        if self.calls.len() == 2 {
            event_loop.cancel(expiry.timeout);
            event_loop.shutdown();
        }
        self.saw(format!("second {}", expiry.missed))
    }

    fn signals(&mut self, event_loop: &mut Loop, info: SignalInfo) -> io::Result<()> {
        event_loop.shutdown();
        self.saw(info.signal.to_string())
    }

    fn worker(&mut self, event_loop: &mut Loop, worker: u16, exit: ChildExit) -> io::Result<()> {
        event_loop.shutdown();
        self.saw(format!("worker {worker} {:?}", exit.code()))
    }

    fn urgent_priority(&mut self, _: &mut Loop) -> io::Result<()> {
        self.saw("urgent")
    }

    fn error(&mut self, _: &mut Loop, source: On, error: io::Error) {
        self.errors.push((source, error.kind()));
    }

    fn message(&mut self, event_loop: &mut Loop, message: &'static str) -> io::Result<()> {
        event_loop.shutdown();
        self.saw(message)
    }

    fn tick(&mut self, _: &mut Loop) -> io::Result<()> {
        if self.calls.len() == 7 { self.saw("tick") } else { Ok(()) }
    }
}

fn new_loop() -> EventLoop<&'static str> {
    EventLoop::new().unwrap()
}

/// Signals belong to one loop of the process.
static SIGNALS: Mutex<()> = Mutex::new(());

fn key() -> Key {
    Slab::with_capacity(1).insert(()).unwrap()
}

#[test]
fn a_source_is_registered_as_it_was_declared() {
    let mut event_loop = new_loop();
    let (input, mut output) = pipe::new().unwrap();
    event_loop.register(&input, On::Input).unwrap();
    output.write_all(b"hello").unwrap();
    let server = Server { input: Some(input), ..Server::default() };
    let server = event_loop.run(server).unwrap();
    assert_eq!(server.calls, ["input 5"]);

    event_loop.register(&output, On::Output { side: 1 }).unwrap();
    let server = event_loop.run(Server::default()).unwrap();
    assert_eq!(server.calls, ["drained 1"]);
    let mut server = Server::default();
    event_loop.run_once(&mut server, Some(Duration::ZERO)).unwrap();
    assert_eq!(server.calls, [""; 0], "one shot");
}

#[test]
fn an_event_goes_to_its_methods_in_order() {
    let mut event_loop = new_loop();
    let (client, mut peer) = pair();
    peer.write_all(b"hello").unwrap();
    hang_up(peer);
    event_loop.register(&client, On::Client(key())).unwrap();
    let mut server = Server::default();
    event_loop.run_once(&mut server, Some(SECOND)).unwrap();
    assert_eq!(server.calls, ["readable 0", "writable 0", "closed 0"]);
}

#[test]
fn an_error_or_a_hang_up_reaches_priority_if_there_is_nobody_else() {
    let mut event_loop = new_loop();
    let (client, peer) = pair();
    event_loop.register(&client, On::Urgent).unwrap();
    let mut server = Server::default();
    event_loop.run_once(&mut server, Some(Duration::ZERO)).unwrap();
    assert_eq!(server.calls, [""; 0]);
    hang_up(peer);
    event_loop.run_once(&mut server, Some(SECOND)).unwrap();
    assert_eq!(server.calls, ["urgent"]);
}

#[test]
fn a_source_that_is_deregistered_gets_no_further_call() {
    let mut event_loop = new_loop();
    let (client, peer) = pair();
    hang_up(peer);
    event_loop.register(&client, On::Client(key())).unwrap();
    let mut server = Server { client: Some(client), deregister: true, ..Server::default() };
    event_loop.run_once(&mut server, Some(SECOND)).unwrap();
    assert_eq!(server.calls, ["readable 0"]);
    assert_eq!(server.errors, []);
}

#[test]
fn a_source_whose_method_fails_gets_no_further_call_and_the_error_comes_with_it() {
    let mut event_loop = new_loop();
    let (client, peer) = pair();
    hang_up(peer);
    event_loop.register(&client, On::Client(key())).unwrap();
    let mut server = Server { fail: Some(ErrorKind::InvalidData), ..Server::default() };
    event_loop.run_once(&mut server, Some(SECOND)).unwrap();
    assert_eq!(server.calls, ["readable 0"]);
    assert_eq!(server.errors, [(On::Client(key()), ErrorKind::InvalidData)]);
}

#[test]
fn timers_carry_their_payload_and_their_expiry_if_asked_for() {
    let mut event_loop = virtual_loop();
    event_loop.timeout(On::Idle(key(), true), SECOND).unwrap();
    let server = event_loop.run(Server::default()).unwrap();
    assert_eq!(server.calls, ["idle 0 true", "idle 0 false"]);

    event_loop.interval(On::Interval, SECOND).unwrap();
    let server = event_loop.run(Server::default()).unwrap();
    assert_eq!(server.calls, ["second 0"; 3]);
    assert_eq!(event_loop.next_deadline(), None);
}

// By a signal that the process sends to itself.
#[cfg(unix)]
#[test]
fn signals_bring_their_set() {
    let _mine = SIGNALS.lock();
    let mut event_loop = new_loop();
    event_loop.signals(On::Signals).unwrap();
    tests::raise(Signal::WINCH.as_raw());
    let server = event_loop.run(Server::default()).unwrap();
    assert_eq!(server.calls, ["SIGWINCH"]);
}

#[test]
fn a_child_that_exits_is_told() {
    let mut event_loop = new_loop();
    let mut child = exits(7).spawn().unwrap();
    event_loop.child(&child, On::Worker(3)).unwrap();
    let server = event_loop.run(Server::default()).unwrap();
    assert_eq!(server.calls, ["worker 3 Some(7)"]);
    child.wait().unwrap();
}

#[test]
fn messages_and_ticks_arrive_and_their_errors_end_the_run() {
    let mut event_loop = new_loop();
    event_loop.sender().send("hello").unwrap();
    let server = event_loop.run(Server::default()).unwrap();
    assert_eq!(server.calls, ["hello"]);

    event_loop.sender().send("hello").unwrap();
    let server = Server { fail: Some(ErrorKind::InvalidData), ..Server::default() };
    let error = event_loop.run(server).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);

    let calls = vec![String::new(); 7];
    let server = Server { fail: Some(ErrorKind::Other), calls, ..Server::default() };
    event_loop.timeout(1 << 63, Duration::ZERO).unwrap();
    let error = event_loop.run(server).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
}

#[test]
fn a_token_that_names_no_source_is_passed_over() {
    let mut event_loop = new_loop();
    let (input, _output) = pipe::new().unwrap();
    let mut server = Server { fail: Some(ErrorKind::Other), ..Server::default() };
    // Bits above a unit, keys that are none, timers' tokens.
    for token in [1 << 3, 1 << 63 | On::Client(key()).bits(), On::Interval.bits()] {
        event_loop.again(token, Readiness::READABLE).unwrap();
        event_loop.timeout(token | 1 << 62, Duration::ZERO).unwrap();
    }
    event_loop.register_with(&input, 1 << 3, Interest::READABLE, Trigger::Edge).unwrap();
    event_loop.timeout(On::Input.bits(), Duration::ZERO).unwrap();
    for _ in 0..3 {
        event_loop.run_once(&mut server, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(server.calls, [""; 0]);
}

#[test]
fn a_token_of_another_kind_is_refused_at_the_call() {
    let _mine = SIGNALS.lock();
    let mut event_loop = new_loop();
    let (input, _output) = pipe::new().unwrap();
    let mut child = exits(0).spawn().unwrap();
    let all = [
        On::Input,
        On::Client(key()),
        On::Output { side: 0 },
        On::Idle(key(), true),
        On::Interval,
        On::Signals,
        On::Worker(1),
    ];
    let set = SignalSet::from(Signal::USR1);
    for token in all {
        let mut refused = Vec::new();
        let mut expect = |name: &'static str, result: io::Result<()>| {
            if let Err(error) = result {
                if error.kind() == ErrorKind::InvalidInput {
                    refused.push(name);
                }
            }
        };
        expect("register", event_loop.register(&input, token));
        expect("reregister", event_loop.reregister(&input, token));
        expect("would_block", event_loop.would_block(&input, token, Interest::READABLE));
        expect("again", event_loop.again(token, Readiness::READABLE));
        expect("deregister", event_loop.deregister(&input, token));
        expect("exclusive", event_loop.register_exclusive(&input, token));
        let _ = event_loop.deregister(&input, 0);
        expect("timeout", event_loop.timeout(token, SECOND).map(drop));
        expect("interval", event_loop.interval(token, SECOND).map(drop));
        let now = event_loop.now();
        expect("timeout_at", event_loop.timeout_at(token, now).map(drop));
        expect("signals", event_loop.signals(token));
        event_loop.ignore_signals(SignalSet::from([Signal::USR1, Signal::WINCH]));
        expect("signals_with", event_loop.signals_with(set, token));
        event_loop.ignore_signals(set);
        expect("child", event_loop.child(&child, token));
        event_loop.forget_child(&child);

        const IO: &[&str] =
            &["register", "reregister", "would_block", "again", "deregister", "exclusive"];
        const TIME: &[&str] = &["timeout", "interval", "timeout_at"];
        const SIGNALS: &[&str] = &["signals", "signals_with"];
        const CHILD: &[&str] = &["child"];
        let expected = match token.kind() {
            SourceKind::Io(..) => [TIME, SIGNALS, CHILD].concat(),
            SourceKind::Timer => [IO, SIGNALS, CHILD].concat(),
            SourceKind::Signals(_) => [IO, TIME, CHILD].concat(),
            SourceKind::Child => [IO, TIME, SIGNALS].concat(),
            other => panic!("{other:?}"),
        };
        // An exclusive source cannot be one-shot.
        refused.retain(|&name| name != "exclusive" || expected.contains(&name));
        assert_eq!(refused, expected, "{token:?}");
    }
    child.wait().unwrap();
}

#[test]
fn an_interest_or_a_signal_that_was_not_declared_is_refused() {
    let mut event_loop = new_loop();
    let (input, output) = pipe::new().unwrap();
    let refused = |result: io::Result<()>| result.unwrap_err().kind() == ErrorKind::InvalidInput;
    let both = Interest::READABLE | Interest::WRITABLE;
    assert!(refused(event_loop.register_with(&input, On::Input, both, Trigger::Level)));
    let (client, trigger) = (On::Client(key()), Trigger::Edge);
    event_loop.register_with(&input, client, Interest::READABLE, trigger).unwrap();
    event_loop.reregister_with(&input, client, both, trigger).unwrap();
    event_loop.register(&output, On::Output { side: 0 }).unwrap();
    let set = SignalSet::from([Signal::USR1, Signal::USR2]);
    assert!(refused(event_loop.signals_with(set, On::Signals)));
}

/// One method for all that a source is ready for.
mod ready {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Handler)]
    #[handler(state = Peers)]
    enum Of {
        #[io(readable, writable, ready)]
        Peer(u8),
        #[io(readable, ready = rung)]
        Bell,
    }

    #[derive(Default)]
    struct Peers {
        seen: Vec<(u8, Readiness)>,
        errors: Vec<Of>,
    }

    impl OfHandler for Peers {
        fn peer_ready(
            &mut self,
            _: &mut EventLoop<(), Of>,
            peer: u8,
            readiness: Readiness,
        ) -> io::Result<()> {
            self.seen.push((peer, readiness));
            if readiness.is_empty() { Err(ErrorKind::Other.into()) } else { Ok(()) }
        }

        fn rung(&mut self, _: &mut EventLoop<(), Of>, _: Readiness) -> io::Result<()> {
            Ok(())
        }

        fn error(&mut self, _: &mut EventLoop<(), Of>, source: Of, _: io::Error) {
            self.errors.push(source);
        }
    }

    #[test]
    fn one_method_gets_all_readiness_at_once_and_what_was_asked_for_again() {
        assert_eq!(Of::Bell.kind(), SourceKind::Io(Interest::READABLE, Trigger::Edge));
        let mut event_loop = virtual_loop::<()>();
        let (one, mut other) = pair();
        other.write_all(b"x").unwrap();
        hang_up(other);
        event_loop.register(&one, Of::Peer(7)).unwrap();
        event_loop.again(Of::Peer(8), Readiness::empty()).unwrap();
        let mut peers = Peers::default();
        event_loop.run_once(&mut peers, Some(Duration::ZERO)).unwrap();
        let [(7, readiness), (8, _)] = peers.seen[..] else { panic!("{:?}", peers.seen) };
        let wanted = Readiness::READABLE | Readiness::WRITABLE | Readiness::READ_CLOSED;
        assert!(readiness.contains(wanted), "{readiness:?}");
        assert_eq!(peers.errors, [Of::Peer(8)]);
    }
}
