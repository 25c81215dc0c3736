//! Each phase of a turn when it is cut short, and with bounds as small as they can be.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    process::Child,
    thread,
    time::{Duration, Instant},
};

use mio_core::{
    ChildExit, Config, EventLoop, Expiry, Handler, Interest, Readiness, SendError, Trigger,
};
use tests::{backend, exits, pair, settle, sole_watcher, waits_for_its_input};

use crate::recorder::{Call, Recorder};

#[derive(Clone, Copy, Debug)]
enum End {
    Shutdown,
    Failure,
    Panic,
}

/// Ends the run in each of its callbacks.
struct Ends {
    how: End,
    calls: Vec<Call>,
}

impl Ends {
    fn call(&mut self, event_loop: &mut EventLoop<u32>, call: Call) {
        self.calls.push(call);
        match self.how {
            End::Shutdown => event_loop.shutdown(),
            End::Failure => event_loop.fail(ErrorKind::TimedOut.into()),
            End::Panic => resume_unwind(Box::new("callback")),
        }
    }
}

impl Handler<u32> for Ends {
    fn ready(&mut self, event_loop: &mut EventLoop<u32>, token: u64, readiness: Readiness) {
        self.call(event_loop, Call::Ready(token, readiness));
    }

    fn timeout(&mut self, event_loop: &mut EventLoop<u32>, token: u64, expiry: Expiry) {
        self.call(event_loop, Call::Timeout(token, expiry.missed));
    }

    fn message(&mut self, event_loop: &mut EventLoop<u32>, message: u32) {
        self.call(event_loop, Call::Message(message));
    }

    fn child(&mut self, event_loop: &mut EventLoop<u32>, token: u64, _: ChildExit) {
        self.call(event_loop, Call::Child(token));
    }

    fn tick(&mut self, event_loop: &mut EventLoop<u32>) {
        self.call(event_loop, Call::Tick);
    }
}

/// Ends them while the loop waits already, as a busy machine does.
fn end_soon(children: impl Iterator<Item = Child>) {
    for mut child in children {
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            drop(child.stdin.take());
            child.wait().unwrap();
        });
    }
}

#[test]
fn a_run_that_ends_in_any_phase_leaves_the_rest_to_the_next() {
    let _watcher = sole_watcher();
    for how in [End::Shutdown, End::Failure, End::Panic] {
        let mut event_loop = EventLoop::new().unwrap();
        let mut children =
            vec![waits_for_its_input().spawn().unwrap(), waits_for_its_input().spawn().unwrap()];
        for (token, child) in (5..).zip(&children) {
            event_loop.child(child, token).unwrap();
        }
        let pairs = [(); 2].map(|()| pair());
        for (token, (source, _)) in (1..).zip(&pairs) {
            event_loop.register_with(source, token, Interest::WRITABLE, Trigger::Edge).unwrap();
        }
        event_loop.again(3u64, Readiness::READABLE).unwrap();
        event_loop.again(4u64, Readiness::READABLE).unwrap();
        for token in [7u64, 8] {
            event_loop.timeout(token, Duration::ZERO).unwrap();
        }
        for message in [9, 10] {
            event_loop.sender().send(message).unwrap();
        }

        let mut ends = Ends { how, calls: Vec::new() };
        let mut turns = 0;
        let mut handled = 0;
        while handled < 10 {
            if handled == 8 {
                end_soon(children.drain(..));
            }
            let run = || event_loop.run_once(&mut ends, Some(Duration::from_secs(10)));
            let result = catch_unwind(AssertUnwindSafe(run));
            match how {
                End::Shutdown => assert!(!result.unwrap().unwrap()),
                End::Failure => {
                    assert_eq!(result.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
                }
                End::Panic => assert!(result.is_err()),
            }
            turns += 1;
            assert_eq!(ends.calls.len(), turns, "each turn ends at its first callback: {how:?}");
            handled = ends.calls.iter().filter(|&call| *call != Call::Tick).count();
            // Some have nothing to handle but their tick: the phase that a panic has cut short is gone through again before
            // the loop sleeps, and a child's end may be told twice.
            assert!(turns <= 2 * 10, "{how:?}: {:?}", ends.calls);
        }
        for call in [
            Call::Ready(1, Readiness::WRITABLE),
            Call::Ready(2, Readiness::WRITABLE),
            Call::Ready(3, Readiness::READABLE),
            Call::Ready(4, Readiness::READABLE),
            Call::Child(5),
            Call::Child(6),
            Call::Timeout(7, 0),
            Call::Timeout(8, 0),
            Call::Message(9),
            Call::Message(10),
        ] {
            let times = ends.calls.iter().filter(|&made| *made == call).count();
            assert_eq!(times, 1, "{how:?}: {call:?} in {:?}", ends.calls);
        }
        let mut recorder = Recorder::default();
        event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap();
        assert_eq!(recorder.calls, [], "nothing comes twice");
    }
}

#[test]
fn a_run_that_ends_in_the_first_of_two_exits_leaves_the_second_to_the_next() {
    let _watcher = sole_watcher();
    for how in [End::Shutdown, End::Failure, End::Panic] {
        let mut event_loop = EventLoop::new().unwrap();
        let mut children = [(); 2].map(|()| waits_for_its_input().spawn().unwrap());
        for (token, child) in (1..).zip(&children) {
            event_loop.child(child, token).unwrap();
        }
        for child in &mut children {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
        let mut ends = Ends { how, calls: Vec::new() };
        let is_exit = |call: &&Call| matches!(call, Call::Child(_));
        let mut exits = 0;
        while exits < 2 {
            let run = || event_loop.run_once(&mut ends, Some(Duration::from_secs(10)));
            let _ = catch_unwind(AssertUnwindSafe(run));
            let told = ends.calls.iter().filter(is_exit).count();
            assert!(told <= exits + 1, "{how:?}: {:?}", ends.calls);
            exits = told;
            if exits == 1 && backend::IS_EPOLL {
                let left = event_loop.next_deadline().is_some_and(|at| at <= Instant::now());
                assert!(left, "it is known already");
            }
        }
        ends.calls.retain(|call| is_exit(&call));
        ends.calls.sort_unstable_by_key(|call| *call == Call::Child(2));
        assert_eq!(ends.calls, [Call::Child(1), Call::Child(2)]);
    }
}

#[test]
fn a_run_that_ends_in_a_tick_goes_on_with_the_next_turn() {
    for how in [End::Shutdown, End::Failure, End::Panic] {
        let mut event_loop = EventLoop::new().unwrap();
        let mut ends = Ends { how, calls: Vec::new() };
        for turn in 1..=2 {
            let run = AssertUnwindSafe(|| event_loop.run_once(&mut ends, Some(Duration::ZERO)));
            let result = catch_unwind(run);
            match how {
                End::Shutdown => assert!(!result.unwrap().unwrap()),
                End::Failure => {
                    assert_eq!(result.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
                }
                End::Panic => assert!(result.is_err()),
            }
            assert_eq!(ends.calls, vec![Call::Tick; turn]);
        }
        event_loop.sender().send(3).unwrap();
        let mut recorder = Recorder { ticks: true, ..Recorder::default() };
        assert!(event_loop.run_once(&mut recorder, None).unwrap());
        assert_eq!(recorder.calls, [Call::Message(3), Call::Tick]);
    }
}

#[test]
fn with_the_smallest_bounds_everything_comes_one_at_a_time() {
    let _watcher = sole_watcher();
    let config = Config {
        sources: if backend::HAS_SLOTS { 3 } else { 1 },
        events: 1,
        timers: 3,
        timers_per_turn: 1,
        repairs_per_turn: 1,
        messages: 1,
        messages_per_turn: 1,
        signals: 1,
        children: 1,
        ..Config::default()
    };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let sender = event_loop.sender();
    let pairs = [(); 3].map(|()| pair());
    for (token, (source, _)) in (0..).zip(&pairs) {
        event_loop.register_with(source, token, Interest::WRITABLE, Trigger::Edge).unwrap();
        let timeout = event_loop.timeout(token, Duration::ZERO).unwrap();
        assert!(event_loop.reschedule(timeout, Duration::from_millis(1)));
    }
    event_loop.again(7u64, Readiness::READABLE).unwrap();
    let mut child = exits(0).spawn().unwrap();
    event_loop.child(&child, 9u64).unwrap();
    child.wait().unwrap();
    let mut messages: VecDeque<u32> = (0..3).collect();
    let mut recorder = Recorder::default();
    let end = Instant::now() + Duration::from_secs(20);
    while recorder.calls.len() < 3 + 3 + 1 + 1 + 3 {
        if let Some(&message) = messages.front() {
            sender.send(message).unwrap();
            messages.pop_front();
            assert_eq!(sender.send(message), Err(SendError::Full(message)));
        }
        let before = recorder.calls.clone();
        event_loop.run_once(&mut recorder, Some(end - Instant::now())).unwrap();
        let new = &recorder.calls[before.len()..];
        for kind in [
            (|call| matches!(call, Call::Timeout(..))) as fn(&Call) -> bool,
            |call| matches!(call, Call::Message(_)),
            |call| matches!(call, Call::Ready(token, _) if *token < 3),
        ] {
            assert!(new.iter().filter(|call| kind(call)).count() <= 1, "{new:?}");
        }
    }
    let messages: Vec<_> =
        recorder.calls.iter().filter(|call| matches!(call, Call::Message(_))).collect();
    assert_eq!(messages, [&Call::Message(0), &Call::Message(1), &Call::Message(2)]);
    assert!(recorder.calls.contains(&Call::Child(9)));
}

#[test]
fn a_turn_tells_of_no_more_exits_than_children_can_be_watched() {
    /// Counts exits, and watches the next child at each.
    struct Watches {
        exits: usize,
        next: Vec<Child>,
    }
    impl Handler for Watches {
        fn child(&mut self, event_loop: &mut EventLoop, _: u64, _: ChildExit) {
            self.exits += 1;
            if let Some(mut next) = self.next.pop() {
                event_loop.child(&next, 1u64).unwrap();
                next.wait().unwrap();
            }
        }
    }
    let _watcher = sole_watcher();
    let mut children = [(); 3].map(|()| exits(0).spawn().unwrap());
    let mut told = Watches { exits: 0, next: Vec::new() };
    {
        // Tells that they have exited, and leaves them to be watched.
        let mut event_loop = EventLoop::new().unwrap();
        children.iter().for_each(|child| event_loop.child(child, 1u64).unwrap());
        while told.exits < 3 {
            event_loop.run_once(&mut told, Some(Duration::from_secs(10))).unwrap();
        }
    }
    let config = Config { children: 1, ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    event_loop.child(&children[0], 1u64).unwrap();
    children[0].wait().unwrap();
    let mut watches = Watches { exits: 0, next: children.into_iter().skip(1).collect() };
    while watches.exits < 3 {
        let before = watches.exits;
        event_loop.run_once(&mut watches, Some(Duration::from_secs(10))).unwrap();
        assert!(watches.exits <= before + 1, "at a time");
    }
}

#[test]
fn a_loop_without_room_refuses_and_works() {
    let config = Config { sources: 0, timers: 0, signals: 0, children: 0, ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let full = |result: std::io::Result<()>| {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::QuotaExceeded);
    };
    let mut child = exits(0).spawn().unwrap();
    full(event_loop.timeout(1u64, Duration::ZERO).map(drop));
    full(event_loop.interval(1u64, Duration::MAX).map(drop));
    full(event_loop.again(1u64, Readiness::READABLE));
    full(event_loop.child(&child, 1u64));
    child.wait().unwrap();
    let (a, mut b) = pair();
    let registered = event_loop.register_with(&a, 1u64, Interest::READABLE, Trigger::Edge);
    assert_eq!(registered.err().map(|error| error.kind()), {
        backend::HAS_SLOTS.then_some(ErrorKind::StorageFull)
    });
    b.write_all(b"x").unwrap();
    settle();
    event_loop.sender().send(2).unwrap();
    let mut recorder = Recorder::default();
    event_loop.run_once(&mut recorder, None).unwrap();
    let calls = [Call::Ready(1, Readiness::READABLE), Call::Message(2)];
    assert_eq!(recorder.calls, calls[usize::from(backend::HAS_SLOTS)..]);
    assert_eq!(event_loop.next_deadline(), None);
}

#[test]
fn a_loop_that_spins_hears_of_everything_and_sleeps_in_the_end() {
    let config = Config { spin: Duration::from_millis(5), ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let (a, mut b) = pair();
    event_loop.register_with(&a, 1u64, Interest::READABLE, Trigger::Edge).unwrap();
    let sender = event_loop.sender();
    // While it spins, and when it has gone to sleep.
    event_loop.timeout(2u64, Duration::from_micros(200)).unwrap();
    event_loop.timeout(3u64, Duration::from_millis(30)).unwrap();
    let mut recorder = Recorder::default();
    thread::scope(|scope| {
        scope.spawn(move || {
            for (message, pause) in [(4, 1), (5, 40)] {
                thread::sleep(Duration::from_millis(pause));
                sender.send(message).unwrap();
                thread::sleep(Duration::from_millis(pause));
                b.write_all(b"x").unwrap();
            }
        });
        let end = Instant::now() + Duration::from_secs(20);
        // If this thread is late, both bytes may come with one event.
        let mut bytes = 0;
        while recorder.calls.len() < 5 || bytes < 2 {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{bytes} bytes, {:?}", recorder.calls);
            event_loop.run_once(&mut recorder, Some(left)).unwrap();
            bytes += (&a).read(&mut [0; 8]).unwrap_or(0);
        }
    });
    for call in [Call::Timeout(2, 0), Call::Timeout(3, 0), Call::Message(4), Call::Message(5)] {
        assert!(recorder.calls.contains(&call), "{:?}", recorder.calls);
    }
    assert!(recorder.late.iter().all(|(deadline, now)| now >= deadline));
}

#[test]
fn a_bounded_turn_of_a_loop_that_spins_waits_for_its_bound() {
    // A loop to which nobody sends: the wake-up for a message that was received already may end a wait.
    let config = Config { spin: Duration::from_millis(5), ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let mut recorder = Recorder::default();
    let start = Instant::now();
    event_loop.run_once(&mut recorder, Some(Duration::from_millis(3))).unwrap();
    event_loop.run_once(&mut recorder, Some(Duration::from_millis(9))).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(12), "a bounded turn waits for its bound");
    assert_eq!(recorder.calls, []);
}

#[test]
fn a_loop_that_spins_ends_its_search_with_what_it_found() {
    const SPIN: Duration = Duration::from_secs(60);
    let config = Config { spin: SPIN, ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let sender = event_loop.sender();
    let (a, mut b) = pair();
    event_loop.register_with(&a, 1u64, Interest::READABLE, Trigger::Edge).unwrap();
    let mut recorder = Recorder::default();
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            b.write_all(b"x").unwrap();
            thread::sleep(Duration::from_millis(20));
            sender.send(2).unwrap();
        });
        while recorder.calls.len() < 2 {
            event_loop.run_once(&mut recorder, None).unwrap();
        }
    });
    assert_eq!(recorder.calls, [Call::Ready(1, Readiness::READABLE), Call::Message(2)]);
    assert!(start.elapsed() < SPIN);
}
