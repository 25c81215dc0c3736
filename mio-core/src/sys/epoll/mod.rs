//! Linux: epoll(7).
//!
//! Epoll is the model that this crate follows, so there is little to bridge:
//!
//! - **A wait** is one system call. `epoll_wait` takes milliseconds and is the cheaper one;
//!   `epoll_pwait2` (Linux 5.11) takes nanoseconds and costs 120 ns more. The second is called only
//!   for a timeout that is no whole number of milliseconds and shorter than a second. From a second
//!   on, epoll's own slack is 0.1 % of the wait, a millisecond and more, so that rounding up to the
//!   next millisecond is lost in it (fs/eventpoll.c: `ep_timeout_to_timespec`, fs/select.c:
//!   `select_estimate_accuracy`). Where `epoll_pwait2` is refused, every timeout is rounded up.
//! - **Edge mode** reports a source whenever something arrives, even if what came before was never
//!   read: more reports than a purist would give, never fewer.
//! - **The registration belongs to the open file**, not to the descriptor: closing a descriptor of
//!   which a duplicate lives on leaves the registration alive, and nobody can remove it any more.
//! - **`EPOLLRDHUP`** has to be asked for, `EPOLLERR` and `EPOLLHUP` always come. A hang-up means
//!   that both directions are closed. `EPOLLEXCLUSIVE` refuses `EPOLLRDHUP`, `EPOLLPRI`, one-shot
//!   and `EPOLL_CTL_MOD` (fs/eventpoll.c: `EPOLLEXCLUSIVE_OK_BITS`).
//! - **A regular file** is refused with `EPERM`, which says "not pollable", not "not permitted".
//! - **The wake-up** is an eventfd in edge mode that nobody reads: each write is an edge, so a
//!   wake-up is one system call on the waker's side and none on the loop's.
//! - **A pipe in edge mode** did not report a second write before the first was read from Linux 5.5
//!   to 5.13 (torvalds/linux 1b6b26ae7053, undone by 3a34b13a88ca). The pipe that stands in for an
//!   eventfd is therefore emptied before each write.

mod child;
#[path = "../edges/kernel.rs"]
mod edges;
mod events;
mod ffi;
#[path = "../unix/nudge/ffi.rs"]
mod nudge;
mod selector;
mod waker;

pub(crate) use child::ChildWatch;
pub(crate) use edges::Rearming;
pub(crate) use events::Events;
pub(crate) use selector::Selector;
pub(crate) use waker::Waker;

/// What is there only if a selector is a descriptor, which nests in other loops: it is.
macro_rules! if_nestable {
    ($($item:item)*) => { $($item)* };
}
pub(crate) use if_nestable;
