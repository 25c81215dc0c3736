//! Apple's systems and the BSDs: kqueue(2).
//!
//! A kqueue has filters, one for each pair of descriptor and direction. What that means for a contract that was
//! made after epoll:
//!
//! - **Two filters are one source.** Reading and writing are registered in one call, with a receipt
//!   (`EV_RECEIPT`) for each change, so that an error belongs to its `register` and nothing that waits is
//!   fetched by mistake. What one wait brings of both filters is one event.
//! - **The kernel does not know what is registered already**: `EV_ADD` of what is there silently changes it, though
//!   not its `EV_CLEAR`. A table of fixed size knows ([`registry`]). It may remember a descriptor that was closed
//!   without a word; the kernel does not, and is asked before the table is believed. So registering is one call;
//!   two if the number was used before. One more looks what kind of file it is: a regular file, which kqueue
//!   would take and report at every turn, is refused as epoll does.
//! - **A reregister deletes and adds**, in one call. So it is looked at anew in every mode.
//! - **Edge** is `EV_CLEAR`, which reports whenever something arrives, as epoll does.
//! - **One-shot** is `EV_DISPATCH`, which disables its own filter only. The table drops what the other filter reports
//!   after the one event that there is to be. The wait goes on then; a loop that a selector is nested in
//!   may find it readable with nothing to report.
//! - **Ends are of a direction**: `EV_EOF` on the reading filter is a half-close, on both it is a hang-up, and the
//!   table remembers the one until the other comes. Who asked for one direction hears of its end alone, unless
//!   `fflags` has the socket's error, which ends both. An end of a pipe has but one direction: it is a hang-up to a
//!   reader, an error to a writer.
//! - **Tokens** have 64 bits, `udata` is a pointer. It has a place in the table and a generation; what comes of an
//!   earlier one is dropped.
//! - **A registration belongs to the descriptor**, not to the open file as on epoll: it ends when that is closed,
//!   whatever duplicates live on.
//! - **The wake-up** is `EVFILT_USER`; where that is refused (OpenBSD and NetBSD before they had it), a pipe.
//! - **A wait** is one call. The timeout is in nanoseconds; what it is rounded to, and how late it ends, is the
//!   kernel's. Longer ones than a day are waited for in turns, since kernels differ in what they take.
//! - **Signals** come by a handler, as on every Unix. `EVFILT_SIGNAL` counts them without telling who sent them, and
//!   hears only of what the process was sent as a whole; the default action still has to be taken
//!   away by other means, and that is what the handler is.
//! - **Children**: `EVFILT_PROC`, in a kqueue of their own that is a descriptor like Linux's pidfd. See `child`.
//! - **Fork**: a kqueue is not inherited. In the child its number is free, or somebody else's: so the child neither uses
//!   it nor closes it (`queue.rs`). Nobody gets it by exec(2) either, save the process itself, for which it
//!   has close-on-exec; setting that in a second call leaves no race open.
//!
//! What differs by system is data, in `registry/system.rs`.

mod child;
#[path = "../edges/kernel.rs"]
mod edges;
mod events;
mod ffi;
mod queue;
mod registry;
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
