//! Several loops in threads.
#![cfg(target_os = "linux")]

use std::{
    collections::HashSet,
    io::{self, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::{self, Command},
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle, ThreadId},
    time::{Duration, Instant},
};

use mio_core::{
    Config, EventLoop, Handler, Proxy,
    proxy::{self, Address, Client, Counters, Hooks, ProxyConfig, Sharing, Worker, run_workers},
};
use tests::{Isolated, backend, test_name};

use crate::{PATIENCE, accept, connect, listen, read, upstream};

/// What its workers have in common.
#[derive(Clone, Proxy)]
struct Crew {
    upstream: Address,
    threads: Arc<Mutex<HashSet<ThreadId>>>,
    reports: Arc<AtomicU64>,
}

impl Hooks for Crew {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        self.threads.lock().unwrap().insert(thread::current().id());
        Some(self.upstream.clone())
    }

    fn report(&mut self, _: &Counters) {
        self.reports.fetch_add(1, Ordering::SeqCst);
    }
}

impl Crew {
    fn new(upstream: Address) -> Crew {
        Crew { upstream, threads: Arc::default(), reports: Arc::default() }
    }

    /// Waits for so many reports.
    fn has_reported(&self, times: usize) {
        let began = Instant::now();
        while self.reports.load(Ordering::SeqCst) < times as u64 {
            assert!(began.elapsed() < PATIENCE, "not all report");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn signal(name: &str) {
    let kill = format!("kill -{name} {}", process::id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Workers that serve in a thread of their own, and where the first listens.
fn start(
    config: ProxyConfig,
    workers: usize,
    make: impl Fn(usize) -> Crew + Send + Sync + 'static,
) -> (Address, JoinHandle<Counters>) {
    let listeners = config.shared_listeners(workers).unwrap();
    let address = listeners[0][0].local_addr().unwrap();
    let serve = move || CrewServer::serve_in_threads(make, &config, listeners).unwrap();
    (address, thread::spawn(serve))
}

fn serves_and_drains(sharing: Sharing) {
    const WORKERS: usize = 3;
    let (far, upstream) = upstream();
    let config = ProxyConfig { sharing, ..listen(&["127.0.0.1:0"], CrewServer::config()) };
    let crew = Crew::new(upstream);
    let make = {
        let crew = crew.clone();
        move |_| crew.clone()
    };
    let (address, running) = start(config, WORKERS, make);
    // Pairs that stay, so that no loop alone is always the one that sleeps.
    let mut pairs = Vec::new();
    for number in 0..60_u8 {
        let mut client = connect(&address);
        let mut server = accept(&far);
        client.write_all(&[number]).unwrap();
        assert_eq!(read(&mut server, 1), [number]);
        pairs.push((client, server));
    }
    signal("USR1");
    crew.has_reported(WORKERS);
    if sharing == Sharing::ReusePort {
        assert_eq!(crew.threads.lock().unwrap().len(), WORKERS);
    }
    signal("TERM");
    let began = Instant::now();
    while let Ok(client) = std::net::TcpStream::connect(address.tcp().unwrap()) {
        assert!(began.elapsed() < PATIENCE, "somebody still accepts");
        drop(client);
        thread::sleep(Duration::from_millis(5));
    }
    // Those that are open go on.
    let (client, server) = &mut pairs[7];
    client.write_all(b"still").unwrap();
    assert_eq!(read(server, 5), b"still");
    // Those that knocked too early for the listener to be closed find nobody.
    drop((pairs, far));
    let counters = running.join().unwrap();
    assert!(counters.accepted >= 60 && counters.finished >= 60, "{counters}");
    assert_eq!((counters.open, counters.bytes() >= 65), (0, true));
}

#[test]
fn workers_with_a_queue_each_serve_and_drain_together() {
    Isolated::new(test_name!()).run(|| serves_and_drains(Sharing::ReusePort));
}

#[test]
fn workers_with_one_queue_serve_and_drain_together() {
    Isolated::new(test_name!()).run(|| serves_and_drains(Sharing::Exclusive));
}

#[test]
fn of_loops_with_one_queue_one_is_woken_and_of_loops_with_a_queue_each_its_own() {
    for (sharing, exclusive) in [(Sharing::Exclusive, true), (Sharing::ReusePort, false)] {
        let config = ProxyConfig { sharing, ..listen(&["127.0.0.1:0"], CrewServer::config()) };
        for listener in config.shared_listeners(3).unwrap().into_iter().flatten() {
            let mut event_loop: EventLoop = EventLoop::new().unwrap();
            listener.register(&mut event_loop, 1u64).unwrap();
            // Of exclusive wake-ups the kernel lets nothing be changed.
            let changed = event_loop.reregister(&listener, 1u64);
            let refused = exclusive && backend::HAS_EXCLUSIVE_WAKE_UPS;
            assert_eq!(changed.is_err(), refused, "{sharing:?}");
        }
    }
}

#[test]
fn a_second_signal_ends_all_at_once() {
    Isolated::new(test_name!()).run(|| {
        let (far, upstream) = upstream();
        let config = listen(&["127.0.0.1:0"], CrewServer::config());
        let crew = Crew::new(upstream);
        let (address, running) = start(config, 2, move |_| crew.clone());
        let pairs: Vec<_> = (0..8).map(|_| (connect(&address), accept(&far))).collect();
        signal("INT");
        thread::sleep(Duration::from_millis(100));
        assert!(!running.is_finished());
        signal("INT");
        assert_eq!(running.join().unwrap().open, pairs.len() as u64);
    });
}

#[test]
fn if_one_worker_fails_the_others_are_stopped() {
    Isolated::new(test_name!()).run(|| {
        let (_far, upstream) = upstream();
        let mut config = listen(&["127.0.0.1:0"], CrewServer::config());
        let mut listeners = config.shared_listeners(3).unwrap();
        // More than a server takes.
        config.listen = vec!["127.0.0.1:0".parse().unwrap(); 65];
        listeners[2] = config.listeners().unwrap();
        let crew = Crew::new(upstream);
        let result: io::Result<Counters> =
            CrewServer::serve_in_threads(|_| crew.clone(), &config, listeners);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_worker_that_starts_late_still_does_what_was_asked_before() {
    Isolated::new(test_name!()).run(|| {
        let (far, upstream) = upstream();
        let config = listen(&["127.0.0.1:0"], CrewServer::config());
        let (crew, late) = (Crew::new(upstream), Arc::new(Barrier::new(2)));
        let make = {
            let (crew, late) = (crew.clone(), Arc::clone(&late));
            move |worker| {
                if worker == 1 {
                    late.wait();
                }
                crew.clone()
            }
        };
        let (address, running) = start(config, 2, make);
        // Until the first one serves. The kernel may well give a client to the other.
        let mut clients = Vec::new();
        while crew.threads.lock().unwrap().is_empty() {
            clients.push(connect(&address));
            thread::sleep(Duration::from_millis(1));
        }
        signal("USR1");
        crew.has_reported(1);
        signal("TERM");
        drop((clients, far));
        thread::sleep(Duration::from_millis(50));
        assert!(!running.is_finished(), "one is yet to start");
        late.wait();
        running.join().unwrap();
        crew.has_reported(2);
    });
}

#[test]
fn a_worker_with_a_full_queue_is_asked_to_end_when_there_is_room() {
    Isolated::new(test_name!()).run(|| {
        for (signals, expected) in [(1, proxy::Command::Drain), (2, proxy::Command::Stop)] {
            let full = Barrier::new(2);
            // Who is asked when one signal has come has let the next one come, and tells that all have.
            let work = |worker: Worker| {
                let config = Config { messages: 2, ..Config::default() };
                let mut event_loop = EventLoop::with_config(config)?;
                let mut told = Told::default();
                if worker.index() == 0 {
                    let commands = event_loop.sender();
                    while commands.send(proxy::Command::Report).is_ok() {}
                    worker.starts(commands);
                    full.wait();
                    event_loop.run(&mut told)?;
                } else {
                    worker.starts(event_loop.sender());
                    for _ in 0..signals {
                        signal("TERM");
                        event_loop.run(&mut told)?;
                    }
                    full.wait();
                }
                Ok(told.0)
            };
            let told = run_workers(vec![Vec::new(), Vec::new()], work).unwrap();
            assert_eq!(told, [Some(expected), Some(proxy::Command::Drain)]);
        }
    });
}

/// How it was asked to end.
#[derive(Default)]
struct Told(Option<proxy::Command>);

impl Handler<proxy::Command> for Told {
    fn message(&mut self, event_loop: &mut EventLoop<proxy::Command>, command: proxy::Command) {
        if command != proxy::Command::Report {
            self.0 = Some(command);
            event_loop.shutdown();
        }
    }
}

#[test]
fn the_panic_of_a_worker_stops_the_others_and_goes_on_in_the_caller() {
    Isolated::new(test_name!()).run(|| {
        let (_far, upstream) = upstream();
        let config = listen(&["127.0.0.1:0"], CrewServer::config());
        let listeners = config.shared_listeners(3).unwrap();
        let crew = Crew::new(upstream);
        let make = |worker| if worker == 1 { panic!("no gateway") } else { crew.clone() };
        let serve = || CrewServer::serve_in_threads(make, &config, listeners);
        let panic = catch_unwind(AssertUnwindSafe(serve)).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"no gateway"));
    });
}
