//! Timers as the loop runs them; their order and handles are tested with the store.

use std::{
    io::{ErrorKind, Write},
    time::{Duration, Instant},
};

use mio_core::{Config, EventLoop, Expiry, Handler, Precision};

use tests::pair;

use crate::recorder::{Call, Recorder};

#[test]
fn timers_fire_in_the_order_of_their_deadlines_and_never_early() {
    let mut event_loop = EventLoop::new().unwrap();
    let start = event_loop.now();
    for (token, micros) in [(1, 3_000), (2, 150), (3, 1_200), (4, 150), (5, 0)] {
        event_loop.timeout(token as u64, Duration::from_micros(micros)).unwrap();
    }
    let mut recorder = Recorder::default();
    while recorder.calls.len() < 5 {
        event_loop.run_once(&mut recorder, None).unwrap();
    }
    assert_eq!(recorder.tokens(), [5, 2, 4, 3, 1]);
    for (deadline, now) in recorder.late {
        assert!(now >= deadline && deadline >= start);
    }
}

#[test]
fn a_timer_set_in_a_turn_does_not_fire_in_it() {
    struct Sets {
        turns: u32,
        fired: Vec<u32>,
        updates: bool,
    }
    impl Handler for Sets {
        fn timeout(&mut self, event_loop: &mut EventLoop, _: u64, _: Expiry) {
            self.fired.push(self.turns);
            if self.updates {
                event_loop.update_now();
            }
            event_loop.timeout(1u64, Duration::ZERO).unwrap();
        }
        fn tick(&mut self, _: &mut EventLoop) {
            self.turns += 1;
        }
    }
    for (updates, virtual_time) in [(true, None), (false, None), (false, Some(0))] {
        let config = Config { virtual_time, ..Config::default() };
        let mut event_loop = EventLoop::with_config(config).unwrap();
        event_loop.timeout(1u64, Duration::ZERO).unwrap();
        let mut sets = Sets { turns: 0, fired: Vec::new(), updates };
        for _ in 0..50 {
            event_loop.run_once(&mut sets, None).unwrap();
        }
        assert!(sets.fired.windows(2).all(|two| two[0] < two[1]), "{:?}", sets.fired);
        assert!(sets.fired.len() > 10);
    }
}

#[test]
fn a_delay_counts_from_when_it_is_set_also_long_after_the_last_turn() {
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.timeout(1u64, Duration::ZERO).unwrap();
    let mut recorder = Recorder::default();
    event_loop.run_once(&mut recorder, None).unwrap();
    let pause = Duration::from_millis(20);
    std::thread::sleep(pause);
    let set = Instant::now();
    event_loop.timeout(2u64, pause / 2).unwrap();
    while recorder.calls.len() < 2 {
        event_loop.run_once(&mut recorder, None).unwrap();
    }
    assert!(set.elapsed() >= pause / 2, "the last turn's clock is stale");
}

#[test]
fn now_is_the_same_throughout_a_turn_until_it_is_updated() {
    struct Looks(u32);
    impl Handler for Looks {
        fn timeout(&mut self, event_loop: &mut EventLoop, _: u64, _: Expiry) {
            let now = event_loop.now();
            std::thread::sleep(Duration::from_millis(1));
            assert_eq!(event_loop.now(), now);
            event_loop.update_now();
            assert!(event_loop.now() >= now + Duration::from_millis(1));
            self.0 += 1;
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.timeout(1u64, Duration::ZERO).unwrap();
    let mut looks = Looks(0);
    event_loop.run_once(&mut looks, None).unwrap();
    assert_eq!(looks.0, 1);
}

#[test]
fn what_is_due_in_a_turn_stays_the_same_when_the_clock_is_read_again() {
    const LATER: Duration = Duration::from_millis(20);
    struct Waits {
        deadline: Instant,
        was_ahead: bool,
        fired: Vec<u64>,
    }
    impl Handler for Waits {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, _: Expiry) {
            self.fired.push(token);
            if token == 1 {
                self.was_ahead = event_loop.now() < self.deadline;
                std::thread::sleep(LATER);
                event_loop.update_now();
                assert!(event_loop.now() >= self.deadline);
            }
        }
    }
    let keeps_it = |_| {
        let mut event_loop = EventLoop::new().unwrap();
        event_loop.timeout(1u64, Duration::ZERO).unwrap();
        let later = event_loop.timeout(2u64, LATER).unwrap();
        let deadline = event_loop.deadline(later).unwrap();
        let mut waits = Waits { deadline, was_ahead: false, fired: Vec::new() };
        event_loop.run_once(&mut waits, None).unwrap();
        assert!(!waits.was_ahead || waits.fired == [1]);
        event_loop.run_once(&mut waits, Some(Duration::ZERO)).unwrap();
        assert_eq!(waits.fired, [1, 2]);
        waits.was_ahead
    };
    assert!((0..20).any(keeps_it), "this thread was late each time");
}

#[test]
fn a_cancelled_timer_does_not_fire_and_a_rescheduled_one_fires_once() {
    let mut event_loop = EventLoop::new().unwrap();
    let cancelled = event_loop.timeout(1u64, Duration::ZERO).unwrap();
    let later = event_loop.timeout(2u64, Duration::ZERO).unwrap();
    let sooner = event_loop.timeout(3u64, Duration::from_secs(3600)).unwrap();
    assert!(event_loop.cancel(cancelled));
    assert!(!event_loop.cancel(cancelled));
    assert!(event_loop.reschedule(later, Duration::from_millis(3)));
    assert!(event_loop.reschedule(sooner, Duration::from_millis(1)));
    let mut recorder = Recorder::default();
    while recorder.calls.len() < 2 {
        event_loop.run_once(&mut recorder, None).unwrap();
    }
    assert_eq!(recorder.tokens(), [3, 2]);
    assert!(!event_loop.reschedule(later, Duration::ZERO), "it has fired");
    assert_eq!(event_loop.deadline(later), None);
}

#[test]
fn an_interval_fires_every_period_and_counts_what_it_missed() {
    let mut event_loop = EventLoop::new().unwrap();
    let period = Duration::from_millis(5);
    let interval = event_loop.interval(1u64, period).unwrap();
    let first = event_loop.deadline(interval).unwrap();
    std::thread::sleep(period * 4);
    let mut recorder = Recorder::default();
    event_loop.run_once(&mut recorder, None).unwrap();
    let [Call::Timeout(1, missed)] = recorder.calls[..] else { panic!("{:?}", recorder.calls) };
    assert!(missed >= 2, "{missed}");
    let next = event_loop.deadline(interval).unwrap();
    assert_eq!((next - first).as_nanos() % period.as_nanos(), 0, "it keeps its phase");
    assert!(event_loop.cancel(interval));
    let zero = event_loop.interval(1u64, Duration::ZERO).unwrap_err();
    assert_eq!(zero.kind(), ErrorKind::InvalidInput);
}

#[test]
fn an_interval_of_zero_is_refused() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let refused = event_loop.interval(1u64, Duration::ZERO).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert_eq!(event_loop.next_deadline(), None);
}

#[test]
fn a_full_table_says_so_and_room_comes_back() {
    let mut event_loop =
        EventLoop::<()>::with_config(Config { timers: 2, ..Config::default() }).unwrap();
    let one = event_loop.timeout(1u64, Duration::ZERO).unwrap();
    event_loop.timeout(2u64, Duration::ZERO).unwrap();
    let full = event_loop.timeout(3u64, Duration::ZERO).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::QuotaExceeded);
    event_loop.cancel(one);
    let three = event_loop.timeout(3u64, Duration::from_secs(1)).unwrap();
    assert!(!event_loop.cancel(one), "a stale handle does not touch a later timer");
    assert!(event_loop.deadline(three).is_some());
}

#[test]
fn io_is_handled_while_timers_wait_and_timers_while_io_is_busy() {
    let (a, mut b) = pair();
    let mut event_loop = EventLoop::new().unwrap();
    event_loop
        .register_with(&a, 1u64, mio_core::Interest::READABLE, mio_core::Trigger::Level)
        .unwrap();
    let timer = event_loop.timeout(2u64, Duration::from_secs(3_600)).unwrap();
    b.write_all(b"x").unwrap();
    let mut recorder = Recorder::default();
    for _ in 0..2 {
        event_loop.run_once(&mut recorder, None).unwrap();
    }
    assert_eq!(recorder.tokens(), [1, 1]);
    event_loop.reschedule(timer, Duration::from_millis(50));
    let start = Instant::now();
    while !recorder.calls.contains(&Call::Timeout(2, 0)) {
        event_loop.run_once(&mut recorder, None).unwrap();
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_hundred_thousand_stale_deadlines_neither_stall_a_turn_nor_wake_anything_early() {
    const COUNT: usize = 100_000;
    struct Turns {
        fired: usize,
        early: usize,
        turns: usize,
        fired_in_turn: usize,
    }
    impl Handler for Turns {
        fn timeout(&mut self, event_loop: &mut EventLoop, _: u64, expiry: Expiry) {
            self.fired += 1;
            self.fired_in_turn += 1;
            self.early += usize::from(event_loop.now() < expiry.deadline());
            if self.fired == COUNT {
                event_loop.shutdown();
            }
        }
        fn tick(&mut self, _: &mut EventLoop) {
            assert!(self.fired_in_turn <= 1024, "a turn is bounded");
            self.fired_in_turn = 0;
            self.turns += 1;
        }
    }
    let config = Config { timers: COUNT, virtual_time: Some(0), ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let start = event_loop.now();
    let timers: Vec<_> =
        (0..COUNT).map(|_| event_loop.timeout(1u64, Duration::from_secs(60)).unwrap()).collect();
    for timer in &timers {
        assert!(event_loop.reschedule(*timer, Duration::from_secs(120)));
    }
    let mut turns = Turns { fired: 0, early: 0, turns: 0, fired_in_turn: 0 };
    event_loop.run(&mut turns).unwrap();
    assert_eq!((turns.fired, turns.early), (COUNT, 0));
    assert_eq!(event_loop.now() - start, Duration::from_secs(120));
    assert!(turns.turns >= COUNT / 1024);
}

#[test]
fn a_turn_puts_no_more_timers_right_than_its_bound() {
    const COUNT: u32 = 1_000;
    let config = Config { repairs_per_turn: 10, virtual_time: Some(0), ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    for _ in 0..COUNT {
        let timer = event_loop.timeout(1u64, Duration::from_secs(1)).unwrap();
        assert!(event_loop.reschedule(timer, Duration::from_secs(10)));
    }
    event_loop.timeout(2u64, Duration::from_secs(1)).unwrap();
    let mut recorder = Recorder::default();
    let mut turns = 0;
    while recorder.calls.is_empty() {
        event_loop.run_once(&mut recorder, None).unwrap();
        turns += 1;
    }
    assert_eq!(recorder.tokens(), [2]);
    // The last step of a turn may be of some more.
    assert!(turns >= COUNT / 50, "{turns}");
}

#[test]
fn both_precisions_keep_their_promise() {
    for precision in [Precision::Cheap, Precision::Exact] {
        let config = Config { precision, ..Config::default() };
        let mut event_loop = EventLoop::with_config(config).unwrap();
        for millis in [2, 40, 120] {
            event_loop.timeout(millis, Duration::from_millis(millis)).unwrap();
        }
        let mut recorder = Recorder::default();
        let mut turns = 0;
        while recorder.calls.len() < 3 {
            event_loop.run_once(&mut recorder, None).unwrap();
            turns += 1;
        }
        for (deadline, now) in &recorder.late {
            assert!(now >= deadline);
        }
        let allowed = if precision == Precision::Cheap { 3 } else { 6 };
        assert!(turns <= allowed, "{precision:?} took {turns} waits for 3 deadlines");
    }
}

#[test]
fn a_bounded_turn_ends_at_its_bound_though_a_timer_waits() {
    for precision in [Precision::Cheap, Precision::Exact] {
        let config = Config { precision, ..Config::default() };
        let mut event_loop = EventLoop::with_config(config).unwrap();
        let timeout = event_loop.timeout(1u64, Duration::from_secs(30)).unwrap();
        let mut recorder = Recorder::default();
        event_loop.run_once(&mut recorder, Some(Duration::from_millis(5))).unwrap();
        assert_eq!(recorder.calls, []);
        assert!(event_loop.cancel(timeout), "it has not fired");
    }
}

#[test]
fn a_callback_that_takes_long_does_not_push_later_deadlines_back() {
    const LONG: Duration = Duration::from_millis(200);
    struct Slow(Duration);
    impl Handler for Slow {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
            if token == 1 {
                std::thread::sleep(LONG);
            } else {
                self.0 = Instant::now() - expiry.deadline();
                event_loop.shutdown();
            }
        }
    }
    let lateness = |_| {
        let mut event_loop = EventLoop::new().unwrap();
        event_loop.timeout(1u64, Duration::from_millis(1)).unwrap();
        event_loop.timeout(2u64, 2 * LONG).unwrap();
        event_loop.run(Slow(Duration::ZERO)).unwrap().0
    };
    // Sleeping from the turn's stale clock would always be late by as long as the callback took. A machine that
    // has other things to do may be, but not every time.
    let mut late = (0..20).map(lateness);
    assert!(late.any(|late| late < LONG / 2));
}

#[test]
fn a_million_timers_live_at_once_and_fire_in_order() {
    const COUNT: u64 = 1_000_000;
    struct InOrder {
        last: Option<Instant>,
        fired: u64,
    }
    impl Handler for InOrder {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
            assert!(self.last <= Some(expiry.deadline()) && event_loop.now() >= expiry.deadline());
            assert_eq!(token % 2, 1, "the others were cancelled");
            self.last = Some(expiry.deadline());
            self.fired += 1;
            if self.fired == COUNT / 2 {
                event_loop.shutdown();
            }
        }
    }
    let timers = COUNT as usize;
    let config = Config { timers, virtual_time: Some(0), ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let all: Vec<_> = (0..COUNT)
        .map(|token| {
            let micros = token.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
            event_loop.timeout(token, Duration::from_micros(micros)).unwrap()
        })
        .collect();
    let full = event_loop.timeout(0u64, Duration::ZERO).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::QuotaExceeded);
    for timeout in all.iter().step_by(2) {
        assert!(event_loop.cancel(*timeout));
    }
    let in_order = event_loop.run(InOrder { last: None, fired: 0 }).unwrap();
    assert_eq!(in_order.fired, COUNT / 2);
    assert_eq!(event_loop.next_deadline(), None);
}
