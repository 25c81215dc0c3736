//! What a selector reports of sockets, wakers and children, and what memory it leaves to the kernel.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::windows::io::{AsRawSocket, AsSocket},
    process::{Command, Stdio},
    time::Instant,
};

use super::{
    super::{
        child::ChildWatch,
        wait::{STAND_IN, tied_by_this_thread},
    },
    *,
};

const READ: Interest = Interest::READABLE;
const WRITE: Interest = Interest::WRITABLE;

/// Of the types of `std`, which do not say when they are dropped.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (one, listener.accept().unwrap().0)
}

/// The tokens of what comes within the time.
fn look(selector: &Selector, timeout_ms: u64) -> Vec<u64> {
    select(selector, Duration::from_millis(timeout_ms))
}

/// As [`look`], for a time that is not whole milliseconds.
fn select(selector: &Selector, timeout: Duration) -> Vec<u64> {
    let mut events = Events::with_capacity(16, 0).unwrap();
    selector.select(&mut events, Some(timeout)).unwrap();
    (0..events.len()).filter_map(|index| events.get(index)).map(|event| event.token).collect()
}

/// Waits until the kernel has given all memory back.
fn empties(selector: &Selector) {
    let end = Instant::now() + Duration::from_secs(10);
    while selector.shared.table().taken() > 0 {
        assert!(Instant::now() < end, "{:?}", selector.shared.table());
        look(selector, 1);
    }
}

#[test]
fn all_slots_come_back_whether_deregistered_or_closed_without_a_word() {
    let selector = Selector::with_capacity(8).unwrap();
    for trigger in [Trigger::Edge, Trigger::Level, Trigger::OneShot] {
        let pairs = [(); 8].map(|()| pair());
        for (token, (one, other)) in pairs.iter().enumerate() {
            selector.register(one.as_socket(), token as u64, READ, trigger).unwrap();
            if token % 2 == 0 {
                (&mut &*other).write_all(b"x").unwrap();
            }
        }
        assert_eq!(selector.shared.table().taken(), 8);
        for (token, (one, _)) in pairs.iter().enumerate().take(4) {
            assert!(token % 3 != 0 || selector.deregister(one.as_socket()).is_ok());
        }
        drop(pairs);
        empties(&selector);
    }
}

#[test]
fn a_slot_counts_until_its_memory_is_back() {
    let selector = Selector::with_capacity(1).unwrap();
    let (one, _other) = pair();
    let register = || selector.register(one.as_socket(), 1, READ, Trigger::Edge);
    register().unwrap();
    selector.deregister(one.as_socket()).unwrap();
    assert_eq!(register().unwrap_err().kind(), io::ErrorKind::StorageFull);
    empties(&selector);
    register().unwrap();
}

#[test]
fn a_level_never_goes_over_to_a_stranger_with_the_same_number() {
    let selector = Selector::with_capacity(64).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut reused = 0;
    for round in 0..40 {
        let (one, mut other) = pair();
        let number = one.as_raw_socket();
        selector.register(one.as_socket(), round, READ, Trigger::Level).unwrap();
        other.write_all(b"x").unwrap();
        assert_eq!(look(&selector, 10_000), [round]);
        // From here on the poll is to be begun again, for the number.
        drop(one);
        let mut stranger = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        (&mut &accepted).write_all(b"x").unwrap();
        stranger.write_all(b"x").unwrap();
        reused +=
            usize::from([&accepted, &stranger].map(AsRawSocket::as_raw_socket).contains(&number));
        assert_eq!(look(&selector, 20), [], "round {round}");
    }
    assert!(reused > 0, "numbers are used again");
    empties(&selector);
}

/// A socket of `std` that is registered and then closed without a word, and another one with its number.
fn succession(register: impl Fn(&TcpStream)) -> (TcpStream, TcpStream) {
    for _ in 0..1000 {
        let (one, other) = pair();
        let number = one.as_raw_socket();
        register(&one);
        drop((one, other));
        let (one, other) = pair();
        if one.as_raw_socket() == number {
            return (one, other);
        }
        if other.as_raw_socket() == number {
            return (other, one);
        }
    }
    panic!("numbers are used again");
}

#[test]
fn a_socket_that_was_registered_twice_and_closed_leaves_its_number_to_the_next() {
    for twice in [false, true] {
        let selector = Selector::with_capacity(4096).unwrap();
        // What is not armed again polls no number that may be nobody's.
        let register = |one: &TcpStream, token| {
            selector.register(one.as_socket(), token, WRITE, Trigger::OneShot)
        };
        let (one, _other) = succession(|one| {
            // Its number may be that of one which was registered in vain before.
            while register(one, 1).is_err() {
                look(&selector, 1);
            }
            assert_eq!(look(&selector, 10_000), [1]);
            // The kernel is asked who it is.
            for _ in 0..=u8::from(twice) {
                let again = register(one, 1).unwrap_err();
                assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
            }
        });
        // In vain while it still has the memory of all guards.
        let result = register(&one, 2);
        assert_eq!(result.is_err(), twice);
        assert_eq!(look(&selector, 500), [2][usize::from(twice)..]);
        let result = register(&one, 2);
        assert_eq!(result.is_ok(), twice);
        drop(one);
        empties(&selector);
    }
}

#[test]
fn a_registration_ends_when_its_number_is_nobodys() {
    const NOBODY: usize = 0x00FF_FFF0;
    let selector = Selector::with_capacity(1).unwrap();
    let (one, mut other) = pair();
    selector.register(one.as_socket(), 7, READ, Trigger::Level).unwrap();
    other.write_all(b"x").unwrap();
    assert_eq!(look(&selector, 10_000), [7]);
    // As if it were closed, and a duplicate open.
    selector.shared.table().renumber(0, NOBODY);
    empties(&selector);
    selector.register(one.as_socket(), 8, READ, Trigger::Level).unwrap();
    assert_eq!(look(&selector, 10_000), [8]);
}

#[test]
fn a_thread_that_registers_and_ends_leaves_its_polls_under_way() {
    let selector = Selector::with_capacity(4).unwrap();
    let (one, mut other) = pair();
    std::thread::scope(|scope| {
        let register = || selector.register(one.as_socket(), 7, READ, Trigger::Edge).unwrap();
        // The scope itself waits for what the thread does, and not until it is gone.
        scope.spawn(register).join().unwrap();
    });
    assert_eq!(look(&selector, 20), []);
    other.write_all(b"x").unwrap();
    assert_eq!(look(&selector, 10_000), [7]);
    drop(one);
    empties(&selector);
}

#[test]
fn a_selector_that_is_dropped_takes_back_what_the_kernel_has() {
    for _ in 0..20 {
        let selector = Selector::with_capacity(40).unwrap();
        let pairs = [(); 20].map(|()| pair());
        for (one, other) in &pairs {
            selector.register(one.as_socket(), 1, READ, Trigger::Edge).unwrap();
            selector.register(other.as_socket(), 2, READ, Trigger::Level).unwrap();
        }
        (&mut &pairs[0].0).write_all(b"x").unwrap();
        let shared = Arc::downgrade(&selector.shared);
        drop(selector);
        assert!(shared.upgrade().is_none());
    }
}

/// A selector that waits for other handles as newer systems do.
fn tying() -> Selector {
    Selector::with_waits(8, Some(STAND_IN)).unwrap()
}

#[test]
fn a_wait_of_less_than_a_second_is_ended_by_the_timer_and_never_early() {
    let selector = tying();
    let is_ended_by_the_timer = |micros| {
        let delay = Duration::from_micros(micros);
        let (tied, start) = (tied_by_this_thread(), Instant::now());
        assert_eq!(select(&selector, delay), []);
        assert!(start.elapsed() >= delay, "{delay:?}");
        tied_by_this_thread() > tied
    };
    // A thread that is held up may find that the time is over, or that less than a second is left.
    for micros in [300, 1_500, 20_000] {
        assert!((0..100).any(|_| is_ended_by_the_timer(micros)), "{micros}");
    }
    assert!((0..10).any(|_| !is_ended_by_the_timer(1_100_000)));
}

#[test]
fn a_timer_that_was_not_waited_for_ends_no_later_wait_early() {
    let selector = tying();
    let (one, mut other) = pair();
    selector.register(one.as_socket(), 7, READ, Trigger::Edge).unwrap();
    for round in 0..2 {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(5));
                other.write_all(b"x").unwrap();
            });
            // If that thread is late, once more.
            let mut waits = (0..20).map(|_| select(&selector, Duration::from_millis(900)));
            assert_eq!(waits.find(|tokens| !tokens.is_empty()), Some(vec![7]));
        });
        // The one of above is over in the second of them, if it is not called off.
        for delay in [Duration::from_micros(700), Duration::from_millis(950)] {
            let start = Instant::now();
            assert_eq!(select(&selector, delay), [], "{round}");
            assert!(start.elapsed() >= delay, "{delay:?}");
        }
        selector.would_block(one.as_socket(), 7, READ).unwrap();
        (&mut &one).read_exact(&mut [0]).unwrap();
    }
}

#[test]
fn threads_that_share_a_timer_all_wait_as_long_as_they_should() {
    let selector = tying();
    std::thread::scope(|scope| {
        for number in 1..4 {
            let selector = &selector;
            scope.spawn(move || {
                for round in 1..20 {
                    let delay = Duration::from_micros(number * round * 170);
                    let start = Instant::now();
                    assert_eq!(select(selector, delay), []);
                    assert!(start.elapsed() >= delay, "{delay:?}");
                }
            });
        }
    });
}

#[test]
fn the_end_of_a_child_is_a_packet_where_its_handle_can_be_tied_to_the_port() {
    for selector in [tying(), Selector::with_waits(8, None).unwrap()] {
        let tied = tied_by_this_thread();
        let ties = selector.shared.port.waits.is_some();
        let mut child = Command::new("cmd")
            .args(["/c", "set /p line= & exit 3"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let watch = ChildWatch::open(child.id()).unwrap().unwrap();
        assert!(watch.register(&selector, u64::MAX - 5).unwrap());
        assert_eq!(look(&selector, 20), []);
        drop(child.stdin.take());
        assert_eq!(look(&selector, 10_000), [u64::MAX - 5]);
        assert_eq!(watch.peek().unwrap().unwrap().code(), Some(3));
        // It is told again to who asks again, at once or by a packet.
        if watch.register(&selector, u64::MAX - 6).unwrap() {
            assert_eq!(look(&selector, 10_000), [u64::MAX - 6]);
        }
        watch.deregister(&selector);
        child.wait().unwrap();
        assert_eq!(tied_by_this_thread() > tied, ties);
        // A watch that is given up leaves nothing that comes later.
        let watch = ChildWatch::open(std::process::id()).unwrap().unwrap();
        assert!(watch.register(&selector, 1 << 63).is_ok() == ties);
        drop(watch);
    }
}

#[test]
fn a_timeout_is_never_rounded_down_and_never_for_ever() {
    assert_eq!(milliseconds(Duration::ZERO), 0);
    assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
    assert_eq!(milliseconds(Duration::from_nanos(1_000_001)), 2);
    assert_eq!(milliseconds(Duration::MAX), u32::MAX - 1);
}
