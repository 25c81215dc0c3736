//! Messages from other threads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use mio_core::{Config, EventLoop, Handler, Interest, Readiness, SendError, Trigger};
use tests::pair;

use crate::recorder::{Call, Recorder};

#[test]
fn a_sleeping_loop_is_woken_by_a_message() {
    let mut event_loop = EventLoop::new().unwrap();
    let sender = event_loop.sender();
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(30));
            sender.send(5).unwrap();
        });
        let mut recorder = Recorder::default();
        while recorder.calls.is_empty() {
            event_loop.run_once(&mut recorder, Some(Duration::from_secs(20))).unwrap();
        }
        assert_eq!(recorder.calls, [Call::Message(5)]);
    });
}

#[test]
fn no_message_is_lost_and_each_sender_keeps_its_order() {
    const SENDERS: usize = 4;
    const EACH: u32 = if cfg!(miri) { 50 } else { 50_000 };
    struct Ordered {
        next: [u32; SENDERS],
        left: usize,
    }
    impl Handler<(usize, u32)> for Ordered {
        fn message(&mut self, event_loop: &mut EventLoop<(usize, u32)>, message: (usize, u32)) {
            let (sender, number) = message;
            assert_eq!(self.next[sender], number);
            self.next[sender] += 1;
            self.left -= 1;
            if self.left == 0 {
                event_loop.shutdown();
            }
        }
    }
    let mut event_loop =
        EventLoop::with_config(Config { messages: 64, ..Config::default() }).unwrap();
    thread::scope(|scope| {
        for id in 0..SENDERS {
            let sender = event_loop.sender();
            scope.spawn(move || {
                for number in 0..EACH {
                    let mut message = (id, number);
                    while let Err(SendError::Full(refused)) = sender.send(message) {
                        message = refused;
                        thread::yield_now();
                    }
                    // Now and then the loop gets to sleep.
                    if number % 4096 == 0 {
                        thread::sleep(Duration::from_millis(1));
                    }
                }
            });
        }
        event_loop.run(Ordered { next: [0; SENDERS], left: SENDERS * EACH as usize }).unwrap();
    });
}

#[test]
fn what_is_refused_comes_back() {
    let mut event_loop =
        EventLoop::with_config(Config { messages: 2, ..Config::default() }).unwrap();
    let sender = event_loop.sender();
    assert_eq!(sender.capacity(), 2);
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    assert!(matches!(sender.send(3), Err(SendError::Full(3))));
    event_loop.run_once(&mut Recorder::default(), Some(Duration::ZERO)).unwrap();
    sender.send(3).unwrap();
    assert!(!sender.is_closed());
    drop(event_loop);
    assert!(sender.is_closed());
    assert!(matches!(sender.send(4), Err(SendError::Closed(4))));
}

#[test]
fn what_a_dropped_loop_leaves_is_dropped_once() {
    struct Counts(Arc<AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let drops = Arc::new(AtomicUsize::new(0));
    let event_loop = EventLoop::new().unwrap();
    let sender = event_loop.sender();
    for _ in 0..5 {
        sender.send(Counts(Arc::clone(&drops))).ok().unwrap();
    }
    drop(event_loop);
    assert_eq!(drops.load(Ordering::Relaxed), 5);
    drop(sender);
    assert_eq!(drops.load(Ordering::Relaxed), 5);
}

#[test]
fn a_handler_may_send_to_its_own_loop() {
    struct Countdown(u32);
    impl Handler<u32> for Countdown {
        fn message(&mut self, event_loop: &mut EventLoop<u32>, message: u32) {
            self.0 += 1;
            if message == 0 {
                return event_loop.shutdown();
            }
            event_loop.sender().send(message - 1).unwrap();
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.sender().send(9).unwrap();
    assert_eq!(event_loop.run(Countdown(0)).unwrap().0, 10);
}

#[test]
fn a_message_that_came_in_a_turn_with_nothing_else_is_received_before_the_loop_sleeps() {
    const LATE: u32 = 9;
    struct Sends(Vec<u32>);
    impl Handler<u32> for Sends {
        fn ready(&mut self, event_loop: &mut EventLoop<u32>, _: u64, _: Readiness) {
            event_loop.sender().send(1).unwrap();
        }
        fn message(&mut self, event_loop: &mut EventLoop<u32>, message: u32) {
            self.0.push(message);
            if message != 1 {
                event_loop.shutdown();
            }
        }
        fn tick(&mut self, event_loop: &mut EventLoop<u32>) {
            if self.0 == [1] {
                event_loop.sender().send(2).unwrap();
            }
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    let (a, _b) = pair();
    event_loop.register_with(&a, 1u64, Interest::WRITABLE, Trigger::Edge).unwrap();
    let sender = event_loop.sender();
    let (over, waits) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            // Ends what would be a sleep without end.
            if waits.recv_timeout(Duration::from_secs(10)) == Err(mpsc::RecvTimeoutError::Timeout) {
                sender.send(LATE).unwrap();
            }
        });
        let sends = event_loop.run(Sends(Vec::new())).unwrap();
        drop(over);
        assert_eq!(sends.0, [1, 2]);
    });
}

#[test]
fn a_mapped_sender_wraps_what_it_sends() {
    let mut event_loop = EventLoop::new().unwrap();
    let doubled = event_loop.sender().map(|half: u32| half * 2).map(|text: &str| text.len() as u32);
    doubled.send("four").unwrap();
    let mut recorder = Recorder::default();
    event_loop.run_once(&mut recorder, Some(Duration::ZERO)).unwrap();
    assert_eq!(recorder.calls, [Call::Message(8)]);
}
