//! [`Space`]: the tokens of a component, as its parent knows them.

use super::{Any, SourceKind, Token, TokenField, TokenRow};

/// The tokens of a nested component: an enum of sources, or [`Any`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name the sources of a component",
    label = "not an enum of sources",
    note = "write the enum that derives `Handler`, or `mio_core::Any` for a handler written by hand"
)]
pub trait Space: Copy {
    /// How many bits the parent has to leave at least.
    const BITS: u32;

    /// What they look like.
    const TABLE: &'static [TokenRow];

    /// The bits in the component's own scope.
    fn to_bits(self) -> u64;

    /// Undoes [`to_bits`](Space::to_bits).
    fn from_bits(bits: u64) -> Option<Self>;

    /// What kind of source it names.
    fn source_kind(self) -> SourceKind;

    /// The bits above `shift` bits of its parent's. What does not fit becomes all ones, which every
    /// event loop refuses.
    #[inline]
    fn raise(self, shift: u32) -> u64 {
        let bits = self.to_bits();
        match bits.checked_shl(shift) {
            Some(above) if above >> shift == bits => above,
            _ if bits == 0 => 0,
            _ => u64::MAX,
        }
    }
}

impl<T: Token + TokenField> Space for T {
    const BITS: u32 = <T as TokenField>::BITS;
    const TABLE: &'static [TokenRow] = <T as Token>::TABLE;

    #[inline]
    fn to_bits(self) -> u64 {
        self.pack()
    }

    #[inline]
    fn from_bits(bits: u64) -> Option<T> {
        T::unpack(bits)
    }

    #[inline]
    fn source_kind(self) -> SourceKind {
        self.kind()
    }
}

impl Space for Any {
    /// As many as are left.
    const BITS: u32 = 0;
    /// Nobody knows what a raw handler's tokens look like.
    const TABLE: &'static [TokenRow] = &[];

    #[inline]
    fn to_bits(self) -> u64 {
        self.0
    }

    #[inline]
    fn from_bits(bits: u64) -> Option<Any> {
        Some(Any(bits))
    }

    #[inline]
    fn source_kind(self) -> SourceKind {
        SourceKind::Any
    }
}

/// The source of an error that a component did not deal with.
#[cold]
#[inline(never)]
pub fn source_of<T: TokenField>(token: u64) -> Option<T> {
    T::unpack(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::RESERVED;

    #[test]
    fn what_does_not_fit_above_its_parents_bits_becomes_a_token_that_is_refused() {
        assert_eq!(Any(5).raise(8), 5 << 8);
        assert_eq!(Any(0).raise(64), 0);
        for (bits, shift) in [(1, 64), (2, 63), (u64::MAX, 1)] {
            assert!(Any(bits).raise(shift) >= RESERVED);
        }
    }
}
