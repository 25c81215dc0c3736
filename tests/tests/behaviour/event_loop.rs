//! Running, stopping, failing, panicking; what callbacks may do to the loop that they are handed.

use std::{
    io::{self, ErrorKind, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use mio_core::{
    Any, Config, EventLoop, Handler, Interest, RESERVED, Readiness, Scope, Signal, Trigger,
};

use tests::{PROMPTLY, Stream, exits, hang_up, pair, peers::awaited, settle};

use crate::recorder::{Call, Do, Recorder, ready_loop};

/// `ENOTTY` and `EIO`, or whatever has these numbers.
const NOT_A_TERMINAL: i32 = 25;
const INPUT_OUTPUT: i32 = 5;

#[test]
fn a_handler_by_value_comes_back_and_one_by_reference_is_used_in_place() {
    struct Count(u32);
    impl Handler for Count {
        fn writable(&mut self, event_loop: &mut EventLoop, _: u64) {
            self.0 += 1;
            event_loop.shutdown();
        }
    }
    let (mut event_loop, _pairs) = ready_loop(1);
    assert_eq!(event_loop.run(Count(0)).unwrap().0, 1);

    let (mut event_loop, _pairs) = ready_loop(1);
    let mut count = Count(5);
    event_loop.run(&mut count).unwrap();
    assert_eq!(count.0, 6);
}

#[test]
fn a_plain_token_means_both_directions_edge_triggered() {
    let mut event_loop = EventLoop::new().unwrap();
    let (one, mut other) = pair();
    other.write_all(b"x").unwrap();
    settle();
    event_loop.register(&one, 0u64).unwrap();
    let mut calls = Vec::new();
    struct Names<'a>(&'a mut Vec<&'static str>);
    impl Handler for Names<'_> {
        fn readable(&mut self, _: &mut EventLoop, _: u64) {
            self.0.push("readable");
        }
        fn writable(&mut self, _: &mut EventLoop, _: u64) {
            self.0.push("writable");
        }
        fn closed(&mut self, _: &mut EventLoop, _: u64) {
            self.0.push("closed");
        }
    }
    let mut names = Names(&mut calls);
    event_loop.run_once(&mut names, PROMPTLY).unwrap();
    assert_eq!(*names.0, ["readable", "writable"]);
    event_loop.run_once(&mut names, Some(Duration::ZERO)).unwrap();
    assert_eq!(names.0.len(), 2);

    names.0.clear();
    while (&one).read(&mut [0; 8]).is_ok() {}
    other.shutdown(std::net::Shutdown::Write).unwrap();
    event_loop.run_once(&mut names, PROMPTLY).unwrap();
    assert!(names.0.contains(&"readable"));
    assert!(!names.0.contains(&"closed"), "a half-close is not the end");

    names.0.clear();
    hang_up(other);
    event_loop.run_once(&mut names, PROMPTLY).unwrap();
    assert_eq!(names.0.last(), Some(&"closed"));
}

/// Notes what it is called for, and at `last` deregisters the source, or fails.
#[derive(Default)]
struct Calls {
    calls: Vec<&'static str>,
    last: &'static str,
    fails: bool,
    source: Option<Stream>,
}

impl Calls {
    fn called(&mut self, event_loop: &mut EventLoop, token: u64, call: &'static str) {
        assert!(event_loop.is_current(), "or it would not be called");
        self.calls.push(call);
        if call == self.last && self.fails {
            event_loop.fail(ErrorKind::TimedOut.into());
        } else if let Some(source) = self.source.take_if(|_| call == self.last) {
            event_loop.close(source, token).unwrap();
        }
        assert_eq!(event_loop.is_current(), call != self.last);
    }
}

impl Handler for Calls {
    fn readable(&mut self, event_loop: &mut EventLoop, token: u64) {
        self.called(event_loop, token, "readable");
    }
    fn writable(&mut self, event_loop: &mut EventLoop, token: u64) {
        self.called(event_loop, token, "writable");
    }
    fn priority(&mut self, event_loop: &mut EventLoop, token: u64) {
        self.called(event_loop, token, "priority");
    }
    fn closed(&mut self, event_loop: &mut EventLoop, token: u64) {
        self.called(event_loop, token, "closed");
    }
}

#[test]
fn an_event_calls_in_order_what_applies_until_the_source_is_gone() {
    const ALL: [&str; 4] = ["readable", "writable", "priority", "closed"];
    let both = Readiness::READ_CLOSED | Readiness::WRITE_CLOSED;
    let everything = Readiness::READABLE | Readiness::WRITABLE | Readiness::PRIORITY | both;
    for (readiness, expected) in [
        (everything, &ALL[..]),
        (Readiness::ERROR, &ALL[..2]),
        (Readiness::READ_CLOSED, &ALL[..1]),
        (Readiness::WRITE_CLOSED, &ALL[1..2]),
        (Readiness::PRIORITY, &ALL[2..3]),
        (both, &["readable", "writable", "closed"]),
        (Readiness::empty(), &[]),
    ] {
        let mut event_loop = EventLoop::new().unwrap();
        event_loop.again(1u64, readiness).unwrap();
        let mut calls = Calls::default();
        event_loop.run_once(&mut calls, Some(Duration::ZERO)).unwrap();
        assert_eq!(calls.calls, expected, "{readiness:?}");
    }
    for (index, last) in ALL.into_iter().enumerate() {
        for fails in [false, true] {
            let mut event_loop = EventLoop::new().unwrap();
            let (source, _peer) = pair();
            event_loop.register(&source, 1u64).unwrap();
            event_loop.run_once(&mut Calls::default(), PROMPTLY).unwrap();
            event_loop.again(1u64, everything).unwrap();
            let mut calls = Calls { last, fails, source: Some(source), ..Calls::default() };
            let result = event_loop.run_once(&mut calls, Some(Duration::ZERO));
            assert_eq!(result.is_err(), fails);
            assert_eq!(calls.calls, ALL[..=index], "the rest is skipped");
        }
    }
}

#[test]
fn shutdown_keeps_the_events_that_were_not_come_to() {
    let (mut event_loop, _pairs) = ready_loop(5);
    let mut seen = Vec::new();
    for expected in 1..=5 {
        event_loop
            .run(Do(|event_loop: &mut EventLoop, token| {
                seen.push(token);
                event_loop.shutdown();
            }))
            .unwrap();
        assert_eq!(seen.len(), expected);
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}

#[test]
fn shutdown_before_a_run_makes_it_return_at_once() {
    let (mut event_loop, _pairs) = ready_loop(1);
    event_loop.shutdown();
    event_loop.run(Do(|_: &mut EventLoop, _| panic!("nothing is to be handled"))).unwrap();
    let mut seen = 0;
    event_loop
        .run(Do(|event_loop: &mut EventLoop, _| {
            seen += 1;
            event_loop.shutdown();
        }))
        .unwrap();
    assert_eq!(seen, 1, "what was ready is still reported");
}

#[test]
fn shutdown_lets_the_event_that_is_being_handled_go_on() {
    struct Stops(bool);
    impl Handler for Stops {
        fn readable(&mut self, event_loop: &mut EventLoop, _: u64) {
            event_loop.shutdown();
        }
        fn writable(&mut self, _: &mut EventLoop, _: u64) {
            self.0 = true;
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.again(1u64, Readiness::READABLE | Readiness::WRITABLE).unwrap();
    assert!(event_loop.run(Stops(false)).unwrap().0);
}

#[test]
fn fail_makes_run_return_the_first_error_and_skips_the_rest_of_the_event() {
    #[derive(Debug)]
    struct Fails;
    impl Handler for Fails {
        fn readable(&mut self, event_loop: &mut EventLoop, _: u64) {
            event_loop.fail(io::Error::from_raw_os_error(NOT_A_TERMINAL));
            event_loop.fail(io::Error::from_raw_os_error(INPUT_OUTPUT));
        }
        fn writable(&mut self, _: &mut EventLoop, _: u64) {
            panic!("the event has failed");
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    let (one, mut other) = pair();
    other.write_all(b"x").unwrap();
    settle();
    event_loop.register(&one, 1u64).unwrap();
    let error = event_loop.run(&mut Fails).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(NOT_A_TERMINAL));
    let mut recorder = Do(|_: &mut EventLoop, _| ());
    assert!(event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap(), "it is over");
}

#[test]
fn deregistering_the_source_in_flight_skips_the_rest_of_its_event_and_no_other() {
    struct Drops {
        streams: Vec<Option<Stream>>,
        written: Vec<u64>,
    }
    impl Handler for Drops {
        fn readable(&mut self, event_loop: &mut EventLoop, token: u64) {
            // 0 closes itself, 1 closes another source that has no event.
            let stream = self.streams[if token == 0 { 0 } else { 2 }].take();
            let victim = if token == 0 { 0 } else { 2 };
            if let Some(stream) = stream {
                event_loop.close(stream, victim as u64).unwrap();
            }
        }
        fn writable(&mut self, _: &mut EventLoop, token: u64) {
            self.written.push(token);
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    let mut peers = Vec::new();
    let mut streams = Vec::new();
    for token in 0..3u64 {
        let (a, mut b) = pair();
        if token == 2 {
            event_loop.register_with(&a, token, Interest::READABLE, Trigger::Edge).unwrap();
        } else {
            b.write_all(b"x").unwrap();
            event_loop.register(&a, token).unwrap();
        }
        streams.push(Some(a));
        peers.push(b);
    }
    let mut drops = Drops { streams, written: Vec::new() };
    settle();
    event_loop.run_once(&mut drops, PROMPTLY).unwrap();
    assert_eq!(drops.written, [1]);
}

#[test]
fn a_nested_run_is_refused() {
    let (mut event_loop, _pairs) = ready_loop(1);
    let mut kinds = Vec::new();
    event_loop
        .run(Do(|event_loop: &mut EventLoop, _| {
            let nested = event_loop.run(Do(|_: &mut EventLoop, _| ()));
            kinds.push(nested.err().unwrap().kind());
            let nested = event_loop.run_once(&mut Do(|_: &mut EventLoop, _| ()), None);
            kinds.push(nested.unwrap_err().kind());
            event_loop.shutdown();
        }))
        .unwrap();
    assert_eq!(kinds, [ErrorKind::ResourceBusy, ErrorKind::ResourceBusy]);
}

#[test]
fn after_a_panic_the_loop_resumes_at_the_next_event() {
    let (mut event_loop, _pairs) = ready_loop(3);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let run = catch_unwind(AssertUnwindSafe(|| {
            let _ = event_loop.run(Do(|_: &mut EventLoop, token| {
                seen.push(token);
                std::panic::resume_unwind(Box::new("callback"));
            }));
        }));
        assert!(run.is_err());
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2]);
}

#[test]
fn a_callback_may_register_deregister_and_time_at_will() {
    struct Grows {
        pairs: Vec<(Stream, Stream)>,
        timeouts: u32,
    }
    impl Handler for Grows {
        fn writable(&mut self, event_loop: &mut EventLoop, token: u64) {
            if self.pairs.len() < 50 {
                let new = pair();
                event_loop.register(&new.0, self.pairs.len() as u64).unwrap();
                event_loop.timeout(7u64, Duration::ZERO).unwrap();
                self.pairs.push(new);
            } else {
                for (token, (a, _)) in self.pairs.iter().enumerate() {
                    event_loop.deregister(a, token as u64).unwrap();
                }
                event_loop.shutdown();
            }
            assert!(token < 50);
        }
        fn timeout(&mut self, _: &mut EventLoop, token: u64, _: mio_core::Expiry) {
            assert_eq!(token, 7);
            self.timeouts += 1;
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    let first = pair();
    event_loop.register(&first.0, 0u64).unwrap();
    let grown = event_loop.run(Grows { pairs: vec![first], timeouts: 0 }).unwrap();
    assert!(grown.timeouts >= 48);
}

#[test]
fn what_is_closed_is_heard_of_no_more_whoever_has_a_duplicate() {
    let mut event_loop = EventLoop::new().unwrap();
    let (closed, mut peer) = pair();
    let duplicate = closed.as_std().try_clone().unwrap();
    event_loop.register_with(&closed, 1u64, Interest::READABLE, Trigger::Level).unwrap();
    event_loop.close(closed, 1u64).unwrap();
    peer.write_all(b"x").unwrap();
    settle();
    let mut heard = 0;
    let mut recorder = Do(|_: &mut EventLoop, _| heard += 1);
    event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap();
    drop(duplicate);
    assert_eq!(heard, 0);
}

#[test]
fn what_cannot_be_deregistered_is_closed_all_the_same() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    for token in [RESERVED, 1] {
        let (closed, mut peer) = pair();
        let refused = event_loop.close(closed, token).unwrap_err();
        let expected = if token == 1 { ErrorKind::NotFound } else { ErrorKind::InvalidInput };
        assert_eq!(refused.kind(), expected);
        settle();
        let read = awaited(|| (), || peer.read(&mut [0]).ok());
        assert_eq!(read, 0, "the end is seen, also if another test begins a child");
    }
}

#[test]
fn it_is_printed_without_all_that_is_in_it_also_as_a_component_sees_it() {
    const SCOPE: Scope<u64, Any> = Scope::new(8, 3);
    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop.timeout(1, Duration::MAX).unwrap();
    let printed = "EventLoop { selector: Selector { .. }, timers: 1, .. }";
    assert_eq!(format!("{event_loop:?}"), printed);
    assert_eq!(format!("{:?}", event_loop.nested(SCOPE)), printed);
    assert_eq!(format!("{SCOPE:?}"), "Scope { shift: 8, prefix: 3 }");
}

#[test]
fn reserved_tokens_are_refused() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let mut child = exits(0).spawn().unwrap();
    let (a, _b) = pair();
    for token in [RESERVED, u64::MAX - 1, u64::MAX] {
        let refused = |result: io::Result<()>| {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
        };
        let (interest, now) = (Interest::READABLE, event_loop.now());
        refused(event_loop.register(&a, token));
        refused(event_loop.register_exclusive(&a, token));
        refused(event_loop.reregister(&a, token));
        refused(event_loop.deregister(&a, token));
        refused(event_loop.would_block(&a, token, interest));
        refused(event_loop.again(token, Readiness::READABLE));
        refused(event_loop.timeout(token, Duration::ZERO).map(drop));
        refused(event_loop.timeout_at(token, now).map(drop));
        refused(event_loop.interval(token, Duration::MAX).map(drop));
        refused(event_loop.signals_with(Signal::INT.into(), token));
        refused(event_loop.child(&child, token));
    }
    child.wait().unwrap();
    event_loop.register(&a, RESERVED - 1).unwrap();
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    for config in [
        Config { events: 0, ..Config::default() },
        Config { messages: 0, ..Config::default() },
        Config { timers_per_turn: 0, ..Config::default() },
        Config { repairs_per_turn: 0, ..Config::default() },
        Config { messages_per_turn: 0, ..Config::default() },
        Config { children: 65_281, ..Config::default() },
    ] {
        let refused = EventLoop::<()>::with_config(config).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    }
    let most = Config { children: 65_280, ..Config::default() };
    assert!(EventLoop::<()>::with_config(most).is_ok());
    let huge = Config { timers: usize::MAX / 64, ..Config::default() };
    let refused = EventLoop::<()>::with_config(huge).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::OutOfMemory | ErrorKind::InvalidInput));
}

#[test]
fn there_is_a_place_for_each_source_and_for_each_child_beside_them() {
    let config = Config { sources: 2, children: 3, ..Config::default() };
    let mut event_loop = EventLoop::<()>::with_config(config).unwrap();
    // With kqueue a child takes the place of a source: here sources stand for them.
    let pairs = [(); 2 + 3].map(|()| pair());
    for (token, (source, _)) in (0u64..).zip(&pairs) {
        event_loop.register(source, token).unwrap();
    }
}

#[test]
fn the_phases_come_in_their_order() {
    let mut event_loop = EventLoop::with_config(Config::default()).unwrap();
    let (mut a, mut b) = pair();
    event_loop.register_with(&a, 1u64, Interest::READABLE, Trigger::Edge).unwrap();
    let mut recorder = Recorder { ticks: true, ..Recorder::default() };
    event_loop.again(2u64, Readiness::WRITABLE).unwrap();
    event_loop.timeout(3u64, Duration::ZERO).unwrap();
    event_loop.sender().send(4).unwrap();
    b.write_all(b"x").unwrap();
    std::thread::sleep(Duration::from_millis(1));
    settle();
    event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap();
    assert_eq!(
        recorder.calls,
        [
            Call::Ready(1, Readiness::READABLE),
            Call::Ready(2, Readiness::WRITABLE),
            Call::Timeout(3, 0),
            Call::Message(4),
            Call::Tick,
        ]
    );
    a.read_exact(&mut [0]).unwrap();
}

#[test]
fn any_loop_with_sendable_messages_moves_to_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    let event_loop = EventLoop::<String>::new().unwrap();
    is_send(&event_loop);
}
