//! A loop inside another one.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
    time::{Duration, Instant},
};

use mio_core::{Config, EventLoop, Expiry, Handler, Readiness};

use crate::recorder::{Do, ready_loop};

/// Where the kernel waits through a descriptor.
#[cfg(nests)]
mod nesting {
    use std::{
        io::{Read, Write},
        os::fd::{AsFd, AsRawFd},
        time::{Duration, Instant},
    };

    use mio_core::{
        Config, EventLoop, Events, Handler, Interest, Readiness, Selector, Signal, SourceKind,
        Token, Trigger,
    };
    use tests::backend;

    use crate::recorder::{Call, Do, Recorder};

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
        let (a, mut b) = tests::pair();
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

    fn told_by_edges(events: usize) -> (EventLoop, Selector) {
        let config = Config { events, ..Config::default() };
        let event_loop = EventLoop::with_config(config).unwrap();
        let outer = Selector::new().unwrap();
        outer.register(&event_loop, 1, Interest::READABLE, Trigger::Edge).unwrap();
        (event_loop, outer)
    }

    /// Turns of `event_loop` for as long as an outer loop that is told edges alone has a reason for them.
    fn turn_by_edges(event_loop: &mut EventLoop, outer: &Selector, handler: &mut impl Handler) {
        for _ in 0..100 {
            let left = event_loop.next_deadline().is_some_and(|at| at <= Instant::now());
            if !is_readable(outer) && !left {
                return;
            }
            event_loop.run_once(handler, Some(Duration::ZERO)).unwrap();
        }
        panic!("it has always more to do");
    }

    #[test]
    fn an_outer_loop_that_is_told_edges_comes_to_more_events_than_fit_into_a_turn() {
        for shuts_down in [false, true] {
            let (mut event_loop, outer) = told_by_edges(4);
            let mut pairs = [(); 6].map(|()| tests::pair());
            for (token, (a, _)) in (0..).zip(&pairs) {
                event_loop.register_with(a, token, Interest::READABLE, Trigger::Edge).unwrap();
            }
            pairs.iter_mut().for_each(|(_, b)| b.write_all(b"x").unwrap());
            let mut seen = Vec::new();
            let mut sees = Do(|event_loop: &mut EventLoop, token| {
                seen.push(token);
                if shuts_down && seen.len() == 2 {
                    event_loop.shutdown();
                }
            });
            turn_by_edges(&mut event_loop, &outer, &mut sees);
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2, 3, 4, 5], "shuts down: {shuts_down}");
        }
    }

    /// A token of sources that are reported as levels.
    #[derive(Clone, Copy)]
    struct Level(u64);

    impl Token for Level {
        fn bits(self) -> u64 {
            self.0
        }

        fn kind(self) -> SourceKind {
            SourceKind::Io(Interest::READABLE, Trigger::Level)
        }
    }

    #[test]
    fn an_outer_loop_that_is_told_edges_comes_to_all_that_a_source_in_level_mode_has() {
        for way in ["registered", "registered anew", "registered exclusively"] {
            let (mut event_loop, outer) = told_by_edges(4);
            let (mut a, mut b) = tests::pair();
            match way {
                "registered" => event_loop.register(&a, Level(1)).unwrap(),
                "registered anew" => {
                    event_loop.register(&a, 1u64).unwrap();
                    event_loop.reregister(&a, Level(1)).unwrap();
                }
                _ if backend::HAS_EXCLUSIVE_WAKE_UPS => {
                    event_loop.register_exclusive(&a, Level(1)).unwrap();
                }
                _ => continue,
            }
            b.write_all(b"abc").unwrap();
            let mut bytes = Vec::new();
            let mut reads_one = Do(|_: &mut EventLoop, _| {
                let mut byte = [0];
                a.read_exact(&mut byte).unwrap();
                bytes.extend(byte);
            });
            turn_by_edges(&mut event_loop, &outer, &mut reads_one);
            assert_eq!(bytes, b"abc", "{way}");
        }
    }

    #[test]
    fn its_number_is_that_of_its_descriptor() {
        let (event_loop, outer) = told_by_edges(4);
        assert_eq!(event_loop.as_raw_fd(), event_loop.as_fd().as_raw_fd());
        assert_eq!(outer.as_raw_fd(), outer.as_fd().as_raw_fd());
        assert_ne!(event_loop.as_raw_fd(), outer.as_raw_fd());
    }

    #[test]
    fn its_descriptor_becomes_readable_for_a_signal() {
        let mut event_loop = EventLoop::new().unwrap();
        let outer = Selector::new().unwrap();
        outer.register(&event_loop, 1, Interest::READABLE, Trigger::Level).unwrap();
        event_loop.signals_with(Signal::USR1.into(), 2u64).unwrap();
        let mut recorder = Recorder::default();

        for told in 1..=3 {
            assert!(!is_readable(&outer));
            assert_eq!(event_loop.next_deadline(), None);
            tests::raise(Signal::USR1.as_raw());
            assert!(is_readable(&outer));
            event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap();
            assert_eq!(recorder.calls, vec![Call::Signal(2); told]);
        }
    }
}

#[test]
fn next_deadline_says_how_long_to_wait() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    assert_eq!(event_loop.next_deadline(), None);
    let now = event_loop.now();
    let timer = event_loop.timeout(1u64, Duration::from_secs(5)).unwrap();
    assert_eq!(event_loop.next_deadline(), Some(now + Duration::from_secs(5)));
    let now = event_loop.now();
    event_loop.reschedule(timer, Duration::from_secs(9));
    assert_eq!(event_loop.next_deadline(), Some(now + Duration::from_secs(9)));
    event_loop.again(1u64, Readiness::READABLE).unwrap();
    assert!(event_loop.next_deadline().unwrap() <= Instant::now(), "work is left");
}

#[test]
fn a_timer_that_is_set_after_a_wait_of_the_outer_loop_is_not_early() {
    const DELAY: Duration = Duration::from_secs(1);
    const WAIT: Duration = Duration::from_millis(2);
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let first = event_loop.timeout(1u64, DELAY).unwrap();
    event_loop.next_deadline();
    thread::sleep(WAIT);
    let second = event_loop.timeout(2u64, DELAY).unwrap();
    let [first, second] = [first, second].map(|timer| event_loop.deadline(timer).unwrap());
    assert!(second >= first + WAIT);
}

#[test]
fn next_deadline_leaves_the_time_of_a_turn_alone() {
    struct Asks(u32);
    impl Handler for Asks {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, _: Expiry) {
            self.0 += 1;
            if token == 1 {
                let now = event_loop.now();
                event_loop.timeout(2u64, Duration::ZERO).unwrap();
                thread::sleep(Duration::from_millis(2));
                event_loop.next_deadline();
                assert_eq!(event_loop.now(), now);
            }
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.timeout(1u64, Duration::ZERO).unwrap();
    let mut asks = Asks(0);
    for fired in 1..=2 {
        while event_loop.next_deadline().is_some_and(|at| at > Instant::now()) {}
        event_loop.run_once(&mut asks, Some(Duration::ZERO)).unwrap();
        assert_eq!(asks.0, fired, "a timer that was set in a turn fires in a later one");
    }
}

#[test]
fn next_deadline_puts_a_bounded_number_of_timers_right_and_is_past_until_all_are() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let config = Config { repairs_per_turn: 1, ..Config::default() };
    let mut event_loop = EventLoop::<u32>::with_config(config).unwrap();
    let now = event_loop.now();
    for token in 0..10 {
        let delay = Duration::from_millis(100 * (token + 1));
        let timer = event_loop.timeout(token, delay).unwrap();
        event_loop.reschedule(timer, HOUR);
    }
    let settled = now + HOUR;
    let is_unsettled = |deadline: Option<Instant>| {
        assert!(deadline.is_some_and(|at| at == settled || at <= Instant::now()), "or it sleeps");
        deadline != Some(settled)
    };
    let unsettled = (0..1_000).take_while(|_| is_unsettled(event_loop.next_deadline())).count();
    assert!((9..1_000).contains(&unsettled), "{unsettled}");
}

#[test]
fn what_a_turn_leaves_behind_is_told_by_next_deadline() {
    /// Sends itself a message at the end of its first turn, when nobody looks any more.
    struct Sends(u32);
    impl Handler<u32> for Sends {
        fn message(&mut self, _: &mut EventLoop<u32>, _: u32) {
            self.0 += 1;
        }
        fn tick(&mut self, event_loop: &mut EventLoop<u32>) {
            if self.0 == 2 {
                event_loop.sender().send(3).unwrap();
            }
        }
    }
    let config = Config { messages_per_turn: 1, ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let mut sends = Sends(0);
    event_loop.sender().send(1).unwrap();
    event_loop.sender().send(2).unwrap();
    for expected in 1..=3 {
        assert!(event_loop.next_deadline().unwrap() <= Instant::now(), "before {expected}");
        event_loop.run_once(&mut sends, Some(Duration::ZERO)).unwrap();
        assert_eq!(sends.0, expected);
    }
    assert_eq!(event_loop.next_deadline(), None);
    event_loop.shutdown();
    assert!(event_loop.next_deadline().is_some(), "the next turn is to say that it is over");
    assert!(!event_loop.run_once(&mut sends, None).unwrap());
    assert_eq!(event_loop.next_deadline(), None);
}

#[test]
fn events_that_a_run_had_not_come_to_are_told_by_next_deadline() {
    for panics in [false, true] {
        let (mut event_loop, _pairs) = ready_loop(2);
        let mut seen = Vec::new();
        for _ in 0..2 {
            let mut ends = Do(|event_loop: &mut EventLoop, token| {
                seen.push(token);
                if panics {
                    resume_unwind(Box::new("callback"));
                }
                event_loop.shutdown();
            });
            let run = || event_loop.run_once(&mut ends, Some(Duration::from_secs(10)));
            assert_eq!(catch_unwind(AssertUnwindSafe(run)).is_err(), panics);
            let left = event_loop.next_deadline().is_some_and(|at| at <= Instant::now());
            assert_eq!(left, seen.len() == 1, "panics: {panics}");
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 1]);
    }
}
