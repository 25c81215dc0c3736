//! A table of fixed capacity whose keys fit into a token and go stale.

use std::{fmt, mem};

use crate::Full;

pub use self::key::Key;

mod key;

/// While slots that were never used remain, fewer vacated slots than this are left to rest.
const REST: usize = 64;

/// A table of fixed capacity, whose [`Key`]s never find a value other than the one they were made for.
///
/// Within one batch of events a handler may close a connection whose own event comes later, and open
/// another in its place. With keys for tokens, the late event finds nothing:
///
/// ```
/// use mio_core::{Key, Slab};
///
/// let mut connections: Slab<&str> = Slab::with_capacity(1000);
/// let first = connections.insert("first").unwrap();
/// let token: u64 = first.into();
///
/// connections.remove(first);
/// let second = connections.insert("second").unwrap();
///
/// let stale = Key::from_bits(token).unwrap();
/// assert_eq!(connections.get(stale), None);
/// assert_eq!(connections.get(second), Some(&"second"));
/// ```
///
/// Inserting, finding and removing take constant time; whatever visits all values takes time in
/// proportion to the slots used so far.
///
/// # Memory
///
/// The memory is reserved when the slab is built, and nothing is allocated later. A slot takes the
/// size of a value and 8 bytes, rounded up to its alignment. Slots are first used in ascending order,
/// so that on systems which commit memory at the first touch the high ones cost nothing until then.
///
/// # Which slot comes next
///
/// Vacated slots are reused first in, first out, so that each rests as long as the others allow. While
/// fewer than 64 of them rest and unused slots remain, an unused slot is taken instead. The slots
/// touched are thus at most 63 more than the values ever present at once: enough that a server
/// with one connection at a time does not reuse the same slot for each, few enough to stay small.
///
/// # Wrap-around
///
/// A slot counts its tenants modulo `2^GENERATION`: a key kept over that many reuses of its slot would
/// find a value again, and a wrong one. While at least `v` slots are always vacant, that takes about
/// `min(v, 64) * 2^GENERATION` insertions or more. With the default widths and 64 slots to spare these
/// are a billion (a day at 10 000 a second); a table that is always full but for one slot gets there
/// after 16 million. Tokens die with their registration, long before. For keys that are kept elsewhere
/// for so long, take a wider generation.
pub struct Slab<T, const INDEX: u32 = 24, const GENERATION: u32 = 24> {
    slots: Vec<Slot<T>>,
    len: usize,
    capacity: usize,
    /// The ends of the list of vacated slots; without meaning while there are none.
    oldest: u32,
    newest: u32,
}

enum Slot<T> {
    /// `next` is the slot vacated after this one, without meaning in the newest.
    Vacant {
        generation: u32,
        next: u32,
    },
    Occupied {
        generation: u32,
        value: T,
    },
}

impl<T, const INDEX: u32, const GENERATION: u32> Slab<T, INDEX, GENERATION> {
    /// An empty slab for up to `capacity` values. A capacity of 0 is always full.
    ///
    /// # Panics
    ///
    /// If `capacity` is more than `2^INDEX`, or if the memory cannot be reserved.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let most = Key::<INDEX, GENERATION>::INDEX_MASK + 1;
        assert!(
            capacity as u64 <= most,
            "a Slab of {capacity} needs an index wider than {INDEX} bits"
        );
        let mut slots = Vec::new();
        if slots.try_reserve_exact(capacity).is_err() {
            panic!("there is no memory for a Slab of {capacity}");
        }
        Slab { slots, len: 0, capacity, oldest: 0, newest: 0 }
    }

    /// Puts a value into the slab.
    ///
    /// # Errors
    ///
    /// Gives the value back if the slab is full.
    #[inline]
    pub fn insert(&mut self, value: T) -> Result<Key<INDEX, GENERATION>, T> {
        match self.vacant_entry() {
            Ok(entry) => Ok(entry.insert(value)),
            Err(Full) => Err(value),
        }
    }

    /// Puts in a value that knows its own key.
    ///
    /// # Errors
    ///
    /// [`Full`] if the slab is full; then `value` is not called.
    #[inline]
    pub fn insert_with(
        &mut self,
        value: impl FnOnce(Key<INDEX, GENERATION>) -> T,
    ) -> Result<Key<INDEX, GENERATION>, Full> {
        let entry = self.vacant_entry()?;
        let value = value(entry.key());
        Ok(entry.insert(value))
    }

    /// The slot that the next value will go to, for a value that needs its key and whose making may
    /// fail. Dropping the entry leaves the slab as it was.
    ///
    /// # Errors
    ///
    /// [`Full`] if the slab is full. It converts into an [`io::Error`](std::io::Error).
    ///
    /// ```
    /// # use std::io;
    /// use mio_core::{Key, Slab};
    ///
    /// fn connect(token: u64) -> io::Result<String> {
    ///     Ok(format!("connection {token}"))
    /// }
    ///
    /// fn open(connections: &mut Slab<String>) -> io::Result<Key> {
    ///     let entry = connections.vacant_entry()?;
    ///     let connection = connect(entry.key().into())?;
    ///     Ok(entry.insert(connection))
    /// }
    ///
    /// let mut connections = Slab::with_capacity(1);
    /// let key = open(&mut connections)?;
    /// assert_eq!(connections.get(key).unwrap(), "connection 0");
    /// assert!(open(&mut connections).is_err());
    /// # io::Result::Ok(())
    /// ```
    #[inline]
    pub fn vacant_entry(&mut self) -> Result<VacantEntry<'_, T, INDEX, GENERATION>, Full> {
        let key = self.next_key().ok_or(Full)?;
        Ok(VacantEntry { slab: self, key })
    }

    /// The value of this key, or `None` if it was removed.
    #[inline]
    #[must_use]
    pub fn get(&self, key: Key<INDEX, GENERATION>) -> Option<&T> {
        match self.slots.get(key.index())? {
            Slot::Occupied { generation, value } if *generation == key.generation() => Some(value),
            _ => None,
        }
    }

    /// The value of this key, to be changed, or `None` if it was removed.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self, key: Key<INDEX, GENERATION>) -> Option<&mut T> {
        self.slots.get_mut(key.index())?.tenant(key)
    }

    /// The values of two keys at once, such as both sides of a proxied connection, or `None` if either
    /// was removed or both are the same.
    #[inline]
    #[must_use]
    pub fn get_pair_mut(
        &mut self,
        a: Key<INDEX, GENERATION>,
        b: Key<INDEX, GENERATION>,
    ) -> Option<(&mut T, &mut T)> {
        let (low, high) = if a.index() < b.index() { (a, b) } else { (b, a) };
        let (front, back) = self.slots.split_at_mut_checked(high.index())?;
        let low = front.get_mut(low.index())?.tenant(low)?;
        let high = back.first_mut()?.tenant(high)?;
        Some(if a.index() < b.index() { (low, high) } else { (high, low) })
    }

    /// Whether this key still has its value.
    #[inline]
    #[must_use]
    pub fn contains(&self, key: Key<INDEX, GENERATION>) -> bool {
        self.get(key).is_some()
    }

    /// Takes the value of this key out of the slab, or `None` if that has been done. From now on the
    /// key finds nothing.
    #[inline]
    pub fn remove(&mut self, key: Key<INDEX, GENERATION>) -> Option<T> {
        if !self.contains(key) {
            return None;
        }
        self.vacate(key.index()).map(|(_, value)| value)
    }

    /// The number of values present.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The number of values that the slab was built for.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether no value is present.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the next insertion will be refused.
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len == self.capacity
    }

    /// All values with their keys, by ascending index.
    pub fn iter(&self) -> impl Iterator<Item = (Key<INDEX, GENERATION>, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| match slot {
            Slot::Occupied { generation, value } => Some((Key::new(index, *generation), value)),
            Slot::Vacant { .. } => None,
        })
    }

    /// All values, to be changed, with their keys, by ascending index.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Key<INDEX, GENERATION>, &mut T)> {
        self.slots.iter_mut().enumerate().filter_map(|(index, slot)| match slot {
            Slot::Occupied { generation, value } => Some((Key::new(index, *generation), value)),
            Slot::Vacant { .. } => None,
        })
    }

    /// The key of the value at this [index](Key::index), if there is one: for those who know of indices alone.
    #[inline]
    #[must_use]
    pub fn key_at(&self, index: usize) -> Option<Key<INDEX, GENERATION>> {
        match self.slots.get(index)? {
            Slot::Occupied { generation, .. } => Some(Key::new(index, *generation)),
            Slot::Vacant { .. } => None,
        }
    }

    /// The keys of all values, by ascending index.
    pub fn keys(&self) -> impl Iterator<Item = Key<INDEX, GENERATION>> {
        self.iter().map(|(key, _)| key)
    }

    /// Takes all values out, by ascending index. Those that the iterator did not come to are dropped
    /// with it.
    pub fn drain(&mut self) -> impl Iterator<Item = (Key<INDEX, GENERATION>, T)> {
        Drain { slab: self, index: 0 }
    }

    /// Removes the values for which `keep` is false, by ascending index.
    pub fn retain(&mut self, mut keep: impl FnMut(Key<INDEX, GENERATION>, &mut T) -> bool) {
        for index in 0..self.slots.len() {
            let Slot::Occupied { generation, value } = &mut self.slots[index] else { continue };
            if !keep(Key::new(index, *generation), value) {
                self.vacate(index);
            }
        }
    }

    /// Removes all values. Their keys find nothing from now on.
    pub fn clear(&mut self) {
        drop(self.drain());
    }

    fn next_key(&self) -> Option<Key<INDEX, GENERATION>> {
        let used = self.slots.len();
        if used < self.capacity && used - self.len < REST {
            return Some(Key::new(used, 0));
        }
        // If no slot is vacant, then the oldest one neither.
        match self.slots.get(self.oldest as usize)? {
            Slot::Vacant { generation, .. } => Some(Key::new(self.oldest as usize, *generation)),
            Slot::Occupied { .. } => None,
        }
    }

    /// `key` is the next key.
    #[inline(always)]
    fn occupy(&mut self, key: Key<INDEX, GENERATION>, value: T) {
        let generation = key.generation();
        if key.index() == self.slots.len() {
            self.slots.push(Slot::Occupied { generation, value });
        } else {
            let slot = &mut self.slots[key.index()];
            if let Slot::Vacant { next, .. } = *slot {
                self.oldest = next;
                // Made where it stays, not beside it and then copied.
                *slot = Slot::Occupied { generation, value };
            }
        }
        self.len += 1;
    }

    /// The value is out and the slab in order before anybody can drop the value, which may panic.
    #[inline]
    fn vacate(&mut self, index: usize) -> Option<(Key<INDEX, GENERATION>, T)> {
        let vacated = self.slots.len() - self.len;
        let slot = self.slots.get_mut(index)?;
        let Slot::Occupied { generation, .. } = *slot else { return None };
        let following = generation.wrapping_add(1) & Key::<INDEX, GENERATION>::GENERATION_MASK;
        let vacant = Slot::Vacant { generation: following, next: 0 };
        let Slot::Occupied { value, .. } = mem::replace(slot, vacant) else { return None };
        if vacated == 0 {
            self.oldest = index as u32;
        } else if let Slot::Vacant { next, .. } = &mut self.slots[self.newest as usize] {
            *next = index as u32;
        }
        self.newest = index as u32;
        self.len -= 1;
        Some((Key::new(index, generation), value))
    }
}

impl<T> Slot<T> {
    #[inline]
    fn tenant<const INDEX: u32, const GENERATION: u32>(
        &mut self,
        key: Key<INDEX, GENERATION>,
    ) -> Option<&mut T> {
        match self {
            Slot::Occupied { generation, value } if *generation == key.generation() => Some(value),
            _ => None,
        }
    }
}

impl<T: fmt::Debug, const INDEX: u32, const GENERATION: u32> fmt::Debug
    for Slab<T, INDEX, GENERATION>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A vacant slot of a [`Slab`] and the key that its value will have: see
/// [`vacant_entry`](Slab::vacant_entry).
pub struct VacantEntry<'a, T, const INDEX: u32 = 24, const GENERATION: u32 = 24> {
    slab: &'a mut Slab<T, INDEX, GENERATION>,
    key: Key<INDEX, GENERATION>,
}

impl<T, const INDEX: u32, const GENERATION: u32> VacantEntry<'_, T, INDEX, GENERATION> {
    /// The key that the value will have.
    #[inline]
    #[must_use]
    pub fn key(&self) -> Key<INDEX, GENERATION> {
        self.key
    }

    /// Puts the value into the slot.
    #[inline]
    pub fn insert(self, value: T) -> Key<INDEX, GENERATION> {
        self.slab.occupy(self.key, value);
        self.key
    }
}

impl<T, const INDEX: u32, const GENERATION: u32> fmt::Debug
    for VacantEntry<'_, T, INDEX, GENERATION>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VacantEntry").field(&self.key).finish()
    }
}

struct Drain<'a, T, const INDEX: u32, const GENERATION: u32> {
    slab: &'a mut Slab<T, INDEX, GENERATION>,
    index: usize,
}

impl<T, const INDEX: u32, const GENERATION: u32> Iterator for Drain<'_, T, INDEX, GENERATION> {
    type Item = (Key<INDEX, GENERATION>, T);

    fn next(&mut self) -> Option<Self::Item> {
        while self.index < self.slab.slots.len() {
            self.index += 1;
            if let Some(taken) = self.slab.vacate(self.index - 1) {
                return Some(taken);
            }
        }
        None
    }
}

impl<T, const INDEX: u32, const GENERATION: u32> Drop for Drain<'_, T, INDEX, GENERATION> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
