//! What a signal interrupts, and what a callback for one does. Each test has a process of its own.
#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

use std::{io, os::unix::thread::JoinHandleExt, panic, sync::mpsc, thread, time::Duration};

use mio_core::{Config, EventLoop, Events, Handler, Selector, Signal, SignalInfo, Waker};
use tests::{Isolated, raise, test_name};

#[test]
fn a_run_that_ends_in_a_signal_leaves_the_others_to_the_next() {
    #[derive(Clone, Copy, Debug)]
    enum End {
        Shutdown,
        Failure,
        Panic,
    }
    struct Ends(End, Vec<Signal>);
    impl Handler for Ends {
        fn signal(&mut self, event_loop: &mut EventLoop, _token: u64, info: SignalInfo) {
            self.1.push(info.signal);
            match self.0 {
                End::Shutdown => event_loop.shutdown(),
                End::Failure => event_loop.fail(io::ErrorKind::TimedOut.into()),
                End::Panic => panic::resume_unwind(Box::new("callback")),
            }
        }
    }
    Isolated::new(test_name!()).run(|| {
        for how in [End::Shutdown, End::Failure, End::Panic] {
            let mut event_loop: EventLoop = EventLoop::new().unwrap();
            let set = [Signal::USR1, Signal::USR2, Signal::HUP];
            event_loop.signals_with(set.into_iter().collect(), 1u64).unwrap();
            set.iter().for_each(|signal| raise(signal.as_raw()));
            let mut ends = Ends(how, Vec::new());
            for turn in 1..=3 {
                let limit = Some(Duration::from_secs(10));
                // Through a reference, which passes the signal on.
                let run = || event_loop.run_once(&mut &mut ends, limit);
                let result = panic::catch_unwind(panic::AssertUnwindSafe(run));
                match how {
                    End::Shutdown => assert!(!result.unwrap().unwrap()),
                    End::Failure => {
                        assert_eq!(result.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
                    }
                    End::Panic => assert!(result.is_err()),
                }
                assert_eq!(ends.1, set[..turn], "one a run: {how:?}");
            }
            assert!(event_loop.run_once(&mut ends, Some(Duration::ZERO)).unwrap());
            assert_eq!(ends.1, set, "nothing comes twice");
        }
    });
}

#[test]
fn a_signal_ends_the_wait_of_a_bare_selector_without_an_event() {
    Isolated::new(test_name!()).run(|| {
        // For its handler; the signals go to the other thread.
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        event_loop.signals_with(Signal::USR1.into(), 1u64).unwrap();
        for timeout in
            [None, Some(Duration::from_micros(60_000_500)), Some(Duration::from_secs(60))]
        {
            let (told, waits) = mpsc::channel();
            let selecting = thread::spawn(move || {
                let selector = Selector::new().unwrap();
                let waker = Waker::new(&selector, 1).unwrap();
                let mut events = Events::with_capacity(4);
                waker.wake().unwrap();
                selector.select(&mut events, None).unwrap();
                assert_eq!(events.len(), 1);
                told.send(()).unwrap();
                let result = selector.select(&mut events, timeout);
                result.map(|()| events.len())
            });
            waits.recv().unwrap();
            while !selecting.is_finished() {
                // SAFETY: the thread has not been joined.
                unsafe { libc::pthread_kill(selecting.as_pthread_t() as _, libc::SIGUSR1) };
                thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(
                selecting.join().unwrap().unwrap(),
                0,
                "no event, and no error: {timeout:?}"
            );
        }
    });
}

#[test]
fn a_turn_handles_as_many_signals_as_there_is_room_for_and_what_was_merged_comes_without_a_wait() {
    #[derive(Default)]
    struct Seen(Vec<Signal>);
    impl Handler for Seen {
        fn signal(&mut self, _: &mut EventLoop, _token: u64, info: SignalInfo) {
            self.0.push(info.signal);
        }
    }
    Isolated::new(test_name!()).run(|| {
        for signals in [0, 1] {
            let config = Config { signals, ..Config::default() };
            let mut event_loop: EventLoop = EventLoop::with_config(config).unwrap();
            let set = [Signal::USR1, Signal::USR2, Signal::HUP];
            event_loop.signals_with(set.into_iter().collect(), 1u64).unwrap();
            set.iter().for_each(|signal| raise(signal.as_raw()));
            let mut seen = Seen::default();
            for turn in 1..=set.len() {
                event_loop.run_once(&mut seen, None).unwrap();
                assert_eq!(seen.0.len(), turn, "room for one at a time");
            }
            assert!(set.iter().all(|signal| seen.0.contains(signal)), "{:?}", seen.0);
        }
    });
}
