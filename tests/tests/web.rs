//! A loop on wasm32-unknown-unknown, which has neither descriptors nor a clock: messages, and timers in virtual time,
//! which the host moves. Elsewhere this is empty.
//!
//! Nothing can be printed there. A failure is a trap; `passed` tells the host how many tests there were.
#![allow(unsafe_code)]

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn main() {}

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn main() {
    web::TESTS.iter().for_each(|test| test());
}

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod web {
    use std::{
        io::ErrorKind,
        time::{Duration, Instant},
    };

    use mio_core::{
        Config, EventLoop, Events, Expiry, Handler, Interest, Readiness, Selector, Source, Trigger,
        Waker,
    };
    use tests::alloc::{Counting, forbidden};

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    pub(crate) const TESTS: [fn(); 4] = [
        messages_arrive_and_wakers_wake,
        timers_fire_as_the_host_moves_the_time,
        timers_without_a_clock_are_refused,
        no_source_can_be_registered,
    ];

    // SAFETY: nothing else has this name.
    #[unsafe(no_mangle)]
    extern "C" fn passed() -> usize {
        TESTS.len()
    }

    #[derive(Default)]
    struct Log {
        timeouts: Vec<(u64, Instant)>,
        messages: Vec<u64>,
    }

    impl Handler<u64> for Log {
        fn timeout(&mut self, event_loop: &mut EventLoop<u64>, token: u64, expiry: Expiry) {
            assert_eq!(expiry.deadline(), event_loop.now());
            self.timeouts.push((token, expiry.deadline()));
            event_loop.sender().send(token).unwrap();
        }

        fn message(&mut self, _: &mut EventLoop<u64>, message: u64) {
            self.messages.push(message);
        }
    }

    fn messages_arrive_and_wakers_wake() {
        let mut event_loop = EventLoop::new().unwrap();
        let mut log = Log::default();
        event_loop.sender().send(5).unwrap();
        event_loop.run_once(&mut log, Some(Duration::ZERO)).unwrap();
        assert_eq!(log.messages, [5]);
        let deadlock = event_loop.run_once(&mut log, None).unwrap_err();
        assert_eq!(deadlock.kind(), ErrorKind::Deadlock);

        let selector = Selector::new().unwrap();
        let mut events = Events::with_capacity(4);
        let waker = Waker::new(&selector, 7).unwrap();
        waker.wake().unwrap();
        selector.select(&mut events, None).unwrap();
        let event = events.get(0).unwrap();
        assert_eq!((events.len(), event.token, event.readiness), (1, 7, Readiness::READABLE));
    }

    fn timers_fire_as_the_host_moves_the_time() {
        let config = Config { virtual_time: Some(0), ..Config::default() };
        let mut event_loop = EventLoop::with_config(config).unwrap();
        let mut log = Log { timeouts: Vec::with_capacity(3), messages: Vec::with_capacity(3) };
        let start = event_loop.now();
        forbidden("a loop that is built", || {
            for token in [30, 10, 20] {
                event_loop.timeout(token, Duration::from_millis(token)).unwrap();
            }
            let cancelled = event_loop.timeout(15u64, Duration::from_millis(15)).unwrap();
            assert!(event_loop.cancel(cancelled));
            for frame in 1..=3 {
                let end = start + frame * Duration::from_millis(16);
                while event_loop.now() < end {
                    let left = end - event_loop.now();
                    assert!(event_loop.run_once(&mut log, Some(left)).unwrap());
                }
                let due = [10, 20, 30].into_iter().filter(|&token| token <= 16 * u64::from(frame));
                assert!(log.timeouts.iter().map(|&(token, _)| token).eq(due));
            }
        });
        assert_eq!(log.messages, [10, 20, 30]);
        for (token, deadline) in log.timeouts {
            assert_eq!(deadline - start, Duration::from_millis(token));
        }
    }

    fn timers_without_a_clock_are_refused() {
        let mut event_loop = EventLoop::<u64>::new().unwrap();
        let refused = event_loop.timeout(1u64, Duration::from_millis(1)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        assert_eq!(event_loop.now(), event_loop.now(), "it stands still");
        let spins = Config { spin: Duration::from_micros(1), ..Config::default() };
        let refused = EventLoop::<u64>::with_config(spins).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
    }

    fn no_source_can_be_registered() {
        /// What a user's own type may be.
        struct Own;
        impl Source for Own {}
        let selector = Selector::new().unwrap();
        let registered = selector.register(&Own, 1, Interest::READABLE, Trigger::Edge);
        assert_eq!(registered.unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(selector.deregister(&Own).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
