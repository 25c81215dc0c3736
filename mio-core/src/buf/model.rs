//! The ring against a queue of bytes.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::{tests::Peer, *};
use crate::cases::cases;

#[derive(Debug)]
enum Step {
    Push(usize),
    Pop(usize),
    Fill { limit: usize, offered: usize },
    Drain { limit: usize },
    Flip,
    Contiguous,
    Clear,
}

fn step(number: u16) -> Step {
    let [a, b] = [number / 30 % 12, number / 360 % 12].map(usize::from);
    match number % 30 {
        0..6 => Step::Push(a),
        6..12 => Step::Pop(a),
        12..18 => Step::Fill { limit: 1 + a, offered: b },
        18..24 => Step::Drain { limit: 1 + a },
        24..27 => Step::Flip,
        27..29 => Step::Contiguous,
        _ => Step::Clear,
    }
}

proptest! {
    #![proptest_config(cases(8, 10_000))]

    #[test]
    fn it_does_what_a_queue_of_bytes_does(
        capacity in 1..20usize,
        numbers in prop::collection::vec(any::<u16>(), 0..60),
    ) {
        let mut storage = [0; 20];
        let mut ring = Ring::new(&mut storage[..capacity]);
        let mut model = VecDeque::new();
        let mut source = (0..=u8::MAX).cycle();
        for step in numbers.into_iter().map(step) {
            let free = capacity - model.len();
            match step {
                Step::Push(n) => {
                    let bytes: Vec<u8> = source.by_ref().take(n).collect();
                    let n = ring.push_slice(&bytes);
                    assert_eq!(n, bytes.len().min(free));
                    model.extend(&bytes[..n]);
                }
                Step::Pop(n) => {
                    let mut bytes = [0; 12];
                    let popped = ring.pop_slice(&mut bytes[..n]);
                    let expected: Vec<u8> = model.drain(..n.min(model.len())).collect();
                    assert_eq!(&bytes[..popped], expected);
                }
                Step::Fill { limit, offered } => {
                    let bytes: Vec<u8> = source.by_ref().take(offered).collect();
                    let filled = ring.fill_from(&mut Peer::new(limit, &bytes)).ok();
                    assert_eq!(filled, (free > 0).then_some(offered.min(limit).min(free)));
                    model.extend(&bytes[..filled.unwrap_or(0)]);
                }
                Step::Drain { limit } => {
                    let mut sink = Peer::new(limit, b"");
                    let n = ring.drain_to(&mut sink).unwrap();
                    let expected: VecDeque<u8> = model.drain(..limit.min(model.len())).collect();
                    assert_eq!((n, sink.bytes), (expected.len(), expected));
                }
                Step::Flip => {
                    let (first, second) = ring.as_mut_slices();
                    first.iter_mut().chain(second).for_each(|byte| *byte ^= 1);
                    model.iter_mut().for_each(|byte| *byte ^= 1);
                }
                Step::Contiguous => {
                    assert_eq!(ring.make_contiguous(), model.make_contiguous());
                    assert!(ring.as_slices().1.is_empty());
                }
                Step::Clear => {
                    ring.clear();
                    model.clear();
                }
            }
            assert!(ring.as_io_slices().iter().flat_map(|part| part.iter()).eq(&model));
            assert_eq!((ring.len(), ring.is_empty()), (model.len(), model.is_empty()));
            assert_eq!(ring.free(), capacity - model.len());
            assert_eq!(ring.is_full(), ring.free() == 0);
            let free: usize = ring.free_io_slices_mut().iter().map(|part| part.len()).sum();
            assert_eq!(free, ring.free());
            let (first, second) = ring.free_slices_mut();
            assert!(!first.is_empty() || second.is_empty());
            assert!(!model.is_empty() || second.is_empty());
        }
    }
}
