//! Windows: completion ports, and AFD for readiness.
//!
//! A completion port tells what has been done, not what could be done. But the driver behind every socket, AFD
//! ("ancillary function driver"), has a request of its own for `select`: a poll, which completes when one of the
//! conditions holds that it asks for. Polls are begun through a handle of the driver itself, not of the socket, so that
//! the socket's own completions stay its owner's, and any number of them are under way at once: no limit of 64, no
//! thread for anything, no `select`.
//!
//! - **A poll tells of a state, once.** It completes at once if a condition holds already. So a level is: ask again
//!   before each wait. An edge would be reported for ever if it were asked for again: what was reported is left out
//!   until a call answers `WouldBlock` (see [`edges`]). What is asked for besides is in [`afd`].
//! - **A poll cannot be changed**, only cancelled, and its cancellation is one more completion. Who is interested in
//!   less than the poll asks for lets it be and sieves what it says; who wants more cancels it, and asks anew when
//!   its packet has come.
//! - **A poll that ends at once posts a packet all the same**, also with a warning: one for each that was begun. One that is
//!   refused with an error (`NT_ERROR`) posts none, and its memory is ours as before.
//! - **A half-close** (`AFD_POLL_DISCONNECT`) holds for ever, and also for whoever waits to write alone, so that only
//!   readers ask for it. A reset (`AFD_POLL_ABORT`) and a failed connect always come, and disarm every edge.
//! - **The end of both directions** is told only for a connection that was reset. A peer that has closed its end is a
//!   half-close, as it is in TCP.
//! - **Layers** that other vendors put between programs and Winsock have handles of their own, which AFD does not
//!   know: a socket is asked for the one under them (`SIO_BASE_HANDLE`).
//! - **AFD locks and searches a list** for each of its handles. 32 sockets share one (see [`table`]).
//! - **Out-of-band data** is a condition of its own; a socket that takes it inline has only the other one.
//! - **The wait** counts in milliseconds and may end a little early by the clock that programs read: what is left is
//!   then waited for again. The kernel rounds up to its tick, 15.6 ms unless some program has asked for less. A wait of
//!   less than a second is ended by a timer of high resolution where there is one, which is a packet (see [`wait`]): three
//!   system calls more, and one to look, in waits that find nothing in the port. The port's own timeout stays, rounded
//!   up, in case the timer's packet does not come or another thread takes it.
//! - **Wake-ups** are packets, of which a waker has at most one in the port.
//! - **Two threads in one wait** are allowed. Each gets some of the packets, and before it comes back arms what the
//!   others would not hear of.
//!
//! # Who owns a slot's memory
//!
//! A poll writes its answer into memory of ours, at a time of the kernel's choosing. Memory that is freed or used again
//! too early is how such selectors came to write into other people's stacks. Hence these rules:
//!
//! - The memory is taken once, for as many slots as the selector has, and does not move.
//! - A slot has a poll, a guard and two that relieve it (below). [`Flight`](slot::Flight) says of each who owns its
//!   memory:
//!
//!   | from | to | when |
//!   |---|---|---|
//!   | `Idle`, ours | `Pending`, the kernel's | it was begun; if that is refused it stays `Idle` |
//!   | `Pending` | `Cancelling`, the kernel's | it was called off, whether there was something to call off or not |
//!   | `Pending`, `Cancelling` | `Idle` | its own packet has been taken out of the port |
//!
//!   Nothing else gives it back: not cancelling, not closing the socket, nor what the memory itself seems to say,
//!   which the kernel writes when the packet is taken.
//! - A packet names its slot by a number. It cannot be a stale one: a slot is given away only when all of its polls are
//!   idle, and thus no packet of it is left.
//! - A slot is free, or live, or it waits: deregistered or closed, in no table, its polls cancelled, until the last
//!   packet is in. Slots that wait count against the capacity, and register is `StorageFull` meanwhile.
//! - A selector that is dropped cancels all polls and takes packets until none is under way. If the port refuses, or
//!   no packet comes for ten seconds, neither of which a reason is known for, the memory is leaked.
//! - A poll that cannot be begun for want of memory is tried again, every 10 ms while the selector waits. If it cannot
//!   because its number is nobody's, the slot is retired.
//!
//! # Whose socket it is
//!
//! Polls name sockets by number. Who closes a socket without a word and opens another one may get the same number, and
//! a slot that is armed again, as every level is, would then wait for a stranger. Types of this crate say when they are
//! dropped. For all others the kernel is asked: a second poll of each slot, its guard, waits for one thing alone, that
//! the last handle of the socket is closed (`AFD_POLL_LOCAL_CLOSE`), for as long as it is registered. It holds the
//! socket itself, whatever becomes of its number. What follows:
//!
//! - A guard is begun only while somebody who registers the socket has it in hand. A slot that is live always has one
//!   that is pending, or whose packet is in the port. It is never begun again by the number alone: if that were a
//!   stranger's by then, so would be the slot, for as long as the stranger lives.
//! - The guard's packet is in the port when `closesocket` returns. Before anything is armed again, what is in the port
//!   is taken out, guards first: a slot whose socket is gone is retired, never armed again. That look is one system
//!   call more in turns that arm something.
//! - What another thread closes between that look and the arming is heard of soon enough: a port gives its packets out
//!   in order, so that the guard's comes before that of a poll which was begun under the number later, and the slot is
//!   retired before a stranger's readiness could be reported. Only the packets of two threads in one wait may overtake
//!   each other.
//! - Who registers a socket whose number is taken finds out whose it is by calling the guard off: if there was
//!   something to call off, it is the same socket, and that is an error; if not, the slot is retired on the spot, and
//!   its place in the table of sockets given away under the same lock. Another guard is begun before, in memory of
//!   its own, so that the slot is not without one. When a socket was registered twice in vain in one turn, all that
//!   memory is the kernel's: from then on the error comes without asking, until the loop has looked.
//! - A duplicate keeps the socket open, but not its number, and polls go by the number. If it is nobody's when the slot
//!   is armed next, the registration ends. If it is another socket's, that one is reported in its stead, as nothing
//!   tells them apart: who closes a registered socket and keeps a duplicate of it has to deregister it.
//!
//! Under Wine, where many threads open and close `std`'s sockets without a word, its server may end on an assertion
//! (server/fd.c, `set_fd_events`). It opens a socket in two steps; whoever polls its number between them asks for events of
//! a descriptor that is not there yet. That is the stranger of above, if another thread is just opening it.

mod afd;
mod child;
mod descriptor;
#[path = "../edges/emulated.rs"]
mod edges;
mod events;
mod ffi;
#[path = "../limit.rs"]
mod limit;
mod port;
mod selector;
mod slot;
mod table;
mod wait;
mod waker;

pub(crate) use child::ChildWatch;
pub(crate) use edges::Rearming;
pub(crate) use events::Events;
pub(crate) use selector::Selector;
pub(crate) use waker::Waker;

/// What is there only if a selector is a descriptor, which nests in other loops: it is none.
macro_rules! if_nestable {
    ($($item:item)*) => {};
}
pub(crate) use if_nestable;
