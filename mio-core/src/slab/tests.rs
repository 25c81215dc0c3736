//! The promises of the slab, one by one.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

use super::*;

fn full(capacity: usize) -> (Slab<usize>, Vec<Key>) {
    let mut slab = Slab::with_capacity(capacity);
    let keys = (0..capacity).map(|value| slab.insert(value).unwrap()).collect();
    (slab, keys)
}

#[test]
fn a_key_finds_its_value_until_it_is_removed() {
    let mut slab: Slab<&str> = Slab::with_capacity(2);
    let a = slab.insert("a").unwrap();
    let b = slab.insert("b").unwrap();
    *slab.get_mut(b).unwrap() = "B";
    assert_eq!((slab.get(a), slab.get(b)), (Some(&"a"), Some(&"B")));
    assert_eq!([a, b].map(|key| slab.key_at(key.index())), [Some(a), Some(b)]);
    assert_eq!(slab.remove(a), Some("a"));
    assert_eq!((slab.get(a), slab.contains(a)), (None, false));
    assert_eq!((slab.key_at(a.index()), slab.key_at(2)), (None, None));
    assert_eq!(slab.get_mut(a), None);
    assert_eq!(slab.remove(a), None);
    assert_eq!((slab.len(), slab.get(b)), (1, Some(&"B")));
}

#[test]
fn a_full_slab_gives_the_value_back_and_allocates_nothing() {
    let (mut slab, keys) = full(100);
    let memory = (slab.slots.as_ptr(), slab.slots.capacity());
    assert!(slab.is_full());
    assert_eq!(slab.insert(7), Err(7));
    assert_eq!(slab.insert_with(|_| unreachable!()), Err(Full));
    slab.remove(keys[3]);
    assert!(!slab.is_full());
    let key = slab.insert_with(Key::index).unwrap();
    assert_eq!((key.index(), slab.get(key)), (3, Some(&3)));
    assert_eq!((slab.slots.as_ptr(), slab.slots.capacity()), memory);
    assert_eq!(Slab::<u8>::with_capacity(0).insert(1), Err(1));
}

#[test]
fn a_dropped_entry_leaves_the_slab_as_it_was() {
    let (mut slab, keys) = full(3);
    slab.remove(keys[1]);
    let key = slab.vacant_entry().unwrap().key();
    assert!(!slab.contains(key));
    assert_eq!(slab.len(), 2);
    assert_eq!(slab.insert(9), Ok(key));
}

#[test]
fn vacated_slots_are_reused_in_the_order_of_their_removal() {
    let (mut slab, keys) = full(6);
    for index in [4, 1, 5] {
        slab.remove(keys[index]);
    }
    let reused: Vec<_> = (0..3).map(|value| slab.insert(value).unwrap()).collect();
    assert_eq!(reused.iter().map(|key| key.index()).collect::<Vec<_>>(), [4, 1, 5]);
    assert!(reused.iter().all(|key| key.generation() == 1));
}

#[test]
fn a_lone_value_moves_through_64_slots_and_touches_no_more() {
    let mut slab: Slab<()> = Slab::with_capacity(1000);
    for turn in 0..640 {
        let key = slab.insert(()).unwrap();
        assert_eq!((key.index(), key.generation() as usize), (turn % REST, turn / REST));
        slab.remove(key);
    }
    assert_eq!(slab.slots.len(), REST);
}

#[test]
fn a_slot_counts_its_tenants_modulo_the_width_of_the_generation() {
    let mut slab: Slab<u32, 1, 2> = Slab::with_capacity(1);
    let first = slab.insert(0).unwrap();
    slab.remove(first);
    for tenant in 1..4 {
        let key = slab.insert(tenant).unwrap();
        assert_eq!((key.generation(), slab.get(first)), (tenant, None));
        slab.remove(key);
    }
    assert_eq!(slab.insert(4), Ok(first));
}

#[test]
#[should_panic(expected = "needs an index wider than 4 bits")]
fn a_capacity_beyond_the_index_panics() {
    assert_eq!(Slab::<u8, 4>::with_capacity(16).capacity(), 16);
    let _ = Slab::<u8, 4>::with_capacity(17);
}

// More than any address says, so that no allocator has to refuse it: some end the process instead.
#[cfg(target_pointer_width = "64")]
#[test]
#[should_panic(expected = "there is no memory for a Slab of 16777216")]
fn memory_that_cannot_be_reserved_is_a_panic() {
    let _ = Slab::<[u8; 1 << 40]>::with_capacity(1 << 24);
}

#[test]
fn a_pair_is_two_different_values_that_are_both_present() {
    let (mut slab, keys) = full(3);
    let (a, b) = slab.get_pair_mut(keys[2], keys[0]).unwrap();
    assert_eq!((*a, *b), (2, 0));
    mem::swap(a, b);
    let (b, a) = slab.get_pair_mut(keys[0], keys[2]).unwrap();
    assert_eq!((*a, *b), (0, 2));
    assert!(slab.get_pair_mut(keys[1], keys[1]).is_none());
    slab.remove(keys[1]);
    assert!(slab.get_pair_mut(keys[1], keys[2]).is_none());
    assert!(slab.get_pair_mut(keys[0], keys[1]).is_none());
    assert!(slab.get_pair_mut(keys[0], Key::new(3, 0)).is_none());
}

#[test]
fn a_pair_is_not_made_of_those_who_came_after() {
    let (mut slab, gone) = full(2);
    slab.clear();
    let keys = [10, 11].map(|value| slab.insert(value).unwrap());
    assert_eq!(keys.map(Key::index), [gone[0].index(), gone[1].index()]);
    assert!(slab.get_pair_mut(gone[0], keys[1]).is_none());
    assert!(slab.get_pair_mut(keys[0], gone[1]).is_none());
    assert_eq!(slab.get_mut(gone[0]), None);
    assert_eq!(slab.get_pair_mut(keys[1], keys[0]), Some((&mut 11, &mut 10)));
}

#[test]
fn values_come_with_the_keys_that_find_them() {
    let (mut slab, gone) = full(3);
    slab.remove(gone[1]);
    let second = slab.insert(1).unwrap();
    let keys = [gone[0], second, gone[2]];
    assert_eq!((second.index(), second.generation()), (1, 1));
    assert!(slab.iter().map(|(key, _)| key).eq(keys));
    assert!(slab.iter_mut().map(|(key, _)| key).eq(keys));
    assert!(slab.keys().eq(keys));
    assert_eq!(slab.key_at(1), Some(second));
    let mut seen = Vec::new();
    slab.retain(|key, _| {
        seen.push(key);
        true
    });
    assert_eq!(seen, keys);
    assert!(slab.drain().map(|(key, _)| key).eq(keys));
}

#[test]
fn retain_and_drain_make_keys_stale() {
    let (mut slab, keys) = full(5);
    slab.retain(|key, value| key.index() == *value && *value % 2 == 0);
    assert_eq!(slab.keys().collect::<Vec<_>>(), [keys[0], keys[2], keys[4]]);
    slab.iter_mut().for_each(|(_, value)| *value += 10);
    assert_eq!(slab.drain().next(), Some((keys[0], 10)));
    assert!(slab.is_empty(), "the rest goes with the iterator");
    let fresh: Vec<_> = (0..5).map(|value| slab.insert(value).unwrap()).collect();
    assert!(keys.iter().all(|&key| !slab.contains(key)));
    slab.clear();
    assert!(fresh.iter().all(|&key| !slab.contains(key)));
}

#[test]
fn it_is_printed_as_a_map_of_its_values() {
    let mut slab: Slab<&str> = Slab::with_capacity(3);
    let [a, b] = ["a", "b"].map(|value| slab.insert(value).unwrap());
    assert_eq!(format!("{slab:?}"), format!("{{{a:?}: \"a\", {b:?}: \"b\"}}"));
    let entry = slab.vacant_entry().unwrap();
    assert_eq!(format!("{entry:?}"), format!("VacantEntry({:?})", entry.key()));
}

#[test]
fn values_are_dropped_once_even_if_one_of_them_panics() {
    struct Bomb {
        armed: bool,
        _alive: Rc<()>,
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.armed, "bomb");
        }
    }
    let alive = Rc::new(());
    let mut slab: Slab<Bomb> = Slab::with_capacity(4);
    for index in 0..4 {
        assert!(slab.insert(Bomb { armed: index == 1, _alive: alive.clone() }).is_ok());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| slab.clear())).is_err());
    assert_eq!(slab.iter().count(), slab.len());
    slab.clear();
    assert_eq!((slab.len(), Rc::strong_count(&alive)), (0, 1));
    assert!((0..4).all(|_| slab.insert(Bomb { armed: false, _alive: alive.clone() }).is_ok()));
    drop(slab);
    assert_eq!(Rc::strong_count(&alive), 1);
}
