//! The slab against a map and a queue.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::cases::cases;

#[derive(Debug)]
enum Step {
    Insert,
    Remove(usize),
    RemoveStale(usize),
    Retain(usize),
    Clear,
}

fn step(number: u16) -> Step {
    let choice = usize::from(number / 100);
    match number % 100 {
        0..50 => Step::Insert,
        50..80 => Step::Remove(choice),
        80..96 => Step::RemoveStale(choice),
        96..98 => Step::Retain(2 + choice % 3),
        _ => Step::Clear,
    }
}

/// What the documentation says, said with a map and a queue.
#[derive(Default)]
struct Model {
    /// By index.
    present: BTreeMap<usize, (Key<8, 16>, u32)>,
    removed: Vec<Key<8, 16>>,
    resting: VecDeque<Key<8, 16>>,
    used: usize,
    capacity: usize,
}

impl Model {
    fn insert(&mut self, value: u32) -> Option<Key<8, 16>> {
        let key = if self.used < self.capacity && self.resting.len() < REST {
            self.used += 1;
            Key::new(self.used - 1, 0)
        } else {
            self.resting.pop_front()?
        };
        self.present.insert(key.index(), (key, value));
        Some(key)
    }

    fn remove(&mut self, index: usize) -> u32 {
        let (key, value) = self.present.remove(&index).unwrap();
        self.resting.push_back(Key::new(index, key.generation() + 1));
        self.removed.push(key);
        value
    }

    fn remove_all(&mut self, condition: impl Fn(usize) -> bool) {
        for index in
            self.present.keys().copied().filter(|&index| condition(index)).collect::<Vec<_>>()
        {
            self.remove(index);
        }
    }
}

proptest! {
    #![proptest_config(cases(8, 10_000))]

    #[test]
    fn it_does_what_a_map_and_a_queue_do(
        capacity in prop_oneof![0..8usize, 60..100usize],
        inserted in 0..100u32,
        numbers in prop::collection::vec(any::<u16>(), 0..80),
    ) {
        let mut slab: Slab<u32, 8, 16> = Slab::with_capacity(capacity);
        let mut model = Model { capacity, ..Model::default() };
        for value in 0..inserted {
            assert_eq!(slab.insert(value).ok(), model.insert(value));
        }
        for (value, step) in (inserted..).zip(numbers.into_iter().map(step)) {
            match step {
                Step::Insert => assert_eq!(slab.insert(value).ok(), model.insert(value)),
                Step::Remove(choice) => {
                    let count = model.present.len().max(1);
                    if let Some(&(key, _)) = model.present.values().nth(choice % count) {
                        assert_eq!(slab.remove(key), Some(model.remove(key.index())));
                    }
                }
                Step::RemoveStale(choice) => {
                    if let Some(&key) = model.removed.get(choice % model.removed.len().max(1)) {
                        assert_eq!(slab.remove(key), None);
                    }
                }
                Step::Retain(n) => {
                    slab.retain(|key, _| key.index() % n == 0);
                    model.remove_all(|index| index % n != 0);
                }
                Step::Clear => {
                    slab.clear();
                    model.remove_all(|_| true);
                }
            }
            assert_eq!(slab.len(), model.present.len());
            assert_eq!(slab.is_full(), slab.len() == capacity);
        }
        assert!(slab.iter().map(|(key, &value)| (key, value)).eq(model.present.into_values()));
        assert!(model.removed.iter().all(|&key| !slab.contains(key)));
    }
}
