//! Edges, where the kernel keeps them and where they are emulated: the same for all who read until there is
//! nothing more.
#![cfg(any(unix, windows))]

#[cfg(target_os = "linux")]
mod numbers;

use std::{
    io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write},
    net::Shutdown,
    thread,
    time::{Duration, Instant},
};

use mio_core::{Events, Interest, Readiness, Selector, Trigger, pipe};
use tests::{Stream, hang_up, pair, settle};

#[cfg(windows)]
type StdStream = std::net::TcpStream;
#[cfg(unix)]
type StdStream = std::os::unix::net::UnixStream;

const BOTH: Interest = Interest::READABLE.union(Interest::WRITABLE);
const LONG: Option<Duration> = Some(Duration::from_secs(60));

/// What one look finds.
fn look(selector: &Selector) -> Vec<(u64, Readiness)> {
    settle();
    let mut events = Events::with_capacity(64);
    selector.select(&mut events, Some(Duration::ZERO)).unwrap();
    events.iter().map(|event| (event.token, event.readiness)).collect()
}

fn read_all(mut source: impl Read) {
    let error = loop {
        match source.read(&mut [0; 64]) {
            Ok(count) => assert!(count > 0),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_short_read_and_a_short_write_are_followed_by_another_report() {
    check_short(|mut reader, bytes| reader.read(bytes), |mut writer, bytes| writer.write(bytes));
}

#[test]
fn so_are_those_of_several_parts() {
    check_short(
        |mut reader, bytes| {
            let (first, second) = bytes.split_at_mut(bytes.len() / 2);
            reader.read_vectored(&mut [IoSliceMut::new(first), IoSliceMut::new(second)])
        },
        |mut writer, bytes| {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            writer.write_vectored(&[IoSlice::new(first), IoSlice::new(second)])
        },
    );
}

fn check_short(
    read: impl Fn(&pipe::Reader, &mut [u8]) -> io::Result<usize>,
    write: impl Fn(&pipe::Writer, &[u8]) -> io::Result<usize>,
) {
    let selector = Selector::new().unwrap();
    let (reader, writer) = pipe::new().unwrap();
    selector.register(&reader, 1, Interest::READABLE, Trigger::Edge).unwrap();
    selector.register(&writer, 2, Interest::WRITABLE, Trigger::Edge).unwrap();
    assert_eq!(look(&selector), [(2, Readiness::WRITABLE)]);
    for _ in 0..3 {
        assert_eq!(write(&writer, b"abc").unwrap(), 3);
        assert_eq!(look(&selector)[..1], [(1, Readiness::READABLE)]);
        assert_eq!(read(&reader, &mut [0; 16]).unwrap(), 3);
    }
    if cfg!(windows) {
        // Where it is a connection, which takes all there is.
        return;
    }
    // A pipe holds less than this, so that it takes but a part.
    let much = vec![7; 1 << 22];
    let written = write(&writer, &much).unwrap();
    assert!(written < much.len());
    let mut left = written;
    while left > 0 {
        left -= read(&reader, &mut [0; 4096]).unwrap();
    }
    assert!(look(&selector).iter().any(|&(token, _)| token == 2), "there is room again");
}

#[test]
fn the_end_of_a_stream_is_not_reported_for_ever() {
    let selector = Selector::new().unwrap();
    let (mut a, b) = pair();
    selector.register(&a, 1, BOTH, Trigger::Edge).unwrap();
    look(&selector);
    b.shutdown(Shutdown::Write).unwrap();
    assert!(look(&selector)[0].1.contains(Readiness::READ_CLOSED));
    assert_eq!(a.read(&mut [0; 8]).unwrap(), 0);
    assert_eq!(look(&selector), []);
    hang_up(b);
    assert!(look(&selector)[0].1.is_closed());
    for _ in 0..3 {
        // Or a reset, if it took one to hang up.
        assert!(a.read(&mut [0; 8]).map_or(cfg!(windows), |read| read == 0));
        a.write(b"x").unwrap_err();
        assert_eq!(look(&selector), [], "it does not spin");
    }
}

#[test]
fn a_type_that_goes_to_std_and_back_stays_registered() {
    let selector = Selector::new().unwrap();
    let (a, mut b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Edge).unwrap();
    let a = StdStream::from(a);
    b.write_all(b"x").unwrap();
    assert_eq!(look(&selector), [(1, Readiness::READABLE)]);
    let a = Stream::from(a);
    read_all(&a);
    b.write_all(b"x").unwrap();
    assert_eq!(look(&selector), [(1, Readiness::READABLE)]);
}

#[test]
fn every_selector_that_has_a_source_reports_its_next_edge() {
    let selectors = [(); 3].map(|()| Selector::new().unwrap());
    let (a, mut b) = pair();
    for (token, selector) in (0..).zip(&selectors) {
        selector.register(&a, token, Interest::READABLE, Trigger::Edge).unwrap();
    }
    for _ in 0..3 {
        b.write_all(b"x").unwrap();
        for (token, selector) in (0..).zip(&selectors) {
            assert_eq!(look(selector), [(token, Readiness::READABLE)]);
        }
        read_all(&a);
    }
}

#[test]
fn an_edge_that_another_thread_arms_reaches_a_selector_that_waits() {
    let selector = Selector::new().unwrap();
    let (a, mut b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Edge).unwrap();
    b.write_all(b"x").unwrap();
    assert_eq!(look(&selector).len(), 1);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut events = Events::with_capacity(4);
            selector.select(&mut events, LONG).unwrap();
            events.len()
        });
        thread::sleep(Duration::from_millis(50));
        read_all(&a);
        b.write_all(b"y").unwrap();
        assert_eq!(waiting.join().unwrap(), 1);
    });
}

#[test]
fn threads_that_select_at_once_wait_no_longer_than_they_asked_for() {
    let selector = Selector::new().unwrap();
    let (a, mut b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Edge).unwrap();
    let count = |timeout| {
        let mut events = Events::with_capacity(4);
        selector.select(&mut events, timeout).unwrap();
        events.len()
    };
    thread::scope(|scope| {
        let endless = scope.spawn(|| count(LONG));
        thread::sleep(Duration::from_millis(50));
        let start = Instant::now();
        for timeout in [0, 20] {
            let timeout = Duration::from_millis(timeout);
            assert_eq!(count(Some(timeout)), 0);
            assert!(start.elapsed() >= timeout);
        }
        assert!(start.elapsed() < LONG.unwrap() / 2);
        b.write_all(b"x").unwrap();
        assert_eq!(endless.join().unwrap(), 1);
    });
}

#[test]
fn what_another_thread_deregisters_is_not_reported_to_one_that_waits() {
    let selector = Selector::new().unwrap();
    let (a, mut b) = pair();
    selector.register(&a, 1, Interest::READABLE, Trigger::Level).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut events = Events::with_capacity(4);
            selector.select(&mut events, Some(Duration::from_millis(200))).unwrap();
            events.len()
        });
        thread::sleep(Duration::from_millis(50));
        selector.deregister(&a).unwrap();
        b.write_all(b"x").unwrap();
        assert_eq!(waiting.join().unwrap(), 0);
    });
}
