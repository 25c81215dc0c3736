//! Bytes from one stream to another: the moving part of a proxy.
//!
//! A [`Flow`] is one direction through a pair of streams: what its source sends, its sink gets, in order,
//! and the end too. It is 24 bytes of what the kernel has said so far. What takes room is in a [`Pool`] that
//! all pairs of a loop share, so an idle pair holds no buffer.
//!
//! ```
//! use std::io::{Read, Write};
//! use mio_core::{
//!     EventLoop, Handler, Readiness, Trigger,
//!     relay::{Bounds, Flow, INTEREST, Pool, Progress, Way},
//!     unix::UnixStream,
//! };
//!
//! /// A pair: each side is the source of one flow and the sink of the other.
//! struct Pair {
//!     sides: [UnixStream; 2],
//!     flows: [Flow; 2],
//!     pool: Pool,
//!     ways: [Way; 2],
//! }
//!
//! impl Handler for Pair {
//!     fn ready(&mut self, event_loop: &mut EventLoop, token: u64, readiness: Readiness) {
//!         let side = token as usize;
//!         self.flows[side].source_is(readiness);
//!         self.flows[1 - side].sink_is(readiness);
//!         for way in [0, 1] {
//!             let (source, sink) = (&self.sides[way], &self.sides[1 - way]);
//!             let (flow, counted) = (&mut self.flows[way], &mut self.ways[way]);
//!             match flow.advance(source, sink, &mut self.pool, counted, &mut ()) {
//!                 Ok(Progress::Waits) => {}
//!                 // Others come first; go on in the next turn.
//!                 Ok(_) => event_loop.again(token, Readiness::empty()).unwrap(),
//!                 Err(broken) => panic!("{broken:?}"),
//!             }
//!         }
//!         if self.flows.iter().all(Flow::is_finished) {
//!             event_loop.shutdown();
//!         }
//!     }
//! }
//!
//! let (mut client, front) = UnixStream::pair()?;
//! let (back, mut server) = UnixStream::pair()?;
//! let mut event_loop = EventLoop::new()?;
//! event_loop.register_with(&front, 0u64, INTEREST, Trigger::Edge)?;
//! event_loop.register_with(&back, 1u64, INTEREST, Trigger::Edge)?;
//! client.write_all(b"hello")?;
//! client.shutdown(std::net::Shutdown::Write)?;
//! server.write_all(b"good bye")?;
//! server.shutdown(std::net::Shutdown::Write)?;
//!
//! let pair = Pair {
//!     sides: [front, back],
//!     flows: [Flow::new(), Flow::new()],
//!     pool: Pool::new(Bounds::default()),
//!     ways: Default::default(),
//! };
//! let pair = event_loop.run(pair)?;
//! assert_eq!(pair.ways.map(|way| way.bytes), [5, 8]);
//! let (mut asked, mut answered) = (String::new(), String::new());
//! server.read_to_string(&mut asked)?;
//! client.read_to_string(&mut answered)?;
//! assert_eq!((&*asked, &*answered), ("hello", "good bye"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What it promises
//!
//! - **Every byte, in order, and the end of each direction for itself.** When the source has ended and all of
//!   it is written, the sink's side is shut down for writing: a half-close becomes a half-close. An error is
//!   told as [`Broken`], with the side it came from; a reset is one of the kind
//!   [`ConnectionReset`](std::io::ErrorKind::ConnectionReset).
//! - **Bounded memory, all of it taken at the start**, and touched only as it is used. Bytes are read into one
//!   scratch buffer and written from there. Only what the sink does not take is held: its buffer becomes the
//!   flow's, and a spare one takes its place.
//! - **Nobody waits for a buffer.** When none is spare, bytes stay in the kernel: they are looked at, written,
//!   and only then taken, for one call more. So slow readers, who can hold all the buffers for as long as they
//!   like, hold up nobody else. With a [`Filter`] at work that cannot be, since no byte may be shown to it
//!   twice: such a flow waits for its turn in a queue, first in, first out ([`Progress::Starves`]).
//! - **No system call without news.** The streams are to be registered in edge mode
//!   ([`Trigger::Edge`](crate::Trigger::Edge)). There a short read has drained the source, unless its end or an
//!   urgent byte was announced, and a short write has filled the sink. Nothing is read that could not be
//!   written.
//! - **Fairness.** A flow yields after [`Bounds::burst_bytes`].
//! - **Nothing allocates** after [`Pool::new`].
//!
//! # Urgent bytes
//!
//! TCP's out-of-band byte is not passed on, and reads end in front of it, so that a short one proves nothing.
//! Register streams with [`INTEREST`], which has the kernel tell of it; otherwise what follows such a byte waits
//! until more comes.
//!
//! # Copying and splicing
//!
//! On Linux and Android the kernel can move bytes between sockets by itself, through a pipe: splice(2). For
//! bulk that halves the cost; for small requests it is a call more. So each flow decides for itself by what
//! it sees:
//!
//! - It starts out copying. A read of 32 KiB at least, or that filled a shorter buffer, counts for splicing, a shorter
//!   one against it; after four more for than against it is bulk, and spliced.
//! - After four times in a row that less than half as much came, it is copied again.
//! - While a filter is active, no pipe is to be had, or all of them hold what their sinks did not take, it is
//!   copied as before.
//!
//! Bulk that is copied is read in whole segments of the sink's, where they are known ([`Stream::segment`]) and no filter
//! looks: the bytes of a short one at the end stay with the source until there are more.
//!
//! Pipes come from the pool, at most [`Bounds::pipes`], opened as they are needed. One serves any number of
//! flows as long as their sinks take everything; what a sink does not take stays in the pipe, which is the
//! flow's until it is drained. If the flow ends before, the pipe is closed with what is in it. The others stay open
//! until [`Pool::close_idle_pipes`], which derived proxies call when they look for pairs that are late.
//!
//! Where splicing is refused to one kind of stream, that flow is copied for good, and where it is refused
//! altogether (an old kernel, a sandbox), all are. A pipe that cannot be opened, for want of descriptors say,
//! is tried for again after a thousand times that it was wanted.

mod copy;
mod filter;
mod flow;
mod pipe;
mod pool;
#[cfg(test)]
mod sim;
mod splice;
mod stream;
#[cfg(test)]
mod tests;

use crate::{interest::Interest, sys::splice::URGENT};

/// What both streams of a pair are to be registered with, in edge mode: reading and writing.
///
/// Portability: on Linux and Android, where bytes are spliced, urgent bytes too.
pub const INTEREST: Interest = Interest::READABLE.union(Interest::WRITABLE).union(URGENT);

pub use filter::{Chunk, Filter};
pub use flow::{Broken, Flow, Progress, Way};
pub use pipe::{KernelPipe, Pipe};
pub use pool::{Bounds, Pool};
pub use stream::Stream;
