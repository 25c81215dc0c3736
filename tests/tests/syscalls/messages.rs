//! Messages: to a loop that is awake, and to one that sleeps.

use std::{thread, time::Duration};

use mio_core::{EventLoop, Expiry, Handler, Interest, Readiness, Trigger, unix::UnixStream};
use tests::{Isolated, backend, mark, test_name};

use crate::{A_WHILE, Sleeper, Stop, deeds, marked};

#[test]
fn a_message_to_a_loop_that_is_awake_is_none() {
    struct Sends(mio_core::Sender<u32>, usize);

    impl Handler<u32> for Sends {
        fn timeout(&mut self, _: &mut EventLoop<u32>, _: u64, _: Expiry) {
            marked(|| (0..100).for_each(|n| self.0.send(n).unwrap()));
        }

        fn message(&mut self, event_loop: &mut EventLoop<u32>, _: u32) {
            self.1 += 1;
            if self.1 == 100 {
                mark(3);
                event_loop.shutdown();
            }
        }
    }

    let trace = Isolated::new(test_name!()).trace(|| {
        let mut event_loop = EventLoop::new().unwrap();
        let sends = Sends(event_loop.sender(), 0);
        event_loop.timeout(1u64, Duration::ZERO).unwrap();
        event_loop.run(sends).unwrap();
    });
    assert_eq!(trace.deeds(1, 2), [""; 0]);
    let receiving = trace.deeds(2, 3);
    assert!(receiving.len() <= 1, "at most one look for I/O in between: {receiving:?}");
}

#[test]
fn a_message_to_a_loop_that_an_event_has_woken_is_none() {
    struct Sends(mio_core::Sender<u32>);

    impl Handler<u32> for Sends {
        fn ready(&mut self, event_loop: &mut EventLoop<u32>, _: u64, _: Readiness) {
            marked(|| (0..100).for_each(|n| self.0.send(n).unwrap()));
            event_loop.shutdown();
        }
    }

    let deeds = deeds(test_name!(), || {
        let mut event_loop = EventLoop::new().unwrap();
        let (a, _b) = UnixStream::pair().unwrap();
        event_loop.register_with(&a, 1u64, Interest::WRITABLE, Trigger::Edge).unwrap();
        let sends = Sends(event_loop.sender());
        event_loop.run(sends).unwrap();
    });
    assert_eq!(deeds, [""; 0]);
}

#[test]
fn a_message_from_another_thread_to_a_loop_that_is_awake_is_none() {
    struct Lets(mio_core::Sender<u32>);

    impl Handler<u32> for Lets {
        fn timeout(&mut self, _: &mut EventLoop<u32>, _: u64, _: Expiry) {
            let sender = self.0.clone();
            let send = move || marked(|| (0..100).for_each(|n| sender.send(n).unwrap()));
            thread::spawn(send).join().unwrap();
        }

        fn message(&mut self, event_loop: &mut EventLoop<u32>, _: u32) {
            event_loop.shutdown();
        }
    }

    let deeds = deeds(test_name!(), || {
        let mut event_loop = EventLoop::new().unwrap();
        let lets = Lets(event_loop.sender());
        event_loop.timeout(1u64, Duration::ZERO).unwrap();
        event_loop.run(lets).unwrap();
    });
    assert_eq!(deeds, [""; 0]);
}

#[test]
fn a_message_to_a_loop_that_sleeps_is_one_wake_up() {
    let trace = Isolated::new(test_name!()).trace(|| {
        let mut event_loop = EventLoop::new().unwrap();
        let sender = event_loop.sender();
        let sleeper = Sleeper::here();
        let threads = thread::spawn(move || {
            sleeper.has_slept(A_WHILE);
            mark(3);
            sender.send(1).unwrap();
            mark(4);
        });
        marked(|| event_loop.run(Stop).unwrap());
        threads.join().unwrap();
    });
    assert_eq!(trace.deeds(3, 4), backend::WAKE);
    assert_eq!(trace.deeds(1, 2), backend::WOKEN);
}

#[test]
fn many_messages_before_the_loop_looks_are_one_wake_up() {
    let trace = Isolated::new(test_name!()).trace(|| {
        let mut event_loop = EventLoop::new().unwrap();
        let sender = event_loop.sender();
        marked(|| (0..100).for_each(|n| sender.send(n).unwrap()));
        event_loop.run(Stop).unwrap();
    });
    assert_eq!(trace.deeds(1, 2), backend::WAKE);
}

#[test]
fn the_sleep_after_many_messages_is_one_wait_too() {
    struct Until(u32);

    impl Handler<u32> for Until {
        fn message(&mut self, event_loop: &mut EventLoop<u32>, message: u32) {
            if message == self.0 {
                mark(1);
            } else if message > self.0 {
                event_loop.shutdown();
            }
        }
    }

    let trace = Isolated::new(test_name!()).trace(|| {
        let mut event_loop = EventLoop::new().unwrap();
        let sender = event_loop.sender();
        (1..=100).for_each(|n| sender.send(n).unwrap());
        let sleeper = Sleeper::here();
        let threads = thread::spawn(move || {
            sleeper.has_slept(A_WHILE);
            sender.send(101).unwrap();
        });
        event_loop.run(Until(100)).unwrap();
        mark(2);
        threads.join().unwrap();
    });
    assert_eq!(trace.deeds(1, 2), backend::WOKEN);
}
