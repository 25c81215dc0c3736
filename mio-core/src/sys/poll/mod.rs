//! poll(2): every Unix that has neither epoll nor kqueue, and WASI.
//!
//! The kernel keeps nothing between two calls: each wait hands it the whole table and gets it back with what is
//! ready. So everything that epoll remembers is kept here.
//!
//! - **The table** is pre-sized: slots in `table.rs`, and the array that the kernel sees, which leaves out what is
//!   silent. A wait costs time in proportion to the sources that are registered, in the kernel and here. No call
//!   is made for a registration but fstat(2), which tells a regular file, always ready and refused with
//!   `Unsupported` as epoll does, and whether a number still means the file that was registered under it.
//! - **Changes during a wait.** poll(2) looks at a copy. A thread that registers something while another one waits
//!   writes a byte into a pipe, of which the reading end is always polled, and the wait begins anew. What was
//!   deregistered meanwhile is not reported: each slot knows in which version of the table it last changed.
//! - **One thread polls at a time.** Others that select wait for their turn, as long as their timeouts allow: the
//!   events would go to one of them anyway.
//! - **Edges** are emulated as the contract says. An error or a hang-up is reported even if nothing is asked for.
//!   So a slot of which every interest is disarmed stays in the array, to hear of those; once it has, it is
//!   silent until it is armed again. A one-shot slot is silent once it was reported.
//! - **A FIFO** that lost its last writer hangs up, and is silent from then on. Reregister it if another writer
//!   is to come.
//! - **A closed descriptor** is `POLLNVAL`, and silent from then on. poll(2) cannot tell that a number was given to
//!   another file: a foreign type that is closed without a word goes on being reported under its token, as its
//!   successor. The types of this crate vacate their slots.
//! - **`POLLRDHUP`**, a half-close, is told by few kernels; elsewhere a read of 0 has to do.
//! - **The timeout** is in milliseconds, rounded up.
//! - **The wake-up** is the pipe of changes, and a flag for each waker. A waker writes only if its flag was down; the
//!   poller empties the pipe and looks at the flags.
//! - **`EINVAL`** is what poll(2) says to an array longer than the limit of descriptors: of which there cannot be
//!   so many, unless the limit was lowered since.
//! - **WASI** has poll(2) in its C library, by poll_oneoff. Nobody is there who could end a wait: no other thread, no
//!   signal. So the pipe is a flag (`no_nudge.rs`), at which each wait looks before it begins, and a wait for nothing
//!   without a timeout is `Deadlock`. Errors are told of what is asked for alone, and there is no out-of-band data.
//!   fstat(2) tells one socket from no other: a foreign type is to be deregistered before it is closed. The C library
//!   has the question on the stack, 160 bytes a source.

mod child;
#[path = "../unix/descriptor.rs"]
mod descriptor;
#[path = "../edges/emulated.rs"]
mod edges;
mod events;
mod ffi;
#[path = "../limit.rs"]
mod limit;
#[cfg(unix)]
mod nudge;
#[cfg(not(unix))]
#[path = "no_nudge.rs"]
mod nudge;
mod selector;
mod table;
mod waker;

pub(crate) use child::ChildWatch;
pub(crate) use edges::Rearming;
pub(crate) use events::Events;
pub(crate) use selector::Selector;
pub(crate) use waker::Waker;

/// What is there only if a selector is a descriptor, which nests in other loops: it is not.
macro_rules! if_nestable {
    ($($item:item)*) => {};
}
pub(crate) use if_nestable;
