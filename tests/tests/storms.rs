//! Many sources, many threads, and everything at once.

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use mio_core::{EventLoop, Events, Handler, Interest, Selector, Trigger, Waker};
use tests::{Stream, backend, pair};

const SOON: Option<Duration> = Some(Duration::from_secs(20));

#[test]
fn five_thousand_sockets_in_one_loop_are_all_heard() {
    const PAIRS: usize = 2_500;
    // Wine's server goes through all polls for each event of one.
    const ROUNDS: usize = if cfg!(windows) { 1 } else { 3 };

    /// Answers each byte with the next one, until all have been through all rounds.
    struct Echo {
        streams: Vec<Stream>,
        left: usize,
    }

    impl Handler for Echo {
        fn readable(&mut self, event_loop: &mut EventLoop, token: u64) {
            let stream = &self.streams[token as usize];
            let mut byte = [0];
            while (&mut &*stream).read(&mut byte).is_ok_and(|read| read == 1) {
                self.left -= 1;
                if usize::from(byte[0]) < 2 * ROUNDS {
                    (&mut &*stream).write_all(&[byte[0] + 1]).unwrap();
                }
            }
            if self.left == 0 {
                event_loop.shutdown();
            }
        }
    }

    let mut event_loop = EventLoop::new().unwrap();
    let streams: Vec<Stream> = (0..PAIRS).flat_map(|_| <[Stream; 2]>::from(pair())).collect();
    for (token, stream) in streams.iter().enumerate() {
        event_loop.register_with(stream, token as u64, Interest::READABLE, Trigger::Edge).unwrap();
    }
    for stream in streams.iter().step_by(2) {
        (&mut &*stream).write_all(&[1]).unwrap();
    }
    let echo = event_loop.run(Echo { streams, left: 2 * ROUNDS * PAIRS }).unwrap();
    assert_eq!(echo.left, 0);
}

#[test]
fn a_storm_of_wake_ups_from_four_threads_is_heard_and_merged() {
    const WAKES: usize = 20_000;
    let selector = Selector::new().unwrap();
    let wakers = [1_u64, 2].map(|token| Waker::new(&selector, token).unwrap());
    let sent = AtomicUsize::new(0);
    thread::scope(|scope| {
        for number in 0..4 {
            let (waker, sent) = (&wakers[number % 2], &sent);
            scope.spawn(move || {
                for _ in 0..WAKES {
                    sent.fetch_add(1, SeqCst);
                    waker.wake().unwrap();
                }
            });
        }
        let mut events = Events::with_capacity(16);
        let (mut heard, mut known) = (0, 0);
        while known < 4 * WAKES {
            selector.select(&mut events, SOON).unwrap();
            assert!((1..=2).contains(&events.len()), "a waker is one event");
            heard += events.len();
            known = sent.load(SeqCst);
        }
        assert!(heard <= 4 * WAKES);
    });
    let mut events = Events::with_capacity(16);
    selector.select(&mut events, Some(Duration::from_millis(100))).unwrap();
    selector.select(&mut events, Some(Duration::from_millis(100))).unwrap();
    assert!(events.is_empty());
}

#[test]
fn a_storm_of_messages_from_four_threads_loses_none() {
    const EACH: u32 = 20_000;
    struct Sum(u64, u32);
    impl Handler<u32> for Sum {
        fn message(&mut self, event_loop: &mut EventLoop<u32>, number: u32) {
            self.0 += u64::from(number);
            self.1 += 1;
            if self.1 == 4 * EACH {
                event_loop.shutdown();
            }
        }
    }
    let mut event_loop = EventLoop::new().unwrap();
    let threads = [(); 4].map(|()| {
        let sender = event_loop.sender();
        thread::spawn(move || {
            for number in 1..=EACH {
                while sender.send(number).is_err() {
                    thread::yield_now();
                }
            }
        })
    });
    let sum = event_loop.run(Sum(0, 0)).unwrap();
    assert_eq!(sum.0, 4 * u64::from(EACH) * (u64::from(EACH) + 1) / 2);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// A source that its thread registers and gives up again and again.
struct Racer {
    /// Below this every registration has been given up.
    alive_from: AtomicU64,
}

/// A type of the library's or of `std`, non-blocking.
enum Socket {
    Own(Stream),
    Std(TcpStream),
}

impl Socket {
    fn with(&self, mut with: impl FnMut(&dyn mio_core::Source)) {
        match self {
            Socket::Own(socket) => with(socket),
            Socket::Std(socket) => with(socket),
        }
    }

    fn pair(listener: &TcpListener, own: bool) -> (Socket, Box<dyn Write + Send>) {
        if own {
            let (one, other) = pair();
            return (Socket::Own(one), Box::new(other));
        }
        let other = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (one, _) = listener.accept().unwrap();
        one.set_nonblocking(true).unwrap();
        other.set_nonblocking(true).unwrap();
        (Socket::Std(one), Box::new(other))
    }
}

const RACERS: usize = 4;

/// Whether a source of `std` may be closed without a word while other threads open some. Where it goes unnoticed it may
/// not. On Windows its number may be polled once more, as that of another socket; if another thread is just opening
/// that, Wine's server ends on an assertion (server/fd.c, `set_fd_events`).
const MAY_CLOSE_SILENTLY: bool = backend::NOTICES_CLOSING && cfg!(not(windows));

/// Registers and gives up `count` times: by deregistering, by closing after that, and without a word.
fn race(selector: &Selector, racer: &Racer, number: u64, count: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let triggers = [Trigger::Edge, Trigger::Level, Trigger::OneShot];
    let own = number % 2 == 0;
    let (mut socket, mut peer) = Socket::pair(&listener, own);
    for round in 0..count {
        let token = number << 32 | round;
        let trigger = triggers[round as usize % 3];
        let interest = if round % 5 == 0 {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        socket.with(|source| register(selector, source, token, interest, trigger));
        if round % 2 == 0 {
            let _ = peer.write(b"x");
        }
        if round % 7 == 0 {
            let both = Interest::READABLE | Interest::WRITABLE;
            socket.with(|source| selector.reregister(source, token, both, trigger).unwrap());
        }
        if round % 16 == 15 {
            if round % 32 == 15 || !(own || MAY_CLOSE_SILENTLY) {
                socket.with(|source| selector.deregister(source).unwrap());
            }
            // The next one is likely to get its number.
            drop(socket);
            (socket, peer) = Socket::pair(&listener, own);
        } else {
            socket.with(|source| selector.deregister(source).unwrap());
        }
        racer.alive_from.store(round + 1, SeqCst);
    }
}

/// What was given up takes room until the kernel has let it go, where there are slots.
fn register(
    selector: &Selector,
    source: &dyn mio_core::Source,
    token: u64,
    interest: Interest,
    trigger: Trigger,
) {
    let end = Instant::now() + Duration::from_secs(20);
    while let Err(error) = selector.register(source, token, interest, trigger) {
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert!(Instant::now() < end, "there is room in the end");
        thread::yield_now();
    }
}

#[test]
fn a_hundred_thousand_races_with_traffic_report_nothing_stale_and_leave_nothing_behind() {
    const ROUNDS: u64 = 25_000;
    const CAPACITY: usize = 256;
    let selector = Selector::with_capacity(CAPACITY).unwrap();
    let racers: [Racer; RACERS] = std::array::from_fn(|_| Racer { alive_from: AtomicU64::new(0) });
    let done = AtomicBool::new(false);
    let mut heard = 0;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..)
            .zip(&racers)
            .map(|(number, racer)| {
                let selector = &selector;
                scope.spawn(move || race(selector, racer, number, ROUNDS))
            })
            .collect();
        let done = &done;
        scope.spawn(move || {
            let failed = threads.into_iter().filter_map(|thread| thread.join().err()).count();
            done.store(true, SeqCst);
            assert_eq!(failed, 0);
        });
        let mut events = Events::with_capacity(64);
        while !done.load(SeqCst) {
            let before = racers.each_ref().map(|racer| racer.alive_from.load(SeqCst));
            selector.select(&mut events, Some(Duration::from_millis(50))).unwrap();
            for event in events.iter() {
                let (racer, round) = ((event.token >> 32) as usize, event.token & 0xFFFF_FFFF);
                assert!(round >= before[racer], "{racer} {round} is older than {}", before[racer]);
                heard += 1;
            }
        }
    });
    assert!(heard > 100, "there was traffic");

    // Whatever was given up has come back: there is room for as many as ever.
    let end = Instant::now() + Duration::from_secs(10);
    let mut events = Events::with_capacity(64);
    let pairs: Vec<_> = (0..CAPACITY).map(|_| pair()).collect();
    for (token, (one, _)) in pairs.iter().enumerate() {
        while selector.register(one, token as u64, Interest::WRITABLE, Trigger::OneShot).is_err() {
            assert!(Instant::now() < end, "{token} of {CAPACITY} found room");
            selector.select(&mut events, Some(Duration::from_millis(1))).unwrap();
        }
    }
    let mut left = CAPACITY;
    while left > 0 {
        selector.select(&mut events, SOON).unwrap();
        assert!(!events.is_empty());
        left -= events.len();
    }
}
