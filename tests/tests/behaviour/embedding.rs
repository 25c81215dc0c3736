//! A loop inside another one.

use std::{
    io::Write,
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use mio_core::{EventLoop, Events, Interest, Readiness, Selector, Trigger};

use crate::recorder::{Call, Recorder};

fn is_readable(outer: &Selector) -> bool {
    let mut events = Events::with_capacity(4);
    outer.select(&mut events, Some(Duration::ZERO)).unwrap();
    !events.is_empty()
}

#[test]
fn its_descriptor_becomes_readable_for_events_and_messages() {
    let mut event_loop = EventLoop::new().unwrap();
    let outer = Selector::new().unwrap();
    outer.register(&event_loop, 1, Interest::READABLE, Trigger::Level).unwrap();
    let (a, mut b) = UnixStream::pair().unwrap();
    event_loop.register_with(&a, 2u64, Interest::READABLE, Trigger::Edge).unwrap();
    let sender = event_loop.sender();
    let mut recorder = Recorder::default();

    for round in 0..3 {
        assert!(!is_readable(&outer));
        assert_eq!(event_loop.next_deadline(), None);
        b.write_all(b"x").unwrap();
        assert!(is_readable(&outer));
        event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap();
        assert_eq!(recorder.calls.last(), Some(&Call::Ready(2, Readiness::READABLE)));

        assert!(!is_readable(&outer));
        sender.send(round).unwrap();
        assert!(is_readable(&outer));
        event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap();
        assert_eq!(recorder.calls.last(), Some(&Call::Message(round)));
    }
}

#[test]
fn next_deadline_says_how_long_to_wait() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    assert_eq!(event_loop.next_deadline(), None);
    let now = event_loop.now();
    let timer = event_loop.timeout(1u64, Duration::from_secs(5)).unwrap();
    assert_eq!(event_loop.next_deadline(), Some(now + Duration::from_secs(5)));
    event_loop.reschedule(timer, Duration::from_secs(9));
    assert_eq!(event_loop.next_deadline(), Some(now + Duration::from_secs(9)));
    event_loop.again(1u64, Readiness::READABLE).unwrap();
    assert!(event_loop.next_deadline().unwrap() <= Instant::now(), "work is left");
}
