//! `again`, and the bounds of each phase.

use std::{io::ErrorKind, time::Duration};

use mio_core::{Config, EventLoop, Handler, Interest, Readiness, Trigger};

use tests::{PROMPTLY, pair, settle};

use crate::recorder::{Call, Recorder};

#[test]
fn again_comes_in_the_next_turn_in_its_order_and_without_sleeping() {
    struct Insists(Vec<u64>);
    impl Handler for Insists {
        fn ready(&mut self, event_loop: &mut EventLoop, token: u64, readiness: Readiness) {
            assert_eq!(readiness, Readiness::READABLE);
            self.0.push(token);
            if self.0.len() < 6 {
                event_loop.again(token, readiness).unwrap();
            }
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.again(1u64, Readiness::READABLE).unwrap();
    event_loop.again(2u64, Readiness::READABLE).unwrap();
    let mut insists = Insists(Vec::new());
    for expected in [2, 4, 6, 7] {
        // Without end, had it nothing to do.
        event_loop.run_once(&mut insists, None).unwrap();
        assert_eq!(insists.0.len(), expected);
    }
    assert_eq!(insists.0, [1, 2, 1, 2, 1, 2, 1]);
}

#[test]
fn again_says_when_it_is_full() {
    let mut event_loop =
        EventLoop::<()>::with_config(Config { sources: 2, ..Config::default() }).unwrap();
    event_loop.again(1u64, Readiness::READABLE).unwrap();
    event_loop.again(2u64, Readiness::READABLE).unwrap();
    let full = event_loop.again(3u64, Readiness::READABLE).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::QuotaExceeded);
}

#[test]
fn a_turn_handles_as_many_requests_as_events_and_the_rest_comes_in_order() {
    let config = Config { events: 2, ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let pairs = [(); 3].map(|()| pair());
    for (token, (source, _)) in (1..).zip(&pairs) {
        event_loop.register_with(source, token, Interest::WRITABLE, Trigger::Level).unwrap();
    }
    for token in 11..=15u64 {
        event_loop.again(token, Readiness::READABLE).unwrap();
    }
    settle();
    let mut recorder = Recorder::default();
    for expected in [&[11, 12][..], &[13, 14], &[15], &[]] {
        recorder.calls.clear();
        event_loop.run_once(&mut recorder, PROMPTLY).unwrap();
        let tokens = recorder.tokens();
        assert_eq!(tokens.len(), 2 + expected.len(), "{tokens:?}");
        assert_eq!(&tokens[2..], expected, "after the events");
    }
    for (source, _) in &pairs {
        event_loop.deregister(source, 0u64).unwrap();
    }
    for token in 11..=15u64 {
        event_loop.again(token, Readiness::READABLE).unwrap();
    }
    for expected in [&[11, 12][..], &[13, 14], &[15], &[]] {
        recorder.calls.clear();
        event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap();
        assert_eq!(recorder.tokens(), expected, "without events");
    }
}

#[test]
fn a_turn_takes_no_more_messages_and_timers_than_its_bounds() {
    let config = Config { messages_per_turn: 3, timers_per_turn: 2, ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let sender = event_loop.sender();
    for message in 0..7 {
        sender.send(message).unwrap();
    }
    for token in 0..5u64 {
        event_loop.timeout(token, Duration::ZERO).unwrap();
    }
    std::thread::sleep(Duration::from_millis(1));
    let mut recorder = Recorder::default();
    let count = |recorder: &Recorder| {
        let messages = recorder.calls.iter().filter(|call| matches!(call, Call::Message(_)));
        (messages.count(), recorder.tokens().len())
    };
    for expected in [(3, 2), (6, 4), (7, 5)] {
        event_loop.run_once(&mut recorder, None).unwrap();
        assert_eq!(count(&recorder), expected);
    }
}
