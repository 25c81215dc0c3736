//! What the kernel is asked for, counted: each scenario makes the fewest system calls that can do it.
#![cfg(target_os = "linux")]

mod messages;

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use mio_core::{
    Config, EventLoop, Events, Expiry, Handler, Precision, Readiness, Selector, Signal, SignalInfo,
    Timeout,
    net::{TcpListener, TcpStream},
    pipe,
    relay::{Bounds, Flow, Pool, Progress, Way},
    unix::UnixStream,
};
use tests::{Call, Isolated, Relayed, Trace, backend, mark, peers::awaited, test_name};

const LOCALHOST: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const HOUR: Duration = Duration::from_secs(3_600);
/// Long enough for a thread that has nothing else to do to have fallen asleep, on a machine that has not either.
const A_WHILE: Duration = Duration::from_millis(200);

/// The calling thread, for others to see whether it sleeps.
struct Sleeper(PathBuf);

impl Sleeper {
    fn here() -> Sleeper {
        Sleeper(Path::new("/proc").join(fs::read_link("/proc/thread-self").unwrap()).join("stat"))
    }

    /// Returns when the thread sleeps, after this time at the earliest.
    fn has_slept(&self, time: Duration) {
        thread::sleep(time);
        let sleeps = || {
            let stat = fs::read_to_string(&self.0).unwrap();
            stat.rsplit_once(") ").unwrap().1.starts_with('S').then_some(())
        };
        awaited(|| (), sleeps);
    }
}

/// Marks 1 before and 2 after.
fn marked<R>(body: impl FnOnce() -> R) -> R {
    mark(1);
    let result = body();
    mark(2);
    result
}

/// The calls of the marked thread, by what they do.
fn deeds(name: &'static str, body: impl FnOnce()) -> Vec<&'static str> {
    Isolated::new(name).trace(body).deeds(1, 2)
}

/// Stops the loop at the first timer, message or signal.
struct Stop;

impl Handler<u32> for Stop {
    fn timeout(&mut self, event_loop: &mut EventLoop<u32>, _: u64, _: Expiry) {
        event_loop.shutdown();
    }

    fn message(&mut self, event_loop: &mut EventLoop<u32>, _: u32) {
        event_loop.shutdown();
    }

    fn signal(&mut self, event_loop: &mut EventLoop<u32>, _: u64, _: SignalInfo) {
        event_loop.shutdown();
    }
}

/// Echoes and pushes back an idle timeout, if there is one, each time; ten times after a warm-up.
struct Echo {
    connection: TcpStream,
    idle: Option<Timeout>,
    rounds: usize,
}

impl Echo {
    const WARM_UP: usize = 3;
    const ROUNDS: usize = 10;
}

impl Handler<u32> for Echo {
    fn readable(&mut self, event_loop: &mut EventLoop<u32>, _: u64) {
        let mut buffer = [0; 64];
        let length = self.connection.read(&mut buffer).unwrap();
        self.connection.write_all(&buffer[..length]).unwrap();
        if let Some(idle) = self.idle {
            assert!(event_loop.reschedule(idle, Duration::from_micros(100_300_500)));
        }
    }

    fn tick(&mut self, event_loop: &mut EventLoop<u32>) {
        self.rounds += 1;
        if self.rounds == Echo::WARM_UP {
            mark(1);
        } else if self.rounds == Echo::WARM_UP + Echo::ROUNDS {
            mark(2);
            event_loop.shutdown();
        }
    }
}

fn echo(timers: usize) {
    let listener = TcpListener::bind(LOCALHOST).unwrap();
    let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.signals_with(Signal::TERM.into(), 2u64).unwrap();
    let (connection, _) = listener.accept().unwrap();
    event_loop.register(&connection, 1u64).unwrap();
    for token in 0..timers as u64 {
        event_loop.timeout(token, HOUR).unwrap();
    }
    let idle = (timers > 0).then(|| event_loop.timeout(3u64, HOUR).unwrap());
    // The first turn says that the connection is writable.
    event_loop.run_once(&mut Stop, Some(Duration::ZERO)).unwrap();
    let client = thread::spawn(move || {
        let mut buffer = [0; 4];
        // The turn before and the one after those that are counted must not wait either.
        for _ in 0..Echo::WARM_UP + Echo::ROUNDS {
            client.write_all(b"ping").unwrap();
            client.read_exact(&mut buffer).unwrap();
        }
    });
    event_loop.run(Echo { connection, idle, rounds: 0 }).unwrap();
    client.join().unwrap();
}

#[test]
fn an_echo_is_a_wait_a_read_and_a_write() {
    let deeds = deeds(test_name!(), || echo(0));
    assert_eq!(deeds, ["wait", "read", "write"].repeat(Echo::ROUNDS));
}

#[test]
fn an_echo_that_pushes_back_its_idle_timeout_costs_no_more() {
    let deeds = deeds(test_name!(), || echo(1_000));
    assert_eq!(deeds, ["wait", "read", "write"].repeat(Echo::ROUNDS));
}

#[test]
fn a_thousand_timers_set_pushed_back_asked_for_and_cancelled_are_none() {
    let deeds = deeds(test_name!(), || {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        let mut timeouts = Vec::with_capacity(1_000);
        marked(|| {
            for n in 0..1_000 {
                timeouts.push(event_loop.timeout(n, Duration::from_millis(n)).unwrap());
            }
            for &timeout in &timeouts {
                assert!(event_loop.reschedule(timeout, HOUR));
            }
            for &timeout in &timeouts {
                assert!(event_loop.next_deadline().is_some() && event_loop.cancel(timeout));
            }
        });
    });
    assert_eq!(deeds, [""; 0]);
}

#[test]
fn timers_that_fire_are_one_wait_for_each_deadline() {
    let deeds = deeds(test_name!(), || {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        for deadline in 1..=3 {
            event_loop.timeout(1u64, deadline * Duration::from_micros(20_500)).unwrap();
        }
        marked(|| (1..=3).for_each(|_| drop(event_loop.run(Stop))));
    });
    assert_eq!(deeds, ["wait"; 3]);
}

#[test]
fn exact_timers_are_at_most_one_wait_more() {
    let deeds = deeds(test_name!(), || {
        let config = Config { precision: Precision::Exact, ..Config::default() };
        let mut event_loop = EventLoop::<u32>::with_config(config).unwrap();
        event_loop.timeout(1u64, Duration::from_millis(60)).unwrap();
        marked(|| event_loop.run(Stop).unwrap());
    });
    assert!((1..=2).contains(&deeds.len()), "{deeds:?}");
    assert!(deeds.iter().all(|deed| *deed == "wait"), "{deeds:?}");
}

/// The waits of a loop with `arm`'s timers that a message wakes after a while.
fn waits_of_an_idle_loop(
    name: &'static str,
    config: Config,
    arm: impl FnOnce(&mut EventLoop<u32>),
) -> Trace {
    Isolated::new(name).trace(|| {
        let mut event_loop = EventLoop::with_config(config).unwrap();
        arm(&mut event_loop);
        let sender = event_loop.sender();
        let sleeper = Sleeper::here();
        let threads = thread::spawn(move || {
            sleeper.has_slept(8 * A_WHILE);
            sender.send(1).unwrap();
        });
        marked(|| event_loop.run(Stop).unwrap());
        threads.join().unwrap();
    })
}

#[test]
fn a_loop_whose_timers_are_far_away_makes_no_periodic_wake_ups() {
    let trace = waits_of_an_idle_loop(test_name!(), Config::default(), |event_loop| {
        for token in 0..10_000 {
            event_loop.timeout(token, HOUR + Duration::from_micros(token)).unwrap();
        }
    });
    assert_eq!(trace.deeds(1, 2), backend::WOKEN);
}

#[test]
fn neither_does_an_exact_one_whose_sleep_ends_a_little_early() {
    let config = Config { precision: Precision::Exact, ..Config::default() };
    let trace = waits_of_an_idle_loop(test_name!(), config, |event_loop| {
        event_loop.timeout(1u64, HOUR).unwrap();
    });
    assert_eq!(trace.deeds(1, 2), backend::WOKEN);
    assert_sleep(&trace, HOUR - Duration::from_millis(110));
}

/// All waits are for so long, less what the preparations took.
fn assert_sleep(trace: &Trace, longest: Duration) {
    let timeouts = timeouts(&trace.between(1, 2));
    // Rounded up.
    let longest = longest.as_millis() as u64 + 1;
    let is_right = |timeout| (longest - 60_000..=longest).contains(timeout);
    assert!(timeouts.iter().all(is_right), "{timeouts:?}");
}

#[test]
fn timers_that_were_pushed_back_wake_nobody_at_their_former_deadlines() {
    let config = Config { timers: 10_000, repairs_per_turn: 1_000, ..Config::default() };
    let trace = waits_of_an_idle_loop(test_name!(), config, |event_loop| {
        for token in 0..10_000 {
            let delay = Duration::from_millis(5 + token % 100);
            let timeout = event_loop.timeout(token, delay).unwrap();
            assert!(event_loop.reschedule(timeout, HOUR));
        }
    });
    // Each bounded repair is followed by a look for I/O; then it sleeps.
    let deeds = trace.deeds(1, 2);
    let looks = deeds.strip_suffix(backend::WOKEN).unwrap();
    assert!(looks.len() <= 10 * 2, "{deeds:?}");
    assert!(looks.iter().all(|deed| *deed == "wait"), "{deeds:?}");
}

#[test]
fn an_idle_hour_of_virtual_time_never_blocks_and_is_one_look_a_turn() {
    struct Until(usize);

    impl Handler<u32> for Until {
        fn timeout(&mut self, event_loop: &mut EventLoop<u32>, _: u64, _: Expiry) {
            self.0 -= 1;
            if self.0 == 0 {
                event_loop.shutdown();
            }
        }
    }

    let trace = Isolated::new(test_name!()).trace(|| {
        let config = Config { virtual_time: Some(1), ..Config::default() };
        let mut event_loop = EventLoop::with_config(config).unwrap();
        event_loop.timeout(1u64, HOUR).unwrap();
        marked(|| event_loop.run(Until(1)).unwrap());
        event_loop.interval(2u64, HOUR / 60).unwrap();
        mark(3);
        event_loop.run(Until(60)).unwrap();
        mark(4);
    });
    assert_eq!(trace.deeds(1, 2), ["wait"]);
    assert_eq!(trace.deeds(3, 4), ["wait"; 60]);
    let timeouts = [timeouts(&trace.between(1, 2)), timeouts(&trace.between(3, 4))].concat();
    assert!(timeouts.into_iter().all(|timeout| timeout == 0), "none may block");
}

/// The timeouts of waits, in milliseconds. That of ppoll(2) is behind a pointer.
fn timeouts(calls: &[Call]) -> Vec<u64> {
    let timeout = |call: &Call| match call.name() {
        "epoll_wait" | "epoll_pwait" => Some(call.arguments[3]),
        "poll" => Some(call.arguments[2]),
        _ => None,
    };
    calls.iter().filter_map(timeout).collect()
}

#[test]
fn a_loop_that_is_no_longer_new_sleeps_until_its_deadline_and_not_beyond() {
    let trace = waits_of_an_idle_loop(test_name!(), Config::default(), |event_loop| {
        thread::sleep(A_WHILE);
        event_loop.timeout(1u64, HOUR).unwrap();
    });
    assert_sleep(&trace, HOUR);
}

#[test]
fn a_wait_is_the_cheaper_call_where_milliseconds_do() {
    let trace = Isolated::new(test_name!()).trace(|| {
        let selector = Selector::new().unwrap();
        let mut events = Events::with_capacity(1);
        marked(|| {
            for timeout_us in [0, 3_000, 1_500] {
                selector.select(&mut events, Some(Duration::from_micros(timeout_us))).unwrap();
            }
        });
    });
    let by_nanoseconds = trace.names(1, 2).into_iter().map(|name| name == "epoll_pwait2");
    let has_both = backend::IS_EPOLL && !backend::IS_OLD;
    assert_eq!(by_nanoseconds.collect::<Vec<_>>(), [false, false, has_both]);
}

/// For how long loops spin here.
const SPIN: Duration = Duration::from_millis(50);

#[test]
fn a_loop_that_spins_looks_again_and_again_without_sleeping() {
    let name = test_name!();
    let looks = || {
        let trace = Isolated::new(name).trace(|| {
            let config = Config { spin: SPIN, ..Config::default() };
            let mut event_loop = EventLoop::<u32>::with_config(config).unwrap();
            event_loop.timeout(1u64, SPIN / 2).unwrap();
            marked(|| event_loop.run(Stop).unwrap());
        });
        let looks = timeouts(&trace.between(1, 2));
        assert!(looks.iter().all(|timeout| *timeout == 0), "{looks:?}");
        looks.len()
    };
    // A machine that has other things to do may leave it time for one, but not every time.
    assert!((0..20).any(|_| looks() > 1));
}

#[test]
fn a_loop_that_has_spun_in_vain_sleeps_for_the_rest() {
    let name = test_name!();
    let looks = || {
        let config = Config { spin: SPIN, ..Config::default() };
        let trace = waits_of_an_idle_loop(name, config, |event_loop| {
            event_loop.timeout(1u64, HOUR).unwrap();
        });
        let timeouts = timeouts(&trace.between(1, 2));
        let (sleep, looks) = timeouts.split_last().unwrap();
        assert!(looks.iter().all(|timeout| *timeout == 0), "{timeouts:?}");
        let rest = (HOUR - SPIN).as_millis() as u64;
        assert!((rest - 60_000..=rest + 1).contains(sleep), "{sleep}");
        looks.len()
    };
    // As above.
    assert!((0..20).any(|_| looks() > 1));
}

#[test]
fn a_signal_is_one_wake_up_in_its_handler() {
    let trace = Isolated::new(test_name!()).trace(|| {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        event_loop.signals_with(Signal::USR1.into(), 1u64).unwrap();
        marked(|| tests::raise(Signal::USR1.as_raw()));
        mark(3);
        event_loop.run(Stop).unwrap();
        mark(4);
    });
    let handling = trace.deeds(1, 2);
    let sent = handling.iter().position(|deed| ["tgkill", "tkill"].contains(deed)).unwrap();
    // musl blocks it, and has it delivered by one call more.
    let sent = sent + usize::from(handling[sent] == "tkill");
    let rest: Vec<_> = handling[sent + 1..].iter().filter(|deed| **deed != "getpid").collect();
    let (wake, rest) = rest.split_at(backend::WAKE.len());
    assert!(wake.iter().copied().eq(backend::WAKE) && *rest[0] == "rt_sigreturn", "{handling:?}");
    assert_eq!(trace.deeds(3, 4), backend::WOKEN);
}

#[test]
fn accepting_registering_and_opening_a_pipe_are_one_call_each_and_a_failed_connect_is_two() {
    let trace = Isolated::new(test_name!()).trace(|| {
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        let listener = TcpListener::bind(LOCALHOST).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        mark(1);
        let (connection, _) = listener.accept().unwrap();
        mark(2);
        event_loop.register(&connection, 1u64).unwrap();
        mark(3);
        event_loop.deregister(&connection, 1u64).unwrap();
        mark(4);
        let _pipe = pipe::new().unwrap();
        mark(5);
        let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let nowhere = std::net::TcpListener::bind("127.0.0.6:0").unwrap().local_addr().unwrap();
        let refused = TcpStream::connect(nowhere).unwrap();
        mark(6);
        assert!(connected.finish_connect().unwrap());
        mark(7);
        refused.finish_connect().unwrap_err();
        mark(8);
    });
    if backend::IS_OLD {
        assert_eq!(trace.names(1, 2), ["accept", "fcntl", "fcntl", "fcntl"]);
    } else {
        assert_eq!(trace.names(1, 2), ["accept4"]);
    }
    assert_eq!(trace.deeds(2, 3), backend::REGISTER);
    assert_eq!(trace.deeds(3, 4), backend::DEREGISTER);
    assert_eq!(trace.names(4, 5), ["pipe2"]);
    assert_eq!(trace.names(6, 7), ["getpeername"]);
    assert_eq!(trace.names(7, 8), ["getpeername", "getsockopt"]);
}

/// Relays, and marks the turns after a warm-up.
struct Marking<H>(H, usize);

impl<H: Handler<u32>> Handler<u32> for Marking<H> {
    fn ready(&mut self, event_loop: &mut EventLoop<u32>, token: u64, readiness: Readiness) {
        self.0.ready(event_loop, token, readiness);
    }

    fn tick(&mut self, _: &mut EventLoop<u32>) {
        self.1 += 1;
        if self.1 == Echo::WARM_UP {
            mark(1);
        } else if self.1 == Echo::WARM_UP + 2 * Echo::ROUNDS {
            mark(2);
        }
    }
}

#[test]
fn a_relayed_request_and_its_reply_are_a_wait_a_read_and_a_write_each() {
    let deeds = deeds(test_name!(), || {
        let listener = TcpListener::bind(LOCALHOST).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || std::net::TcpStream::connect(address).unwrap();
        let (mut client, mut server) = (connect(), connect());
        let [(first, _), (second, _)] = [(); 2].map(|()| listener.accept().unwrap());
        let mut event_loop = EventLoop::new().unwrap();
        let relayed = Relayed::new(&mut event_loop, Bounds::default(), first, second);
        let peers = thread::spawn(move || {
            let mut bytes = [0; 64];
            for _ in 0..Echo::WARM_UP + Echo::ROUNDS + 1 {
                client.write_all(&bytes).unwrap();
                server.read_exact(&mut bytes).unwrap();
                server.write_all(&bytes).unwrap();
                client.read_exact(&mut bytes).unwrap();
            }
        });
        event_loop.run(Marking(relayed, 0)).unwrap();
        peers.join().unwrap();
    });
    assert_eq!(deeds, ["wait", "read", "write"].repeat(2 * Echo::ROUNDS));
}

#[test]
fn a_unit_of_spliced_bulk_is_two_splices_and_no_other_call() {
    const UNIT: usize = 1 << 16;
    let deeds = deeds(test_name!(), || {
        let bounds = Bounds {
            buffer_bytes: 1 << 12,
            pipe_bytes: UNIT,
            burst_bytes: UNIT as u64,
            ..Bounds::default()
        };
        let mut pool = Pool::new(bounds);
        let ((mut from, source), (sink, mut to)) =
            (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let mut flow = Flow::to_a_ready_sink();
        let mut bytes = vec![0; UNIT];
        let mut unit = |marks: bool| {
            from.write_all(&bytes).unwrap();
            flow.source_is(Readiness::READABLE);
            if marks {
                mark(1);
            }
            let progress =
                flow.advance(&source, &sink, &mut pool, &mut Way::default(), &mut ()).unwrap();
            if marks {
                mark(2);
            }
            to.read_exact(&mut bytes).unwrap();
            progress
        };
        // The first one shows that it is bulk, and finds that it can be spliced.
        unit(false);
        assert_eq!(unit(false), Progress::Yields);
        assert_eq!(unit(true), Progress::Yields);
    });
    assert_eq!(deeds, ["splice"; 2]);
}
