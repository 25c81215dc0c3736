//! Loops that callbacks replace, take away and put back.

use std::{
    io::ErrorKind,
    mem,
    time::{Duration, Instant},
};

use mio_core::{EventLoop, Expiry, Handler, Readiness};

use crate::recorder::{Do, ready_loop};

/// How running a loop is refused.
fn refused(event_loop: &mut EventLoop) -> [ErrorKind; 2] {
    struct Never;
    impl Handler for Never {
        fn tick(&mut self, _: &mut EventLoop) {
            panic!("it runs");
        }
    }
    let turn = event_loop.run_once(&mut Never, Some(Duration::ZERO)).unwrap_err();
    [event_loop.run(Never).err().unwrap().kind(), turn.kind()]
}

#[test]
fn a_callback_may_replace_the_loop_that_it_is_handed() {
    let (mut event_loop, _pairs) = ready_loop(4);
    let (other, _other_pairs) = ready_loop(2);
    let mut other = Some(other);
    let mut seen = 0;
    event_loop
        .run(Do(|event_loop: &mut EventLoop, _| {
            seen += 1;
            if let Some(other) = other.take() {
                // The events of the loop that is replaced go with it.
                drop(mem::replace(event_loop, other));
            } else if seen == 3 {
                event_loop.shutdown();
            }
        }))
        .unwrap();
    assert_eq!(seen, 3);
}

/// Runs a loop until a callback takes it away.
fn taken_away(event_loop: &mut EventLoop) -> EventLoop {
    let mut taken = None;
    event_loop
        .run(Do(|event_loop: &mut EventLoop, _| {
            taken = Some(mem::replace(event_loop, EventLoop::new().unwrap()));
            event_loop.shutdown();
        }))
        .unwrap();
    taken.unwrap()
}

#[test]
fn a_loop_that_was_taken_out_of_its_own_callback_can_be_run() {
    let (mut event_loop, _pairs) = ready_loop(2);
    let mut seen = 0;
    taken_away(&mut event_loop)
        .run(Do(|event_loop: &mut EventLoop, _| {
            seen += 1;
            event_loop.shutdown();
        }))
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn a_loop_that_a_callback_took_away_runs_again_when_it_is_put_back() {
    let (mut event_loop, _pairs) = ready_loop(2);
    event_loop = taken_away(&mut event_loop);
    let mut seen = 0;
    event_loop
        .run(Do(|event_loop: &mut EventLoop, _| {
            seen += 1;
            assert_eq!(refused(event_loop), [ErrorKind::ResourceBusy; 2]);
            event_loop.shutdown();
        }))
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn a_loop_that_is_put_back_after_its_events_still_has_those_it_had_not_come_to() {
    const IDLE: u64 = 9;
    struct Exchanges {
        taken: Option<EventLoop>,
        seen: Vec<u64>,
        by_timer: bool,
        end: Instant,
    }
    impl Exchanges {
        fn put_back(&mut self, event_loop: &mut EventLoop) {
            if let Some(taken) = self.taken.take() {
                drop(mem::replace(event_loop, taken));
            }
        }
    }
    impl Handler for Exchanges {
        fn ready(&mut self, event_loop: &mut EventLoop, token: u64, _: Readiness) {
            if token == IDLE {
                return;
            }
            self.seen.push(token);
            if self.seen.len() == 1 {
                let mut other = EventLoop::new().unwrap();
                if self.by_timer {
                    other.timeout(1u64, Duration::ZERO).unwrap();
                }
                self.taken = Some(mem::replace(event_loop, other));
            }
        }
        fn timeout(&mut self, event_loop: &mut EventLoop, _: u64, _: Expiry) {
            self.put_back(event_loop);
        }
        fn tick(&mut self, event_loop: &mut EventLoop) {
            if !self.by_timer {
                self.put_back(event_loop);
            }
            if self.seen.len() == 3 || Instant::now() > self.end {
                event_loop.shutdown();
            } else {
                // Not to wait for what was lost.
                event_loop.again(IDLE, Readiness::empty()).unwrap();
            }
        }
    }
    for by_timer in [false, true] {
        let (mut event_loop, _pairs) = ready_loop(3);
        let end = Instant::now() + Duration::from_secs(10);
        let mut exchanges = Exchanges { taken: None, seen: Vec::new(), by_timer, end };
        event_loop.run(&mut exchanges).unwrap();
        exchanges.seen.sort_unstable();
        assert_eq!(exchanges.seen, [0, 1, 2], "by a timer: {by_timer}");
    }
}

#[test]
fn a_loop_that_was_put_back_runs_in_a_callback_of_another_too() {
    let (mut event_loop, _pairs) = ready_loop(2);
    event_loop = taken_away(&mut event_loop);
    let (mut outer, _outer_pairs) = ready_loop(1);
    let mut seen = 0;
    outer
        .run(Do(|outer: &mut EventLoop, _| {
            // It says of itself that it was here when it was last run, but nobody runs it.
            event_loop
                .run(Do(|event_loop: &mut EventLoop, _| {
                    seen += 1;
                    assert_eq!(refused(event_loop), [ErrorKind::ResourceBusy; 2]);
                    event_loop.shutdown();
                }))
                .unwrap();
            outer.shutdown();
        }))
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn a_loop_runs_where_a_callback_of_its_own_has_taken_it_to() {
    let (mut event_loop, _pairs) = ready_loop(2);
    let mut seen = 0;
    event_loop
        .run(Do(|event_loop: &mut EventLoop, _| {
            let mut taken = mem::replace(event_loop, EventLoop::new().unwrap());
            taken
                .run(Do(|taken: &mut EventLoop, _| {
                    seen += 1;
                    taken.shutdown();
                }))
                .unwrap();
            *event_loop = taken;
            assert_eq!(refused(event_loop), [ErrorKind::ResourceBusy; 2], "it is back");
            event_loop.shutdown();
        }))
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn a_nested_run_is_refused_to_the_loop_that_a_callback_puts_in_place_too() {
    let (mut event_loop, _pairs) = ready_loop(1);
    let (other, _other_pairs) = ready_loop(1);
    let mut other = Some(other);
    let mut calls = 0;
    event_loop
        .run(Do(|event_loop: &mut EventLoop, _| {
            calls += 1;
            match other.take() {
                Some(other) => *event_loop = other,
                None => event_loop.shutdown(),
            }
            assert_eq!(refused(event_loop), [ErrorKind::ResourceBusy; 2], "call {calls}");
        }))
        .unwrap();
    assert_eq!(calls, 2);
}

#[test]
fn sixteen_loops_run_in_a_thread_each_in_a_callback_of_another() {
    fn run(depth: u32) -> Result<u32, ErrorKind> {
        let (mut event_loop, _pairs) = ready_loop(1);
        let mut deepest = Ok(depth);
        let run = event_loop.run(Do(|event_loop: &mut EventLoop, _| {
            deepest = run(depth + 1).or(deepest);
            event_loop.shutdown();
        }));
        run.map_err(|error| error.kind())?;
        deepest
    }
    for _ in 0..2 {
        assert_eq!(run(1), Ok(16));
    }
    // One more is no panic, and what is refused leaves the others whole.
    let (mut event_loop, _pairs) = ready_loop(1);
    event_loop.run(Do(|event_loop: &mut EventLoop, _| event_loop.shutdown())).unwrap();
}

#[test]
fn timers_of_a_loop_that_takes_the_place_of_another_are_not_early() {
    struct Replaces(Option<EventLoop>);
    impl Handler for Replaces {
        fn timeout(&mut self, event_loop: &mut EventLoop, _: u64, expiry: Expiry) {
            match self.0.take() {
                Some(other) => *event_loop = other,
                None => {
                    assert!(event_loop.now() >= expiry.deadline());
                    event_loop.shutdown();
                }
            }
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.timeout(1u64, Duration::ZERO).unwrap();
    // The clock of the older loop is ahead of the other's, which counts from a later moment.
    std::thread::sleep(Duration::from_millis(60));
    let mut other = EventLoop::new().unwrap();
    other.timeout(2u64, Duration::from_millis(30)).unwrap();
    event_loop.run(Replaces(Some(other))).unwrap();
}
