//! [`TokenField`]: what can be carried in a token.

use crate::slab::Key;

/// A value that fits into some bits of a token: the payload of a source.
///
/// Implemented for integers of up to 64 bits, `bool`, `char`, [`Key`], `()` and tuples of these, of
/// which the first is lowest. `#[derive(TokenField)]` implements it for an enum without fields,
/// `#[derive(Handler)]` for an enum of sources.
///
/// An implementation of your own has to keep two promises, or its tokens collide with others: `pack`
/// answers less than 2 to the power of `BITS`, and `unpack` answers `Some` of the value that `pack`
/// was given for what `pack` answered, and `None` for all other integers.
///
/// ```
/// use mio_core::TokenField;
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// struct Percent(u8);
///
/// impl TokenField for Percent {
///     const BITS: u32 = 7;
///
///     fn pack(self) -> u64 {
///         self.0.into()
///     }
///
///     fn unpack(bits: u64) -> Option<Self> {
///         (bits <= 100).then_some(Percent(bits as u8))
///     }
/// }
///
/// assert_eq!(Percent::unpack(Percent(42).pack()), Some(Percent(42)));
/// assert_eq!(<(bool, Percent)>::unpack(101 << 1), None);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be carried in a token",
    label = "not a `TokenField`",
    note = "integers, `bool`, `char`, `Key` and tuples of them can; \
            an enum without fields can with `#[derive(TokenField)]`"
)]
pub trait TokenField: Sized {
    /// The number of bits that it takes.
    const BITS: u32;

    /// The value as an integer of at most [`BITS`](TokenField::BITS) bits.
    fn pack(self) -> u64;

    /// The value that [`pack`](TokenField::pack) made this integer of, or `None` if it made it of none.
    fn unpack(bits: u64) -> Option<Self>;

    /// This in the low bits, and `rest` above it.
    #[doc(hidden)]
    #[inline]
    fn join(self, rest: u64) -> u64 {
        let above = if Self::BITS < 64 { rest << Self::BITS } else { 0 };
        self.pack() | above
    }

    /// Undoes [`join`](TokenField::join): what is in the low bits, and what is above it.
    #[doc(hidden)]
    #[inline]
    fn split(bits: u64) -> Option<(Self, u64)> {
        let (own, rest) = if Self::BITS < 64 {
            (bits & ((1 << Self::BITS) - 1), bits >> Self::BITS)
        } else {
            (bits, 0)
        };
        Self::unpack(own).map(|field| (field, rest))
    }
}

macro_rules! unsigned {
    ($($integer:ty)*) => {$(
        impl TokenField for $integer {
            const BITS: u32 = <$integer>::BITS;

            #[inline]
            fn pack(self) -> u64 {
                self.into()
            }

            #[inline]
            fn unpack(bits: u64) -> Option<Self> {
                bits.try_into().ok()
            }
        }
    )*};
}

unsigned! { u8 u16 u32 u64 }

macro_rules! signed {
    ($($integer:ty as $unsigned:ty,)*) => {$(
        impl TokenField for $integer {
            const BITS: u32 = <$integer>::BITS;

            #[inline]
            fn pack(self) -> u64 {
                (self as $unsigned).into()
            }

            #[inline]
            fn unpack(bits: u64) -> Option<Self> {
                <$unsigned>::try_from(bits).ok().map(|bits| bits as $integer)
            }
        }
    )*};
}

signed! { i8 as u8, i16 as u16, i32 as u32, i64 as u64, }

impl TokenField for bool {
    const BITS: u32 = 1;

    #[inline]
    fn pack(self) -> u64 {
        self.into()
    }

    #[inline]
    fn unpack(bits: u64) -> Option<bool> {
        if bits <= 1 { Some(bits == 1) } else { None }
    }
}

impl TokenField for char {
    const BITS: u32 = 21;

    #[inline]
    fn pack(self) -> u64 {
        self.into()
    }

    #[inline]
    fn unpack(bits: u64) -> Option<char> {
        u32::try_from(bits).ok().and_then(char::from_u32)
    }
}

impl<const INDEX: u32, const GENERATION: u32> TokenField for Key<INDEX, GENERATION> {
    const BITS: u32 = Self::BITS;

    #[inline]
    fn pack(self) -> u64 {
        self.to_bits()
    }

    #[inline]
    fn unpack(bits: u64) -> Option<Self> {
        Key::from_bits(bits)
    }
}

impl TokenField for () {
    const BITS: u32 = 0;

    #[inline]
    fn pack(self) -> u64 {
        0
    }

    #[inline]
    fn unpack(bits: u64) -> Option<()> {
        if bits == 0 { Some(()) } else { None }
    }
}

macro_rules! tuples {
    ($last:ident $last_value:ident $($field:ident $value:ident)*) => {
        tuples! { @from_the_first [] $last $last_value $($field $value)* }
    };
    (@from_the_first [$($done:ident $done_value:ident)*]) => {};
    (@from_the_first [$($done:ident $done_value:ident)*]
        $next:ident $next_value:ident $($rest:ident $rest_value:ident)*) => {
        impl<$($done: TokenField,)* $next: TokenField> TokenField for ($($done,)* $next,) {
            const BITS: u32 = 0 $(+ $done::BITS)* + $next::BITS;

            #[inline]
            fn pack(self) -> u64 {
                const { assert!(Self::BITS <= 64, "a tuple takes more than 64 bits") };
                let ($($done_value,)* $next_value,) = self;
                // From the last to the first, each below what is there.
                tuples! { @pack [] $($done $done_value)* $next $next_value }
            }

            #[inline]
            fn unpack(bits: u64) -> Option<Self> {
                $(let ($done_value, bits) = $done::split(bits)?;)*
                let $next_value = $next::unpack(bits)?;
                Some(($($done_value,)* $next_value,))
            }
        }

        tuples! { @from_the_first [$($done $done_value)* $next $next_value]
            $($rest $rest_value)* }
    };
    (@pack [] $field:ident $value:ident) => { $value.pack() };
    (@pack [] $field:ident $value:ident $($rest:ident $rest_value:ident)+) => {
        $value.join(tuples! { @pack [] $($rest $rest_value)+ })
    };
}

tuples! { A a B b C c D d E e F f G g H h }

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn survives<T: TokenField + Copy + Debug + PartialEq>(values: impl IntoIterator<Item = T>) {
        for value in values {
            let bits = value.pack();
            assert!(T::BITS == 64 || bits >> T::BITS == 0, "{value:?}");
            assert_eq!(T::unpack(bits), Some(value));
            if T::BITS < 64 {
                assert_eq!(T::unpack(bits | 1 << T::BITS), None, "{value:?}");
                assert_eq!(T::unpack(bits | 1 << 63), None, "{value:?}");
            }
        }
    }

    #[test]
    fn every_value_survives_and_nothing_else_is_one() {
        survives([0, 1, u8::MAX]);
        survives([0, u16::MAX]);
        survives([0, u32::MAX]);
        survives([0, u64::MAX]);
        survives([i8::MIN, -1, 0, i8::MAX]);
        survives([i16::MIN, -1, 0, i16::MAX]);
        survives([i32::MIN, -1, 0, i32::MAX]);
        survives([i64::MIN, -1, 0, i64::MAX]);
        survives([false, true]);
        survives(['\0', 'é', char::MAX]);
        survives([()]);
        survives([0, 1, (1 << 48) - 1].map(|bits| <Key>::from_bits(bits).unwrap()));
        assert_eq!(char::unpack(0xD800), None, "a surrogate");
        assert_eq!(char::unpack(0x11_0000), None, "beyond Unicode");
    }

    #[test]
    fn tuples_put_the_first_lowest() {
        assert_eq!((1_u8, 2_u8).pack(), 0x0201);
        assert_eq!((true, 'a', -1_i8).pack(), 1 | 0x61 << 1 | 0xFF << 22);
        survives([(true, 'a', -1_i8), (false, char::MAX, 0)]);
        survives([(u64::MAX, ()), (7, ())]);
        survives([((), u64::MAX)]);
        survives([(1_u8, 2_u8, 3_u8, 4_u8, 5_u8, 6_u8, 7_u8, 8_u8)]);
        survives([((1_u8, (2_u16,)), true)]);
        assert_eq!(<(char, bool)>::unpack(0x11_0000), None);
    }
}
