//! [`Token`]: the 64 bits that a source is registered under and that come back with its events; and
//! [`Scope`], by which a component has tokens of its own inside those of its parent.

use std::{fmt, marker::PhantomData};

use crate::{
    interest::{Interest, Trigger},
    signal::SignalSet,
};

pub use self::{
    field::TokenField,
    table::{Described, TokenColumn, TokenRow, describe},
};

mod field;
mod layout;
mod space;
mod table;

/// What derived code needs besides.
pub(crate) mod private {
    pub use super::{
        layout::{Sum, greatest},
        scope,
        space::{Space, source_of},
    };
}

/// The 64 bits that a source is registered under and that come back with each of its events.
///
/// A plain `u64` is a token: all its bits are the caller's, it may name any kind of source, and for
/// I/O it stands for both directions, edge triggered. `#[derive(Handler)]` makes a token of an enum
/// of sources, each of its own kind.
///
/// The event loop keeps the values from [`RESERVED`] up for itself and refuses them with
/// [`InvalidInput`](std::io::ErrorKind::InvalidInput); a bare [`Selector`](crate::Selector) keeps none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a token",
    note = "a token is a `u64`, or an enum of sources that derives `Handler`"
)]
pub trait Token: Copy {
    /// The bits.
    fn bits(self) -> u64;

    /// What kind of source this token names.
    #[inline]
    fn kind(self) -> SourceKind {
        SourceKind::Any
    }

    /// What such tokens look like, as far as that is known.
    #[doc(hidden)]
    const TABLE: &'static [TokenRow] = &[];
}

impl Token for u64 {
    #[inline]
    fn bits(self) -> u64 {
        self
    }
}

/// What kind of source a token names. An event loop takes it for no other: what is not meant for it is
/// [`InvalidInput`](std::io::ErrorKind::InvalidInput) at the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceKind {
    /// Any kind, as a plain `u64`.
    Any,
    /// I/O, registered with this interest and trigger unless a part of the interest or another
    /// trigger is asked for.
    Io(Interest, Trigger),
    /// Timers.
    Timer,
    /// These signals, or some of them.
    Signals(SignalSet),
    /// The exits of children.
    Child,
}

impl SourceKind {
    /// What a source is registered with under such a token.
    #[inline]
    pub(crate) const fn registration(self) -> (Interest, Trigger) {
        match self {
            SourceKind::Io(interest, trigger) => (interest, trigger),
            _ => (Interest::READABLE.union(Interest::WRITABLE), Trigger::Edge),
        }
    }

    #[inline]
    pub(crate) const fn is_io(self) -> bool {
        matches!(self, SourceKind::Any | SourceKind::Io(..))
    }

    /// Whether somebody handles what `interest` asks for.
    #[inline]
    pub(crate) const fn takes(self, interest: Interest) -> bool {
        match self {
            SourceKind::Any => true,
            SourceKind::Io(declared, _) => declared.contains(interest),
            _ => false,
        }
    }

    #[inline]
    pub(crate) const fn is_timer(self) -> bool {
        matches!(self, SourceKind::Any | SourceKind::Timer)
    }

    #[inline]
    pub(crate) const fn is_child(self) -> bool {
        matches!(self, SourceKind::Any | SourceKind::Child)
    }

    #[inline]
    pub(crate) const fn takes_signals(self, set: SignalSet) -> bool {
        match self {
            SourceKind::Any => true,
            SourceKind::Signals(declared) => set.difference(declared).is_empty(),
            _ => false,
        }
    }
}

/// The scope of an event loop that takes any token.
///
/// A value stands for a token of a raw [`Handler`](crate::Handler) that is nested in a derived one:
/// `#[nested(metrics)] Metrics(Any)`. It has as many bits as the parent leaves, which is checked when
/// it is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Any(pub u64);

/// Tokens that an event loop of scope `S` takes: all if `S` is [`Any`], else those of type `S`.
#[diagnostic::on_unimplemented(
    message = "an event loop of scope `{S}` does not take `{Self}`",
    label = "not a token of this scope",
    note = "a handler registers under its own tokens; for a component's there is `event_loop.nested(…)`"
)]
pub trait In<S>: Token {}

impl<T: Token> In<Any> for T {}

impl<T: Token> In<T> for T {}

/// The place of a component's tokens, of type `C`, among its parent's, of type `P`.
///
/// `#[derive(Handler)]` makes one for each nested component. A parent that is written by hand makes its
/// own, with `P` = `u64`, and [`Any`] for a component that is written by hand.
///
/// ```
/// use mio_core::{Any, Scope};
///
/// /// The component's token 5 is 5 << 8 | 3 to the parent.
/// const METRICS: Scope<u64, Any> = Scope::new(8, 3);
/// ```
pub struct Scope<P, C> {
    shift: u32,
    prefix: u64,
    tokens: PhantomData<fn(P) -> C>,
}

impl<P, C> Scope<P, C> {
    /// The component's tokens stand `shift` bits higher in the parent's, above `prefix`.
    ///
    /// # Panics
    ///
    /// If `shift` is more than 63 or `prefix` has more than `shift` bits.
    #[inline]
    #[must_use]
    pub const fn new(shift: u32, prefix: u64) -> Scope<P, C> {
        assert!(shift < 64, "a scope is shifted by less than 64 bits");
        assert!(prefix >> shift == 0, "the prefix of a scope fits below its tokens");
        Scope { shift, prefix, tokens: PhantomData }
    }
}

impl<P, C> Scope<P, C> {
    /// The component's own bits of a token of its parent's.
    #[inline]
    pub(crate) const fn own(self, token: u64) -> u64 {
        token >> self.shift
    }

    /// The same place, whatever the types.
    #[inline]
    pub(crate) const fn of_any(self) -> Scope<Any, Any> {
        scope(self.shift, self.prefix)
    }

    #[inline]
    pub(crate) const fn prefix(self) -> u64 {
        self.prefix
    }

    /// What it adds to [`Scoping::level`].
    #[inline]
    const fn step(self) -> u32 {
        Scoping::ONE_DEEPER | self.shift
    }
}

/// A [`Scope`] whose parts are known to fit.
#[inline]
pub const fn scope<P, C>(shift: u32, prefix: u64) -> Scope<P, C> {
    Scope { shift, prefix, tokens: PhantomData }
}

impl<P, C> Clone for Scope<P, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, C> Copy for Scope<P, C> {}

impl<P, C> fmt::Debug for Scope<P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("shift", &self.shift).field("prefix", &self.prefix).finish()
    }
}

/// The scopes, one in the other, that a loop is in now.
///
/// Entering and leaving one is in the path of each event of a component, so it is a few instructions.
/// Nothing has to be kept for leaving: going in changes only those bits of the path that are
/// not the outer scope's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scoping {
    /// In the low half by how many bits tokens are shifted, above it how many scopes there are, and in
    /// the highest bit whether one of them failed. Zero at the root.
    level: u32,
    /// As many of its low bits as tokens are shifted by are the prefix of all tokens; those above mean
    /// nothing.
    path: u64,
}

impl Scoping {
    const SHIFT: u32 = 0xFFFF;
    const ONE_DEEPER: u32 = Scoping::SHIFT + 1;
    const DEPTH: u32 = Scoping::FAILED - Scoping::ONE_DEEPER;
    const FAILED: u32 = 1 << 31;

    pub(crate) const ROOT: Scoping = Scoping { level: 0, path: 0 };

    #[inline]
    pub(crate) const fn is_root(self) -> bool {
        self.level == 0
    }

    /// Enters `scope`, in which `token` of the outer scope is. Answers what leaving it needs.
    #[inline]
    pub(crate) const fn enter<P, C>(&mut self, scope: Scope<P, C>, token: u64) -> Outer {
        let outer = self.level;
        if outer == 0 {
            self.level = scope.step();
            self.path = token;
        } else {
            self.enter_deeper(scope.step(), token);
        }
        Outer(outer)
    }

    #[inline(never)]
    const fn enter_deeper(&mut self, step: u32, token: u64) {
        if let Some(above) = token.checked_shl(self.shift()) {
            self.path = above | self.prefix();
        }
        // Each number as far as there is room for it; too many bits they are long before.
        let (depth, shift) = (step & Scoping::DEPTH, step & Scoping::SHIFT);
        self.level += if self.level & Scoping::DEPTH == Scoping::DEPTH { 0 } else { depth };
        self.level += if shift > Scoping::SHIFT - self.shift() { 0 } else { shift };
    }

    /// Leaves `scope`, which was entered last. Answers whether the outer one is the root and nothing
    /// failed; if not, [`leave_with_care`](Scoping::leave_with_care) has to be called.
    #[inline]
    pub(crate) const fn leave<P, C>(&mut self, scope: Scope<P, C>) -> bool {
        self.level = self.level.wrapping_sub(scope.step());
        self.level == 0
    }

    /// Goes on after [`leave`](Scoping::leave). `failed` is the depth of the failure that nobody took yet.
    pub(crate) const fn leave_with_care<P, C>(
        &mut self,
        scope: Scope<P, C>,
        outer: Outer,
        failed: Option<u32>,
    ) -> Left {
        if self.level.wrapping_add(scope.step()) == 0 {
            *self = Scoping::ROOT;
            return Left::Another;
        }
        // Whatever scopes there were within, nobody leaves them any more.
        self.level = outer.0;
        match failed {
            Some(depth) if depth > self.depth() => Left::Failed,
            _ => Left::Well,
        }
    }

    pub(crate) const fn fail(&mut self) {
        self.level |= Scoping::FAILED;
    }

    pub(crate) const fn depth(self) -> u32 {
        (self.level & Scoping::DEPTH) / Scoping::ONE_DEEPER
    }

    /// What the kernel and the root handler get to see of a token of the innermost scope; `None` if
    /// it has too many bits or is reserved.
    #[inline]
    pub(crate) const fn bits(self, own: u64) -> Option<u64> {
        let shift = self.shift();
        if shift > 63 {
            return None;
        }
        let bits = own << shift | self.prefix();
        if bits < RESERVED && bits >> shift == own { Some(bits) } else { None }
    }

    const fn shift(self) -> u32 {
        self.level & Scoping::SHIFT
    }

    const fn prefix(self) -> u64 {
        match 1_u64.checked_shl(self.shift()) {
            Some(above) => self.path & (above - 1),
            None => self.path,
        }
    }
}

/// The [`Scoping`] outside of one that was entered, as far as it has to be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outer(u32);

/// How a scope was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// As it was entered, and the outer one is no root.
    Well,
    /// With a failure, which is to be taken here.
    Failed,
    /// By another loop, put in the place of the one that was entered: it is at its root.
    Another,
}

/// The first of the token values that an event loop keeps for itself: the last 65,536 of the 2⁶⁴.
pub const RESERVED: u64 = u64::MAX - 0xFFFF;

/// The wake-up of the loop.
pub(crate) const WAKE: u64 = u64::MAX;

/// The first token of watched children; child `i` has this plus `i`.
pub(crate) const CHILDREN: u64 = RESERVED;

/// How many children a loop can watch at most: what lies between [`CHILDREN`] and [`WAKE`].
pub(crate) const CHILDREN_MAX: usize = 0xFF00;

#[cfg(test)]
mod tests {
    use super::*;

    type Raw = Scope<u64, Any>;

    fn entered(scopes: &[Raw]) -> Scoping {
        let mut scoping = Scoping::ROOT;
        for &scope in scopes {
            scoping.enter(scope, scope.prefix | 0x5A5A << scope.shift);
        }
        scoping
    }

    /// Leaves `scope` and answers how.
    fn leave(scoping: &mut Scoping, scope: Raw, outer: Outer, failed: Option<u32>) -> Left {
        if scoping.leave(scope) {
            Left::Well
        } else {
            scoping.leave_with_care(scope, outer, failed)
        }
    }

    #[test]
    fn scopes_in_scopes_stack_their_bits() {
        let (first, second) = (Raw::new(3, 0b101), Raw::new(4, 0b1001));
        let mut scoping = Scoping::ROOT;
        let root = scoping.enter(first, first.prefix);
        for _ in 0..2 {
            let outer = scoping.enter(second, second.prefix);
            assert_eq!(scoping.depth(), 2);
            assert_eq!(scoping.bits(7), Some((7 << 4 | 0b1001) << 3 | 0b101));
            assert_eq!(leave(&mut scoping, second, outer, None), Left::Well);
            assert_eq!((scoping.depth(), scoping.bits(7)), (1, Some(7 << 3 | 0b101)));
        }
        assert_eq!(leave(&mut scoping, first, root, None), Left::Well);
        assert_eq!((scoping.depth(), scoping.bits(7)), (0, Some(7)));
    }

    #[test]
    fn a_failure_is_taken_where_it_left_its_scope() {
        let scope = Raw::new(3, 0b101);
        let mut scoping = Scoping::ROOT;
        let [root, first, second] = [(); 3].map(|()| scoping.enter(scope, scope.prefix));
        scoping.fail();
        assert_eq!(scoping.depth(), 3);
        assert_eq!(leave(&mut scoping, scope, second, Some(3)), Left::Failed);
        assert_eq!(leave(&mut scoping, scope, first, None), Left::Well);
        scoping.fail();
        let outer = scoping.enter(scope, 0);
        assert_eq!(leave(&mut scoping, scope, outer, Some(1)), Left::Well, "it is the outer one's");
        assert_eq!(leave(&mut scoping, scope, root, Some(1)), Left::Failed);
        assert_eq!(scoping, Scoping { level: 0, ..scoping });
    }

    #[test]
    fn leaving_a_scope_that_was_not_entered_leaves_the_root() {
        let scope = Raw::new(3, 0);
        let mut entered = Scoping::ROOT;
        let [root, outer] = [(); 2].map(|()| entered.enter(scope, 0));
        for outer in [root, outer] {
            let mut scoping = Scoping::ROOT;
            assert_eq!(leave(&mut scoping, scope, outer, None), Left::Another);
            assert_eq!(scoping, Scoping::ROOT);
        }
    }

    #[test]
    fn scopes_that_nobody_leaves_end_with_the_one_around_them_however_many_they_are() {
        for forgotten in [Raw::new(0, 0), Raw::new(3, 0b101), Raw::new(63, 1)] {
            let around = Raw::new(8, 7);
            let mut scoping = Scoping::ROOT;
            let root = scoping.enter(around, around.prefix);
            for around in [around, around] {
                let outer = scoping.enter(around, around.prefix);
                let before = scoping;
                for _ in 0..100_000 {
                    scoping.enter(forgotten, forgotten.prefix);
                    let depth = scoping.depth();
                    assert!((3..1 << 15).contains(&depth), "it neither wraps nor fails");
                    let fits = forgotten.shift as usize * (depth as usize - 2) + 16 < 64;
                    assert_eq!(scoping.bits(0).is_some(), fits, "no token has another's place");
                }
                assert!(scoping.depth() > before.depth() + 1_000);
                assert_eq!(leave(&mut scoping, around, outer, None), Left::Well);
                assert_eq!(scoping.bits(9), Some(9 << 8 | 7));
            }
            assert_eq!(leave(&mut scoping, around, root, None), Left::Well);
            assert!(scoping.is_root());
        }
    }

    #[test]
    fn a_token_with_too_many_bits_or_a_reserved_one_is_refused() {
        let (one, rest, all) = (Raw::new(8, 1), Raw::new(56, 0), Raw::new(63, 0));
        let scoping = entered(&[one]);
        assert_eq!(scoping.bits(1 << 56), None);
        assert_eq!(scoping.bits(RESERVED >> 8), None);
        assert_eq!(scoping.bits((RESERVED >> 8) - 1), Some(RESERVED - 0xFF));
        assert_eq!(Scoping::ROOT.bits(RESERVED), None);
        assert_eq!(entered(&[one, rest]).bits(0), None);
        assert_eq!(entered(&[all]).bits(1), Some(1 << 63));
        assert_eq!(entered(&[all]).bits(2), None);
        let mut scoping = entered(&[one]);
        let outers = [(); 3].map(|()| scoping.enter(all, 0));
        assert_eq!(scoping.bits(0), None);
        for outer in outers.into_iter().rev() {
            assert_eq!(leave(&mut scoping, all, outer, None), Left::Well);
        }
        assert_eq!(scoping.bits(3), Some(3 << 8 | 1));
    }

    #[test]
    #[should_panic(expected = "less than 64 bits")]
    fn a_shift_by_all_bits_panics() {
        let _ = Raw::new(64, 0);
    }

    #[test]
    #[should_panic(expected = "fits below")]
    fn a_prefix_that_reaches_into_the_tokens_panics() {
        let _ = Raw::new(2, 4);
    }
}
