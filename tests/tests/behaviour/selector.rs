//! The low layer: registration, triggers, waiting, waking.

use std::{
    io::{ErrorKind, Read, Write},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use mio_core::{Events, Interest, Readiness, Selector, Trigger, Waker};
use tests::{
    PROMPTLY, backend, hang_up, pair,
    peers::{PATIENCE, awaited},
    settle,
};

fn select(selector: &Selector, timeout: Option<Duration>) -> Vec<(u64, Readiness)> {
    let mut events = Events::with_capacity(64);
    selector.select(&mut events, timeout).unwrap();
    events.iter().map(|event| (event.token, event.readiness)).collect()
}

/// What is reported, where something is to be.
fn look(selector: &Selector) -> Vec<(u64, Readiness)> {
    select(selector, PROMPTLY)
}

/// What is reported, where nothing is to be.
fn glance(selector: &Selector) -> Vec<(u64, Readiness)> {
    settle();
    select(selector, Some(Duration::ZERO))
}

fn kind(result: std::io::Result<()>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn a_token_keeps_all_its_bits() {
    let selector = Selector::new().unwrap();
    for token in [0, 1, 1 << 31, 1 << 32, u64::MAX - 1, u64::MAX] {
        let (a, mut b) = pair();
        selector.register(&a, token, Interest::READABLE, Trigger::Edge).unwrap();
        b.write_all(b"x").unwrap();
        assert_eq!(look(&selector), [(token, Readiness::READABLE)]);
        // To drop it is not enough while a child that another test begins has it too.
        selector.deregister(&a).unwrap();
    }
}

#[test]
fn an_edge_is_reported_once_and_again_when_more_arrives() {
    let selector = Selector::new().unwrap();
    let (mut a, mut b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Edge).unwrap();
    assert_eq!(glance(&selector), []);
    for _ in 0..3 {
        b.write_all(b"x").unwrap();
        assert_eq!(look(&selector).len(), 1);
        assert_eq!(glance(&selector).len(), 0);
        a.read_exact(&mut [0]).unwrap();
        assert_eq!(a.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        selector.would_block(&a, 1, Interest::READABLE).unwrap();
        assert_eq!(glance(&selector).len(), 0);
    }
}

#[test]
fn an_edge_that_was_not_followed_up_comes_again_only_where_the_kernel_keeps_edges() {
    let selector = Selector::new().unwrap();
    let (a, mut b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Edge).unwrap();
    b.write_all(b"x").unwrap();
    assert_eq!(look(&selector).len(), 1);
    b.write_all(b"y").unwrap();
    let [kept, lost] = if backend::KEEPS_EDGES { [look, glance] } else { [glance, look] };
    assert_eq!(kept(&selector).len(), usize::from(backend::KEEPS_EDGES));
    selector.would_block(&a, 1, Interest::READABLE).unwrap();
    assert_eq!(lost(&selector).len(), usize::from(!backend::KEEPS_EDGES), "nothing is lost");
}

#[test]
fn a_level_is_reported_until_it_is_read() {
    let selector = Selector::new().unwrap();
    let (mut a, mut b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Level).unwrap();
    b.write_all(b"x").unwrap();
    assert_eq!(look(&selector).len(), 1);
    assert_eq!(look(&selector).len(), 1);
    a.read_exact(&mut [0]).unwrap();
    assert_eq!(glance(&selector).len(), 0);
}

#[test]
fn a_one_shot_is_silent_until_it_is_reregistered() {
    let selector = Selector::new().unwrap();
    let (a, mut b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::OneShot).unwrap();
    b.write_all(b"x").unwrap();
    assert_eq!(look(&selector).len(), 1);
    b.write_all(b"y").unwrap();
    assert_eq!(glance(&selector).len(), 0);
    selector.reregister(&a, 2, Interest::READABLE, Trigger::OneShot).unwrap();
    assert_eq!(look(&selector), [(2, Readiness::READABLE)]);
}

#[test]
fn what_is_ready_before_it_is_registered_is_reported_in_every_mode() {
    for trigger in [Trigger::Edge, Trigger::Level, Trigger::OneShot] {
        let selector = Selector::new().unwrap();
        let (a, mut b) = pair();
        b.write_all(b"x").unwrap();
        settle();
        selector.register(&a, 3, Interest::READABLE | Interest::WRITABLE, trigger).unwrap();
        assert_eq!(look(&selector), [(3, Readiness::READABLE | Readiness::WRITABLE)]);
    }
}

#[test]
fn reregistering_changes_token_interest_and_trigger() {
    let selector = Selector::new().unwrap();
    let (a, _b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Edge).unwrap();
    assert_eq!(glance(&selector), []);
    selector.reregister(&a, 2, Interest::WRITABLE, Trigger::Level).unwrap();
    assert_eq!(look(&selector), [(2, Readiness::WRITABLE)]);
    assert_eq!(look(&selector), [(2, Readiness::WRITABLE)]);
}

#[test]
fn a_half_close_is_told_from_a_hang_up() {
    let selector = Selector::new().unwrap();
    let (a, b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Edge).unwrap();
    b.shutdown(std::net::Shutdown::Write).unwrap();
    let [(1, half)] = look(&selector)[..] else { panic!() };
    assert!(half.contains(Readiness::READ_CLOSED) && half.wants_read() && !half.is_closed());
    hang_up(b);
    let [(1, whole)] = look(&selector)[..] else { panic!() };
    assert!(whole.is_closed() && whole.wants_read());
}

#[test]
fn out_of_band_data_is_priority() {
    let selector = Selector::new().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let a = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (b, _) = listener.accept().unwrap();
    selector.register(&b, 9, Interest::PRIORITY, Trigger::Edge).unwrap();
    assert_eq!(glance(&selector), []);
    tests::send_out_of_band(&a, b'!');
    let mut events = Events::with_capacity(4);
    selector.select(&mut events, Some(PATIENCE)).unwrap();
    let event = events.get(0).unwrap();
    assert!(event.token == 9 && event.readiness.is_priority());
}

#[test]
fn a_pipe_without_readers_is_in_error_for_its_writer() {
    let selector = Selector::new().unwrap();
    let (reader, writer) = mio_core::pipe::new().unwrap();
    selector.register(&writer, 1, Interest::WRITABLE, Trigger::Edge).unwrap();
    assert_eq!(look(&selector), [(1, Readiness::WRITABLE)]);
    drop(reader);
    // Where a pipe is two sockets, they learn of it by writing.
    if cfg!(windows) {
        let _ = (&writer).write(b"x");
    }
    // A child that another test begins has the reader too.
    let (token, readiness) = awaited(|| (), || look(&selector).pop());
    assert_eq!(token, 1);
    assert!(readiness.contains(Readiness::ERROR) && readiness.wants_write());
}

#[test]
fn misuse_is_a_clear_error() {
    let selector = Selector::new().unwrap();
    let (a, b) = pair();
    let both = Interest::READABLE | Interest::WRITABLE;
    selector.register(&a, 1, both, Trigger::Edge).unwrap();
    assert_eq!(kind(selector.register(&a, 2, both, Trigger::Edge)), ErrorKind::AlreadyExists);
    assert_eq!(kind(selector.reregister(&b, 1, both, Trigger::Edge)), ErrorKind::NotFound);
    assert_eq!(kind(selector.deregister(&b)), ErrorKind::NotFound);
    selector.deregister(&a).unwrap();
    assert_eq!(kind(selector.deregister(&a)), ErrorKind::NotFound);

    let none = Interest::empty();
    assert_eq!(kind(selector.register(&a, 1, none, Trigger::Edge)), ErrorKind::InvalidInput);
    selector.register(&a, 1, both, Trigger::Edge).unwrap();
    assert_eq!(kind(selector.reregister(&a, 1, none, Trigger::Edge)), ErrorKind::InvalidInput);

    // On Windows only sockets are sources.
    #[cfg(unix)]
    {
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let regular = selector.register(&file, 1, both, Trigger::Edge);
        assert_eq!(kind(regular), ErrorKind::Unsupported);
    }
    #[cfg(nests)]
    assert_eq!(kind(selector.register(&selector, 1, both, Trigger::Edge)), ErrorKind::InvalidInput);
}

#[test]
fn a_closed_descriptor_is_a_clear_error() {
    let selector = Selector::new().unwrap();
    let result = selector.register(&tests::closed(), 1, Interest::READABLE, Trigger::Edge);
    let code = result.unwrap_err().raw_os_error().unwrap();
    if cfg!(windows) {
        // WSAENOTSOCK; under Wine ERROR_INVALID_HANDLE.
        assert!([10_038, 6].contains(&code), "{code}");
    } else {
        // EBADF
        assert_eq!(code, 9);
    }
}

#[test]
fn an_exclusive_registration_refuses_what_does_not_go_with_it() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let selector = Selector::new().unwrap();
    let exclusive = selector.register_exclusive(&listener, 1, Interest::READABLE, Trigger::Edge);
    if !backend::HAS_EXCLUSIVE_WAKE_UPS {
        return assert_eq!(kind(exclusive), ErrorKind::Unsupported);
    }
    exclusive.unwrap();
    let reregistered = selector.reregister(&listener, 1, Interest::READABLE, Trigger::Edge);
    assert_eq!(kind(reregistered), ErrorKind::InvalidInput);
    for (interest, trigger) in
        [(Interest::READABLE, Trigger::OneShot), (Interest::PRIORITY, Trigger::Edge)]
    {
        let refused = selector.register_exclusive(&listener, 1, interest, trigger);
        assert_eq!(kind(refused), ErrorKind::InvalidInput);
    }
}

#[test]
fn exclusive_wake_ups_reach_one_sleeping_selector_of_many() {
    if !backend::HAS_EXCLUSIVE_WAKE_UPS {
        // That they are refused is tested above.
        return;
    }
    // Who is late to go to sleep on a busy machine is woken too, but not every time.
    assert!((0..20).any(|_| woken_of_four() < 4));
}

/// How many selectors that share a listener a client wakes, which is one at least.
fn woken_of_four() -> usize {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let selectors = [(); 4].map(|()| Selector::new().unwrap());
    for selector in &selectors {
        selector.register_exclusive(&listener, 1, Interest::READABLE, Trigger::Edge).unwrap();
    }
    let wakers = selectors.each_ref().map(|selector| Waker::new(selector, 2).unwrap());
    let (tells, woken) = mpsc::channel();
    thread::scope(|scope| {
        for selector in &selectors {
            let tells = tells.clone();
            scope.spawn(move || {
                let events = select(selector, Some(PATIENCE));
                if events.iter().any(|&(token, _)| token == 1) {
                    tells.send(()).unwrap();
                }
            });
        }
        thread::sleep(Duration::from_millis(50));
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        woken.recv_timeout(PATIENCE).unwrap();
        // The others, if they sleep still.
        thread::sleep(Duration::from_millis(50));
        wakers.iter().for_each(|waker| waker.wake().unwrap());
    });
    1 + woken.try_iter().count()
}

#[test]
fn another_thread_registers_while_one_waits() {
    let selector = Selector::new().unwrap();
    let (a, mut b) = pair();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut events = Events::with_capacity(4);
            selector.select(&mut events, Some(Duration::from_secs(20))).unwrap();
            events.get(0).map(|event| event.token)
        });
        thread::sleep(Duration::from_millis(50));
        selector.register(&a, 5, Interest::READABLE, Trigger::Edge).unwrap();
        b.write_all(b"x").unwrap();
        assert_eq!(waiting.join().unwrap(), Some(5));
    });
}

#[test]
fn of_threads_that_select_at_once_one_gets_the_event() {
    let selector = Selector::new().unwrap();
    let (a, mut b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Edge).unwrap();
    let got = AtomicUsize::new(0);
    let selects = || {
        let events = select(&selector, Some(Duration::from_millis(200)));
        got.fetch_add(events.len(), Ordering::SeqCst);
    };
    thread::scope(|scope| {
        let waits = || {
            let began = Instant::now();
            while got.load(Ordering::SeqCst) == 0 && began.elapsed() < PATIENCE {
                selects();
            }
            // Nor is there one for who comes later.
            selects();
        };
        let threads = [(); 3].map(|()| scope.spawn(waits));
        b.write_all(b"x").unwrap();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(got.into_inner(), 1);
}

#[test]
fn a_waker_ends_a_wait_and_wakes_before_a_wait_are_one_event() {
    let selector = Selector::new().unwrap();
    let waker = Waker::new(&selector, u64::MAX).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(30));
            waker.wake().unwrap();
        });
        let mut events = Events::with_capacity(4);
        selector.select(&mut events, Some(Duration::from_secs(20))).unwrap();
        assert_eq!(events.get(0).unwrap().token, u64::MAX);
    });
    for _ in 0..3 {
        waker.wake().unwrap();
    }
    assert_eq!(look(&selector).len(), 1);
    assert_eq!(glance(&selector).len(), 0);
    waker.wake().unwrap();
    assert_eq!(look(&selector).len(), 1);
}

#[test]
fn a_wait_is_never_shorter_than_its_timeout() {
    let selector = Selector::new().unwrap();
    let mut events = Events::with_capacity(4);
    for timeout in [1, 50_000, 999_999, 1_000_000, 1_000_001, 7_300_000, 20_000_000] {
        let timeout = Duration::from_nanos(timeout);
        let start = Instant::now();
        selector.select(&mut events, Some(timeout)).unwrap();
        assert!(start.elapsed() >= timeout, "{timeout:?}");
    }
}

#[test]
fn more_events_than_fit_come_with_the_next_wait() {
    assert_eq!([0, 1, 5].map(|capacity| Events::with_capacity(capacity).capacity()), [1, 1, 5]);
    let selector = Selector::new().unwrap();
    let pairs: Vec<_> = (0..10).map(|_| pair()).collect();
    for (token, (a, _)) in pairs.iter().enumerate() {
        selector.register(a, token as u64, Interest::WRITABLE, Trigger::Edge).unwrap();
    }
    settle();
    let mut events = Events::with_capacity(4);
    let mut seen = Vec::new();
    for expected in [4, 4, 2, 0] {
        selector.select(&mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.len(), expected);
        seen.extend(events.iter().map(|event| event.token));
    }
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..10));
}

#[test]
fn a_level_that_nobody_sees_to_ends_the_wait_of_every_thread() {
    const THREADS: usize = 3;
    let selector = Selector::new().unwrap();
    let (a, mut b) = pair();
    selector.register(&a, 6, Interest::READABLE, Trigger::Level).unwrap();
    thread::scope(|scope| {
        let waits = || select(&selector, Some(Duration::from_secs(20)));
        let threads = [(); THREADS].map(|()| scope.spawn(waits));
        thread::sleep(Duration::from_millis(50));
        b.write_all(b"x").unwrap();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), [(6, Readiness::READABLE)]);
        }
    });
}

#[test]
fn it_is_printed_without_the_sources() {
    let selector = Selector::new().unwrap();
    let (a, _b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Edge).unwrap();
    let waker = Waker::new(&selector, 2).unwrap();
    assert_eq!(format!("{selector:?} {waker:?}"), "Selector { .. } Waker { .. }");
}

/// Where the kernel waits through a descriptor.
#[cfg(nests)]
#[test]
fn a_selector_nests_in_another() {
    let (inner, outer) = (Selector::new().unwrap(), Selector::new().unwrap());
    outer.register(&inner, 1, Interest::READABLE, Trigger::Level).unwrap();
    let (a, mut b) = pair();
    inner.register(&a, 2, Interest::READABLE, Trigger::Edge).unwrap();
    assert_eq!(glance(&outer), []);
    b.write_all(b"x").unwrap();
    assert_eq!(look(&outer), [(1, Readiness::READABLE)]);
    assert_eq!(look(&inner), [(2, Readiness::READABLE)]);
    assert_eq!(glance(&outer), []);
}

#[cfg(nests)]
#[test]
fn a_selector_that_another_one_empties_tells_it_of_new_events_by_an_edge() {
    let (inner, outer) = (Selector::new().unwrap(), Selector::new().unwrap());
    outer.register(&inner, 1, Interest::READABLE, Trigger::Edge).unwrap();
    let (mut pairs, mut events) = ([pair(), pair()], Events::with_capacity(1));
    for (a, _) in &pairs {
        inner.register(a, 2, Interest::READABLE, Trigger::Edge).unwrap();
    }
    for _ in 0..2 {
        pairs.iter_mut().for_each(|(_, b)| b.write_all(b"x").unwrap());
        assert_eq!(look(&outer), [(1, Readiness::READABLE)]);
        for left in [1, 1, 0] {
            inner.select(&mut events, Some(Duration::ZERO)).unwrap();
            assert_eq!(events.len(), left);
        }
        assert_eq!(glance(&outer), []);
    }
}

#[cfg(nests)]
#[test]
fn selectors_that_would_wait_in_a_circle_are_told_by_epoll() {
    let (inner, outer) = (Selector::new().unwrap(), Selector::new().unwrap());
    outer.register(&inner, 1, Interest::READABLE, Trigger::Edge).unwrap();
    let circle = inner.register(&outer, 1, Interest::READABLE, Trigger::Edge);
    if backend::IS_EPOLL {
        assert_eq!(circle.unwrap_err().raw_os_error(), Some(libc::ELOOP));
    }
}

// Windows has other ways to duplicate a socket.
#[cfg(unix)]
#[test]
fn a_duplicate_keeps_a_dropped_source_registered_only_where_open_files_are() {
    let selector = Selector::new().unwrap();
    let (a, mut b) = pair();
    selector.register(&a, 4, Interest::READABLE, Trigger::Level).unwrap();
    let duplicate = std::os::fd::AsFd::as_fd(&a).try_clone_to_owned().unwrap();
    drop(a);
    b.write_all(b"x").unwrap();
    let kept = [(4, Readiness::READABLE)];
    assert_eq!(look(&selector), kept[..usize::from(backend::REGISTERS_OPEN_FILES)]);
    drop(duplicate);
    // A child that another test begins has one more.
    awaited(|| (), || glance(&selector).is_empty().then_some(()));
}
