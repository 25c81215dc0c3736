//! Hours in milliseconds, and the same seed the same run.

use std::{
    io::Write,
    thread,
    time::{Duration, Instant},
};

use mio_core::{Config, EventLoop, Expiry, Handler, Interest, Readiness, Trigger};

use tests::{pair, settle};

use crate::recorder::{Call, Recorder};

fn virtual_loop<M>(seed: u64) -> EventLoop<M> {
    EventLoop::with_config(Config { virtual_time: Some(seed), ..Config::default() }).unwrap()
}

#[test]
fn an_hour_of_timeouts_takes_no_time() {
    struct Minutes {
        left: u32,
        at: Vec<Instant>,
    }
    impl Handler for Minutes {
        fn timeout(&mut self, event_loop: &mut EventLoop, _: u64, _: Expiry) {
            self.at.push(event_loop.now());
            self.left -= 1;
            if self.left == 0 {
                event_loop.shutdown();
            } else {
                event_loop.timeout(1u64, Duration::from_secs(60)).unwrap();
            }
        }
    }
    let mut event_loop = virtual_loop(0);
    let start = event_loop.now();
    event_loop.timeout(1u64, Duration::from_secs(60)).unwrap();
    let really = Instant::now();
    let minutes = event_loop.run(Minutes { left: 60, at: Vec::new() }).unwrap();
    assert!(really.elapsed() < Duration::from_secs(20));
    for (minute, at) in minutes.at.iter().enumerate() {
        assert_eq!(*at - start, Duration::from_secs(60) * (minute as u32 + 1));
    }
}

#[test]
fn a_bounded_wait_moves_the_clock_by_its_bound() {
    let mut event_loop = virtual_loop(0);
    let start = event_loop.now();
    event_loop.timeout(1u64, Duration::from_secs(10)).unwrap();
    let mut recorder = Recorder::default();
    event_loop.run_once(&mut recorder, Some(Duration::from_secs(4))).unwrap();
    assert_eq!(event_loop.now() - start, Duration::from_secs(4));
    assert_eq!(recorder.calls, []);
    event_loop.run_once(&mut recorder, None).unwrap();
    assert_eq!(recorder.tokens(), [1]);
    assert_eq!(event_loop.now() - start, Duration::from_secs(10));
    event_loop.run_once(&mut recorder, Some(Duration::from_secs(3))).unwrap();
    assert_eq!(event_loop.now() - start, Duration::from_secs(13), "also without timers");
}

#[test]
fn a_wait_for_nothing_sleeps_until_a_message_and_the_clock_stands_still() {
    let mut event_loop = virtual_loop(0);
    let start = event_loop.now();
    let sender = event_loop.sender();
    let mut recorder = Recorder::default();
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(20));
            sender.send(7).unwrap();
        });
        // The wake-up is a turn, or a part of one.
        let mut turns = 0;
        while recorder.calls.is_empty() {
            event_loop.run_once(&mut recorder, None).unwrap();
            turns += 1;
        }
        assert!(turns <= 2, "{turns}");
    });
    assert_eq!(recorder.calls, [Call::Message(7)]);
    assert_eq!(event_loop.now(), start);
}

#[test]
fn a_timer_for_an_instant_fires_at_it_and_one_for_a_past_instant_in_the_next_turn() {
    const SECOND: Duration = Duration::from_secs(1);
    struct Sets {
        fired: Vec<(u64, u32)>,
        turn: u32,
    }
    impl Handler for Sets {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
            self.fired.push((token, self.turn));
            let now = event_loop.now();
            if token == 1 {
                assert_eq!((expiry.deadline(), expiry.missed), (now, 0));
                event_loop.timeout_at(2u64, now - SECOND).unwrap();
                event_loop.timeout_at(3u64, now).unwrap();
                let moved = event_loop.timeout_at(4u64, now + 5 * SECOND).unwrap();
                assert!(event_loop.reschedule_at(moved, now - SECOND));
                let later = event_loop.timeout_at(5u64, now).unwrap();
                assert!(event_loop.reschedule_at(later, now + SECOND));
                assert_eq!(event_loop.deadline(later), Some(now + SECOND));
            }
        }
        fn tick(&mut self, _: &mut EventLoop) {
            self.turn += 1;
        }
    }
    let mut event_loop = virtual_loop(0);
    let start = event_loop.now();
    event_loop.timeout_at(1u64, start + SECOND).unwrap();
    let mut sets = Sets { fired: Vec::new(), turn: 0 };
    while sets.turn < 3 {
        event_loop.run_once(&mut sets, None).unwrap();
    }
    assert_eq!(sets.fired, [(1, 0), (2, 1), (3, 1), (4, 1), (5, 2)]);
    assert_eq!(event_loop.now(), start + 2 * SECOND);
    event_loop.update_now();
    assert_eq!(event_loop.now(), start + 2 * SECOND, "no clock is read");
}

#[test]
fn nanoseconds_count_from_when_the_loop_was_built() {
    let mut event_loop = virtual_loop(0);
    let (built, mut recorder) = (event_loop.now(), Recorder::default());
    for passed in [0, 5, 5] {
        event_loop.run_once(&mut recorder, Some(Duration::from_nanos(passed))).unwrap();
        let since = event_loop.now() - built;
        assert_eq!(u128::from(event_loop.now_ns()), since.as_nanos());
    }
    assert_eq!(event_loop.now_ns(), 10);

    let before = Instant::now();
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let after = Instant::now();
    for _ in 0..2 {
        event_loop.update_now();
        let built = event_loop.now() - Duration::from_nanos(event_loop.now_ns());
        assert!(before <= built && built <= after);
    }
}

#[test]
fn time_stands_still_while_something_is_ready() {
    struct Busy(u32);
    impl Handler for Busy {
        fn ready(&mut self, event_loop: &mut EventLoop, token: u64, readiness: Readiness) {
            self.0 += 1;
            if self.0 < 100 {
                event_loop.again(token, readiness).unwrap();
            }
        }
        fn timeout(&mut self, event_loop: &mut EventLoop, _: u64, _: Expiry) {
            assert_eq!(self.0, 100);
            event_loop.shutdown();
        }
    }
    let mut event_loop = virtual_loop(0);
    event_loop.timeout(1u64, Duration::from_nanos(5)).unwrap();
    event_loop.again(2u64, Readiness::READABLE).unwrap();
    event_loop.run(Busy(0)).unwrap();
}

#[test]
fn time_stands_still_while_sources_are_ready() {
    let mut event_loop = virtual_loop(0);
    let start = event_loop.now();
    let (a, mut b) = pair();
    event_loop.register_with(&a, 1u64, Interest::READABLE, Trigger::Edge).unwrap();
    event_loop.timeout(2u64, Duration::from_nanos(5)).unwrap();
    b.write_all(b"x").unwrap();
    settle();
    let mut recorder = Recorder::default();
    event_loop.run_once(&mut recorder, None).unwrap();
    assert_eq!((recorder.tokens(), event_loop.now()), (vec![1], start));
    event_loop.run_once(&mut recorder, None).unwrap();
    assert_eq!(recorder.tokens(), [1, 2]);
}

#[test]
fn times_beyond_the_end_of_the_clock_never_come() {
    let mut event_loop = virtual_loop(0);
    let mut recorder = Recorder::default();
    // So that a sum with the longest delay would come out before now.
    event_loop.run_once(&mut recorder, Some(Duration::from_secs(1))).unwrap();
    event_loop.timeout(1u64, Duration::MAX).unwrap();
    event_loop.interval(2u64, Duration::MAX).unwrap();
    let moved = event_loop.timeout(3u64, Duration::ZERO).unwrap();
    assert!(event_loop.reschedule(moved, Duration::MAX));
    event_loop.run_once(&mut recorder, Some(Duration::from_secs(1 << 30))).unwrap();
    assert_eq!(recorder.calls, []);
    let start = event_loop.now();
    event_loop.timeout(4u64, Duration::from_secs(1)).unwrap();
    event_loop.run_once(&mut recorder, Some(Duration::MAX)).unwrap();
    assert_eq!(recorder.tokens(), [4], "the longest wait is no short one");
    assert_eq!(event_loop.now() - start, Duration::from_secs(1));
}

/// The events of two sources with one token that are there from the beginning.
fn namesakes(seed: u64, reader_first: bool) -> Vec<Call> {
    let mut event_loop = virtual_loop(seed);
    let ((reader, mut peer), (writer, _peer)) = (pair(), pair());
    peer.write_all(b"x").unwrap();
    settle();
    let mut sources = [(&reader, Interest::READABLE), (&writer, Interest::WRITABLE)];
    if !reader_first {
        sources.reverse();
    }
    for (source, interest) in sources {
        event_loop.register_with(source, 1u64, interest, Trigger::Edge).unwrap();
    }
    let mut recorder = Recorder::default();
    event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap();
    assert_eq!(recorder.calls.len(), 2);
    recorder.calls
}

#[test]
fn the_order_is_that_of_the_seed_and_not_of_the_kernel() {
    for seed in 0..20 {
        assert_eq!(namesakes(seed, true), namesakes(seed, false), "{seed}");
    }
}

/// The order in which ten ready sources are handled.
fn order(seed: u64) -> Vec<u64> {
    let mut event_loop = virtual_loop(seed);
    let pairs: Vec<_> = (0..10).map(|_| pair()).collect();
    for (token, (a, _)) in pairs.iter().enumerate() {
        event_loop.register(a, token as u64).unwrap();
    }
    settle();
    let mut recorder = Recorder::default();
    event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap();
    recorder.tokens()
}

#[test]
fn a_seed_permutes_the_events_of_a_turn_and_repeats_itself() {
    let orders: Vec<_> = (0..20).map(order).collect();
    assert_eq!(orders, (0..20).map(order).collect::<Vec<_>>());
    let mut sorted = orders.clone();
    sorted.sort();
    sorted.dedup();
    assert!(sorted.len() > 15, "seeds make a difference");
    for mut order in orders {
        order.sort_unstable();
        assert!(order.into_iter().eq(0..10));
    }
}
