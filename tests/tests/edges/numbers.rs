//! Descriptors whose numbers are given away again, for which no other test may open one meanwhile.

use std::{
    io::Write,
    os::{
        fd::{AsRawFd, RawFd},
        unix::net,
    },
};

use mio_core::{Interest, Readiness, Selector, Trigger, pipe};
use tests::{Isolated, backend, test_name};

use super::{look, read_all};

#[test]
fn what_is_dropped_is_forgotten_and_its_number_registers_again() {
    Isolated::new(test_name!()).run(|| {
        let selector = Selector::new().unwrap();
        for trigger in [Trigger::Edge, Trigger::Level, Trigger::OneShot] {
            let (reader, _writer) = pipe::new().unwrap();
            let number = reader.as_raw_fd();
            selector.register(&reader, 1, Interest::READABLE, trigger).unwrap();
            drop(reader);
            let (reader, mut writer) = pipe::new().unwrap();
            assert_eq!(reader.as_raw_fd(), number);
            writer.write_all(b"x").unwrap();
            assert_eq!(look(&selector), []);
            selector.register(&reader, 2, Interest::READABLE, trigger).unwrap();
            assert_eq!(look(&selector), [(2, Readiness::READABLE)]);
            drop(reader);
            // A type of others says nothing of its birth.
            let (a, mut b) = net::UnixStream::pair().unwrap();
            assert_eq!(a.as_raw_fd(), number);
            b.write_all(b"x").unwrap();
            assert_eq!(look(&selector), []);
        }
    });
}

#[test]
fn a_foreign_type_whose_number_was_given_away_is_neither_armed_again_nor_in_the_way() {
    Isolated::new(test_name!()).run(|| {
        let selector = Selector::new().unwrap();
        let (number, _peer) = reported_and_dropped(&selector);
        let (reader, mut writer) = pipe::new().unwrap();
        assert_eq!(reader.as_raw_fd(), number);
        read_all(&reader);
        writer.write_all(b"x").unwrap();
        assert_eq!(look(&selector), []);

        // Another foreign one, of which nobody has heard yet: only its own token arms it.
        let (number, _peer) = reported_and_dropped(&selector);
        let (a, mut b) = net::UnixStream::pair().unwrap();
        assert_eq!(a.as_raw_fd(), number);
        b.write_all(b"x").unwrap();
        let said = selector.would_block(&a, 2, Interest::READABLE);
        assert_eq!(said.is_ok(), backend::KEEPS_EDGES, "it is not registered");
        assert_eq!(look(&selector), []);
        selector.register(&a, 2, Interest::READABLE, Trigger::Edge).unwrap();
        assert_eq!(look(&selector), [(2, Readiness::READABLE)]);
    });
}

/// The number of a foreign type that was reported under token 1, and dropped without a word; and its peer.
fn reported_and_dropped(selector: &Selector) -> (RawFd, net::UnixStream) {
    let (a, mut b) = net::UnixStream::pair().unwrap();
    selector.register(&a, 1, Interest::READABLE, Trigger::Edge).unwrap();
    b.write_all(b"x").unwrap();
    assert_eq!(look(selector), [(1, Readiness::READABLE)]);
    (a.as_raw_fd(), b)
}
