//! The name of a value in a slab.

use std::fmt;

/// Names a value in a [`Slab`](super::Slab): where it is, and which of that slot's successive tenants
/// it is.
///
/// The index is in the low `INDEX` bits, the generation in the `GENERATION` bits above it, and all
/// higher bits are zero, so that a key is at most `2^BITS - 1` and leaves the rest of a 64-bit token
/// to the caller. Each width must be from 1 to 32; any other does not compile:
///
/// ```compile_fail
/// # use mio_core::Key;
/// let key = Key::<24, 33>::from_bits(0);
/// ```
///
/// Keys are ordered by their bits, which is not the order of insertion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<const INDEX: u32 = 24, const GENERATION: u32 = 24>(u64);

impl<const INDEX: u32, const GENERATION: u32> Key<INDEX, GENERATION> {
    /// The number of bits that a key takes, from the lowest: `INDEX + GENERATION`.
    pub const BITS: u32 = {
        assert!(INDEX >= 1 && INDEX <= 32, "the index of a Key takes from 1 to 32 bits");
        assert!(GENERATION >= 1 && GENERATION <= 32, "a generation takes from 1 to 32 bits");
        INDEX + GENERATION
    };

    const MASK: u64 = u64::MAX >> (64 - Self::BITS);
    pub(super) const INDEX_MASK: u64 = Self::MASK >> GENERATION;
    pub(super) const GENERATION_MASK: u32 = (Self::MASK >> INDEX) as u32;

    pub(super) const fn new(index: usize, generation: u32) -> Self {
        Key((generation as u64) << INDEX | index as u64)
    }

    /// The key as an integer, for a token.
    #[inline]
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The key that [`to_bits`](Self::to_bits) made this integer of, or `None` if it has a bit set
    /// above [`BITS`](Self::BITS), which no key has.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits & !Self::MASK == 0 { Some(Key(bits)) } else { None }
    }

    /// The key in the low [`BITS`](Self::BITS) bits; those above are ignored.
    #[inline]
    #[must_use]
    pub const fn from_bits_truncate(bits: u64) -> Self {
        Key(bits & Self::MASK)
    }

    /// A token with a tag of `WIDTH` bits below the key: `key << WIDTH | tag`.
    ///
    /// The tag tells apart the sources that share one value, such as the two sides of a proxied
    /// connection, or the kinds of sources of a handler. A width that does not fit into 64 bits with
    /// the key does not compile.
    ///
    /// ```
    /// # use mio_core::{Key, Slab};
    /// # let mut pairs: Slab<()> = Slab::with_capacity(1);
    /// let key = pairs.insert(()).unwrap();
    /// let [client, server] = [key.tagged::<1>(0), key.tagged::<1>(1)];
    /// assert_ne!(client, server);
    /// assert_eq!(Key::from_tagged::<1>(server), Some((key, 1)));
    /// ```
    ///
    /// # Panics
    ///
    /// If the tag does not fit into `WIDTH` bits.
    #[inline]
    #[must_use]
    pub const fn tagged<const WIDTH: u32>(self, tag: u64) -> u64 {
        const { assert!(Self::BITS + WIDTH <= 64, "key and tag do not fit into 64 bits") };
        assert!(tag >> WIDTH == 0, "the tag is wider than it was declared");
        self.0 << WIDTH | tag
    }

    /// The key and the tag of a token made by [`tagged`](Self::tagged) with the same width, or `None`
    /// if the token has a bit set above those.
    #[inline]
    #[must_use]
    pub const fn from_tagged<const WIDTH: u32>(token: u64) -> Option<(Self, u64)> {
        const { assert!(Self::BITS + WIDTH <= 64, "key and tag do not fit into 64 bits") };
        match Self::from_bits(token >> WIDTH) {
            Some(key) => Some((key, token & ((1 << WIDTH) - 1))),
            None => None,
        }
    }

    /// The position in the slab: smaller than its capacity, so that it may also index a table of the
    /// user's beside it.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        (self.0 & Self::INDEX_MASK) as usize
    }

    /// How many values this slot held before, modulo `2^GENERATION`.
    #[inline]
    #[must_use]
    pub const fn generation(self) -> u32 {
        (self.0 >> INDEX) as u32
    }
}

impl<const INDEX: u32, const GENERATION: u32> From<Key<INDEX, GENERATION>> for u64 {
    #[inline]
    fn from(key: Key<INDEX, GENERATION>) -> u64 {
        key.to_bits()
    }
}

impl<const INDEX: u32, const GENERATION: u32> fmt::Debug for Key<INDEX, GENERATION> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("index", &self.index())
            .field("generation", &self.generation())
            .finish()
    }
}

/// Neither width is zero, nor more than 32, and a tag fits beside the key.
///
/// ```compile_fail
/// mio_core::Key::<0, 24>::from_bits(0);
/// ```
/// ```compile_fail
/// mio_core::Key::<33, 24>::from_bits(0);
/// ```
/// ```compile_fail
/// mio_core::Key::<24, 0>::from_bits(0);
/// ```
/// ```compile_fail
/// mio_core::Key::<24, 24>::from_tagged::<17>(0);
/// ```
/// ```compile_fail
/// mio_core::Key::<24, 24>::from_bits(0).unwrap().tagged::<17>(0);
/// ```
/// ```
/// mio_core::Key::<1, 32>::from_bits(0);
/// mio_core::Key::<32, 1>::from_bits(0);
/// mio_core::Key::<24, 24>::from_tagged::<16>(0);
/// mio_core::Key::<24, 24>::from_bits(0).unwrap().tagged::<16>(0);
/// ```
#[cfg(doctest)]
mod widths {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_way_through_a_token() {
        type Small = Key<4, 3>;
        assert_eq!(Small::BITS, 7);
        for bits in 0..128 {
            let key = Small::from_bits(bits).unwrap();
            assert_eq!((key.index() as u64, u64::from(key.generation())), (bits & 15, bits >> 4));
            assert_eq!((key.to_bits(), u64::from(key)), (bits, bits));
            assert_eq!(Small::from_bits_truncate(bits | 1 << 63), key);
            let token = key.tagged::<3>(5);
            assert_eq!(token, bits << 3 | 5);
            assert_eq!(Small::from_tagged::<3>(token), Some((key, 5)));
        }
        assert_eq!(Small::from_bits(128), None);
        assert_eq!(Small::from_tagged::<3>(128 << 3), None);
        assert_eq!(Key::<32, 32>::from_bits(u64::MAX).map(Key::to_bits), Some(u64::MAX));
        assert_eq!(Key::<32, 32>::from_tagged::<0>(u64::MAX).unwrap().1, 0);
        let key: Key = Key::new(3, 7);
        assert_eq!(format!("{key:?}"), "Key { index: 3, generation: 7 }");
    }

    #[test]
    #[should_panic(expected = "wider than it was declared")]
    fn a_tag_wider_than_declared_panics() {
        let _ = Key::<24, 24>::new(0, 0).tagged::<2>(4);
    }
}
