//! A loop where there is nothing to open: it has its messages and its timers, and says of all else that it is
//! unsupported. What WASI has descriptors for is in `wasi.rs`.
#![cfg(all(target_family = "wasm", not(unix)))]

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use mio_core::{
    Config, EventLoop, Events, Expiry, Handler, Readiness, Selector, Signal, Waker,
    net::{TcpListener, TcpStream, UdpSocket},
    pipe,
};
use tests::alloc::{Counting, forbidden};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What happened, in order.
#[derive(Default)]
struct Log {
    timeouts: Vec<u64>,
    messages: Vec<u32>,
}

impl Handler<u32> for Log {
    fn timeout(&mut self, event_loop: &mut EventLoop<u32>, token: u64, expiry: Expiry) {
        assert!(Instant::now() >= expiry.deadline(), "never early");
        self.timeouts.push(token);
        event_loop.sender().send(token as u32).unwrap();
    }

    fn message(&mut self, event_loop: &mut EventLoop<u32>, message: u32) {
        self.messages.push(message);
        if self.messages.len() == 4 {
            event_loop.shutdown();
        }
    }
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn timers_fire_in_order_and_messages_arrive() {
    let mut event_loop = EventLoop::new().unwrap();
    for token in [3, 1, 2] {
        event_loop.timeout(token, Duration::from_millis(5 * token)).unwrap();
    }
    event_loop.sender().send(9).unwrap();
    let log = event_loop.run(Log::default()).unwrap();
    assert_eq!((&log.timeouts[..], &log.messages[..]), (&[1, 2, 3][..], &[9, 1, 2, 3][..]));
}

#[test]
fn an_hour_of_virtual_time_is_over_at_once() {
    let config = Config { virtual_time: Some(1), ..Config::default() };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    struct Stops;
    impl Handler for Stops {
        fn timeout(&mut self, event_loop: &mut EventLoop, _: u64, _: Expiry) {
            event_loop.shutdown();
        }
    }
    event_loop.timeout(1u64, Duration::from_secs(3_600)).unwrap();
    event_loop.run(Stops).unwrap();
}

#[test]
fn a_loop_that_is_built_touches_no_allocator() {
    #[derive(Default)]
    struct Seen {
        timeouts: u32,
        messages: u32,
    }
    impl Handler<u32> for Seen {
        fn timeout(&mut self, _: &mut EventLoop<u32>, _: u64, _: Expiry) {
            self.timeouts += 1;
        }

        fn message(&mut self, _: &mut EventLoop<u32>, _: u32) {
            self.messages += 1;
        }
    }
    const ROUNDS: u32 = 50;
    let mut event_loop = EventLoop::new().unwrap();
    let (sender, mut seen) = (event_loop.sender(), Seen::default());
    forbidden("timers and messages", || {
        for round in 1..=ROUNDS {
            event_loop.timeout(1u64, Duration::from_millis(1)).unwrap();
            let never = event_loop.timeout(2u64, Duration::from_secs(3_600)).unwrap();
            assert!(event_loop.cancel(never));
            sender.send(round).unwrap();
            while seen.timeouts < round {
                event_loop.run_once(&mut seen, None).unwrap();
            }
        }
    });
    assert_eq!((seen.timeouts, seen.messages), (ROUNDS, ROUNDS));
}

#[test]
fn a_waker_is_an_event_and_a_wait_that_nobody_can_end_is_an_error() {
    let selector = Selector::new().unwrap();
    let mut events = Events::with_capacity(4);
    let waker = Waker::new(&selector, 7).unwrap();
    waker.wake().unwrap();
    waker.wake().unwrap();
    selector.select(&mut events, None).unwrap();
    let event = events.get(0).unwrap();
    assert_eq!((events.len(), event.token, event.readiness), (1, 7, Readiness::READABLE));

    let start = Instant::now();
    selector.select(&mut events, Some(Duration::from_millis(20))).unwrap();
    assert!(events.is_empty() && start.elapsed() >= Duration::from_millis(20));
    // With threads, one that is not there yet may end it.
    if cfg!(not(target_feature = "atomics")) {
        assert_eq!(kind(selector.select(&mut events, None)), Some(ErrorKind::Deadlock));
        assert_eq!(kind(EventLoop::new().unwrap().run(Log::default())), Some(ErrorKind::Deadlock));
    }
}

#[test]
fn the_rest_is_unsupported() {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let unsupported = Some(ErrorKind::Unsupported);
    assert_eq!(kind(TcpListener::bind(loopback)), unsupported);
    assert_eq!(kind(TcpStream::connect(loopback)), unsupported);
    assert_eq!(kind(UdpSocket::bind(loopback)), unsupported);
    assert_eq!(kind(pipe::new()), unsupported);
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    assert_eq!(kind(event_loop.signals_with(Signal::INT.into(), 1u64)), unsupported);
}

#[cfg(not(all(target_os = "wasi", not(target_feature = "atomics"))))]
#[test]
fn no_source_can_be_registered() {
    use mio_core::{Interest, Trigger};

    /// What a user's own type may be.
    struct Own;
    impl mio_core::Source for Own {}
    let selector = Selector::new().unwrap();
    let registered = selector.register(&Own, 1, Interest::READABLE, Trigger::Edge);
    assert_eq!(kind(registered), Some(ErrorKind::Unsupported));
    assert_eq!(kind(selector.deregister(&Own)), Some(ErrorKind::NotFound));
}

#[cfg(target_feature = "atomics")]
#[test]
fn a_message_of_another_thread_ends_a_wait() {
    let mut event_loop = EventLoop::new().unwrap();
    let sender = event_loop.sender();
    let thread = std::thread::spawn(move || {
        for message in 0..4 {
            std::thread::sleep(Duration::from_millis(5));
            sender.send(message).unwrap();
        }
    });
    let log = event_loop.run(Log::default()).unwrap();
    assert_eq!(log.messages, [0, 1, 2, 3]);
    thread.join().unwrap();
}
