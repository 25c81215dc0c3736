//! `Token`: the 64 bits that a source is registered under and that come back with its events.

use crate::interest::{Interest, Trigger};

/// The 64 bits that a source is registered under and that come back with each of its events.
///
/// A plain `u64` is a token: all its bits are the caller's, and it stands for both directions, edge
/// triggered. A token type of its own can carry narrower defaults.
///
/// The event loop keeps the values from [`RESERVED`] up for itself and refuses them with
/// [`InvalidInput`](std::io::ErrorKind::InvalidInput); a bare [`Selector`](crate::Selector) keeps none.
pub trait Token: Copy {
    /// The bits.
    fn bits(self) -> u64;

    /// What [`register`](crate::EventLoop::register) asks for under this token.
    #[inline]
    fn interest(self) -> Interest {
        Interest::READABLE.union(Interest::WRITABLE)
    }

    /// How [`register`](crate::EventLoop::register) triggers under this token.
    #[inline]
    fn trigger(self) -> Trigger {
        Trigger::Edge
    }
}

impl Token for u64 {
    #[inline]
    fn bits(self) -> u64 {
        self
    }
}

/// The scope of an event loop that takes any token.
#[derive(Clone, Copy, Debug)]
pub enum Any {}

/// Tokens that an event loop of scope `S` takes.
pub trait In<S>: Token {}

impl<T: Token> In<Any> for T {}

impl<T: Token> In<T> for T {}

/// The first of the token values that an event loop keeps for itself: the last 65,536 of the 2⁶⁴.
pub const RESERVED: u64 = u64::MAX - 0xFFFF;

/// The wake-up of the loop.
pub(crate) const WAKE: u64 = u64::MAX;

/// The first token of watched children; child `i` has this plus `i`.
pub(crate) const CHILDREN: u64 = RESERVED;

/// How many children a loop can watch at most: what lies between [`CHILDREN`] and [`WAKE`].
pub(crate) const CHILDREN_MAX: usize = 0xFF00;
