//! One direction through a pair of streams.

use std::io::{self, ErrorKind};

use bitflags::bitflags;

use super::{Filter, Pipe, Pool, Stream, copy::whole_segments, splice::BULK_BYTES};
use crate::interest::Readiness;

/// One direction: what its source sends, its sink gets.
///
/// It knows of the streams only what the kernel has said, and asks for nothing that it could know. Hand it
/// every report of both ([`source_is`](Flow::source_is), [`sink_is`](Flow::sink_is)), then
/// [`advance`](Flow::advance) it. At the end give back what it holds ([`close`](Flow::close)).
#[derive(Debug, Default)]
#[must_use]
pub struct Flow {
    /// Written to the sink.
    pub(super) bytes: u64,
    /// What the sink did not take, if it is [`Flags::HELD`]: this part of this buffer, or of what came into
    /// this pipe. While there is some, nothing is read.
    pub(super) held: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) flags: Flags,
    /// Copied: how many more reads were bulk than were not. Spliced: how many fills were short.
    pub(super) streak: u8,
}

bitflags! {
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub(super) struct Flags: u16 {
        /// There may be something to read. The bit that says so in a `Readiness`.
        const READABLE = 1;
        /// The source has sent all it will, so no edge will come: a short read proves nothing.
        const ENDING = 1 << 1;
        /// There may be room to write. The bit that says so in a `Readiness`.
        const WRITABLE = 1 << 2;
        /// All of it was read.
        const ENDED = 1 << 3;
        /// All of it was written, and the sink knows that this was the end, or will.
        const FINISHED = 1 << 4;
        /// Something is held.
        const HELD = 1 << 5;
        /// It is in a pipe.
        const IN_PIPE = 1 << 6;
        /// The flow is bulk: spliced wherever that can be.
        const SPLICES = 1 << 7;
        /// The sink takes what is spliced.
        const PROVEN = 1 << 8;
        /// Splicing was refused.
        const COPIES = 1 << 9;
        /// A read comes next, since only that is to be believed.
        const READ_NEXT = 1 << 10;
        /// An urgent byte is somewhere, in front of which reads end: a short one proves nothing.
        const URGED = 1 << 11;
        /// The sink is closed at the end, which tells it.
        const LAST = 1 << 12;
        /// The last read was bulk, of a flow that is past the decision whether to splice: the next one, if it is copied,
        /// is of whole segments.
        const WHOLE = 1 << 13;
    }
}

const _: () = {
    assert!(Flags::READABLE.bits() == Readiness::READABLE.bits());
    assert!(Flags::WRITABLE.bits() == Readiness::WRITABLE.bits());
};

impl Flags {
    /// Whether there is something to read and room to write it as it is.
    #[inline]
    fn are_plain(self) -> bool {
        let special = Flags::HELD | Flags::SPLICES | Flags::URGED | Flags::WHOLE;
        let ready = Flags::READABLE | Flags::WRITABLE;
        self & (special | ready) == ready
    }

    /// This one of the two that a readiness has as well, if it is there.
    #[inline]
    fn of(readiness: Readiness, flag: Flags) -> Flags {
        Flags::from_bits_truncate(readiness.bits() & flag.bits())
    }
}

/// How far a flow has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing to do before the next report.
    Waits,
    /// It could go on, but others want to be served too: advance it again in the next turn
    /// ([`EventLoop::again`](crate::EventLoop::again)).
    Yields,
    /// It could go on if there were a buffer: see [`Pool::queue`]. Only with a [`Filter`] at work.
    Starves,
}

/// Which part of a flow broke, and how. It is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Reading failed.
    Source(ErrorKind),
    /// Writing failed.
    Sink(ErrorKind),
    /// The [`Filter`] said so.
    Filter(ErrorKind),
}

/// What flows have done, counted over as many of them as share it: those of one direction, say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Bytes written.
    pub bytes: u64,
    /// Calls that read.
    pub reads: u64,
    /// Calls that wrote.
    pub writes: u64,
    /// Calls that only looked, because no buffer was left.
    pub peeks: u64,
    /// How often a remainder was held, because the sink did not take all.
    pub held: u64,
    /// How often a flow yielded to the others.
    pub yields: u64,
    /// Of the bytes, how many were spliced.
    pub spliced: u64,
    /// Calls that spliced from a source into a pipe.
    pub fills: u64,
    /// Calls that spliced from a pipe into a sink.
    pub drains: u64,
}

impl Flow {
    /// One of whose streams nothing is known yet.
    pub const fn new() -> Flow {
        Flow { bytes: 0, held: 0, start: 0, end: 0, flags: Flags::empty(), streak: 0 }
    }

    /// One whose sink is known to have room: it was just accepted or connected.
    pub const fn to_a_ready_sink() -> Flow {
        Flow { flags: Flags::WRITABLE, ..Flow::new() }
    }

    /// Takes in what the kernel says of the source.
    #[inline]
    pub fn source_is(&mut self, readiness: Readiness) {
        if readiness.is_plain() {
            self.flags |= Flags::of(readiness, Flags::READABLE);
        } else {
            self.source_is_special(readiness);
        }
    }

    #[inline]
    fn source_is_special(&mut self, readiness: Readiness) {
        if readiness.wants_read() && !self.flags.contains(Flags::ENDED) {
            self.flags |= Flags::READABLE;
        }
        if readiness.contains(Readiness::READ_CLOSED) {
            self.flags |= Flags::ENDING;
        }
        if readiness.is_priority() {
            self.flags |= Flags::URGED;
        }
    }

    /// Takes in what the kernel says of the sink.
    #[inline]
    pub fn sink_is(&mut self, readiness: Readiness) {
        if readiness.is_plain() {
            self.flags |= Flags::of(readiness, Flags::WRITABLE);
        } else if readiness.wants_write() {
            self.flags |= Flags::WRITABLE;
        }
    }

    /// Whether the source has ended, all of it was written, and the sink knows.
    #[inline]
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.flags.contains(Flags::FINISHED)
    }

    /// Whether there is nothing to carry before the next report of its streams.
    #[inline]
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        // Mostly the first answers it.
        !self.flags.intersects(Flags::READABLE | Flags::HELD)
            || !self.flags.contains(Flags::WRITABLE)
    }

    /// Bytes written to the sink.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives back what it holds. It is of no use any more.
    #[inline]
    pub fn close<P: Pipe>(&mut self, pool: &mut Pool<P>) {
        if self.holds() {
            self.let_go(pool);
        }
    }

    #[cold]
    fn let_go<P: Pipe>(&mut self, pool: &mut Pool<P>) {
        if self.flags.contains(Flags::IN_PIPE) {
            // With its bytes, which would be another flow's otherwise.
            pool.pipes.close(self.held);
        } else {
            pool.put_back(self.held);
        }
        self.flags -= Flags::HELD | Flags::IN_PIPE;
    }

    /// Says that the sink will be dropped as soon as this flow is finished, which is when the other one of the pair
    /// is finished already. That tells it of the end, and spares the call that would.
    #[inline]
    pub fn is_the_last(&mut self) {
        self.flags |= Flags::LAST;
    }

    /// Carries until the source or the sink is not ready, the source has ended, or
    /// [`Bounds::burst_bytes`](super::Bounds::burst_bytes) are written.
    ///
    /// Counts in `way`, and shows what it reads to `filter`; `&mut ()` is no filter.
    ///
    /// # Errors
    ///
    /// [`Broken`], after which it is to be closed: its source and its sink do not agree any more.
    #[inline(always)]
    pub fn advance<P: Pipe, A: Stream<P>, B: Stream<P>, F: Filter>(
        &mut self,
        source: &A,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
        filter: &mut F,
    ) -> Result<Progress, Broken> {
        if !self.flags.are_plain() || filter.is_active() || !pool.can_hold() {
            return if self.can_move() {
                self.carry(self.bytes, source, sink, pool, way, filter)
            } else {
                Ok(Progress::Waits)
            };
        }
        // What comes mostly: a request, which goes out at once. All else is done out of line.
        let scratch = pool.scratch();
        way.reads += 1;
        let read = source.read(scratch);
        let length = match read {
            Ok(0) => return self.end(sink),
            Ok(length)
                if length < scratch.len()
                    && length < BULK_BYTES
                    && !self.flags.contains(Flags::ENDING) =>
            {
                length
            }
            read => return self.after_read(read, source, sink, pool, way, filter),
        };
        self.flags -= Flags::READABLE;
        self.streak = self.streak.saturating_sub(1);
        way.writes += 1;
        let written = sink.write(&scratch[..length]);
        match written {
            Ok(written) if written == length => {
                self.count(length, way);
                Ok(Progress::Waits)
            }
            written => self.after_write(written, length, source, sink, pool, way, filter),
        }
    }

    /// Nothing is left to read, and all of it is written.
    #[inline(never)]
    fn end<P: Pipe, B: Stream<P>>(&mut self, sink: &B) -> Result<Progress, Broken> {
        self.has_ended();
        // A source may be reported, and read to its end, once more.
        self.pass_on_the_end(sink)?;
        Ok(Progress::Waits)
    }

    /// Goes on after a read of which there is more to say.
    #[inline(never)]
    fn after_read<P: Pipe, A: Stream<P>, B: Stream<P>, F: Filter>(
        &mut self,
        read: io::Result<usize>,
        source: &A,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
        filter: &mut F,
    ) -> Result<Progress, Broken> {
        let start = self.bytes;
        let length = self.taken(read, pool.buffer_bytes())?;
        self.pass_on(length, sink, pool, way)?;
        self.carry(start, source, sink, pool, way, filter)
    }

    /// Goes on after a write that did not take all.
    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "what `advance` has, and how far it came")]
    fn after_write<P: Pipe, A: Stream<P>, B: Stream<P>, F: Filter>(
        &mut self,
        written: io::Result<usize>,
        length: usize,
        source: &A,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
        filter: &mut F,
    ) -> Result<Progress, Broken> {
        let start = self.bytes;
        let written = self.put(written, length, way)?;
        self.hold(written, length, pool, way);
        self.carry(start, source, sink, pool, way, filter)
    }

    /// Carries until the burst that began at `start` is over, or there is nothing to carry.
    #[inline(never)]
    fn carry<P: Pipe, A: Stream<P>, B: Stream<P>, F: Filter>(
        &mut self,
        start: u64,
        source: &A,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
        filter: &mut F,
    ) -> Result<Progress, Broken> {
        let mut whole = None;
        while self.can_move() {
            if self.bytes - start >= pool.burst_bytes {
                way.yields += 1;
                return Ok(Progress::Yields);
            }
            let special = self.flags.intersects(Flags::HELD | Flags::SPLICES | Flags::WHOLE);
            let filtered = filter.is_active();
            if special && self.carry_on(source, sink, pool, way, filtered, &mut whole)? {
                // Done out of line.
            } else if pool.can_hold() {
                self.copy(0, source, sink, pool, way, filter)?;
            } else if filter.is_active() {
                return Ok(Progress::Starves);
            } else {
                self.carry_without_buffer(source, sink, pool, way)?;
            }
        }
        self.pass_on_the_end(sink)?;
        Ok(Progress::Waits)
    }

    /// Like [`advance`](Flow::advance), with `first` before anything that the source sends: a header that
    /// tells the sink of the source. Bytes that have come already go out in the same call. The filter does
    /// not see `first`.
    ///
    /// To be called once, when the sink is writable for the first time, whether or not the source has sent
    /// anything.
    ///
    /// # Errors
    ///
    /// As `advance`. [`Broken::Sink`] of the kind [`QuotaExceeded`](ErrorKind::QuotaExceeded) if the sink
    /// does not take all of `first` and no buffer is left, or if `first` is not shorter than a buffer.
    #[cold]
    pub fn begin<P: Pipe, A: Stream<P>, B: Stream<P>, F: Filter>(
        &mut self,
        first: &[u8],
        source: &A,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
        filter: &mut F,
    ) -> Result<Progress, Broken> {
        const NO_ROOM: Broken = Broken::Sink(ErrorKind::QuotaExceeded);
        let scratch = pool.scratch();
        if first.len() >= scratch.len() {
            return Err(NO_ROOM);
        }
        scratch[..first.len()].copy_from_slice(first);
        if !pool.can_hold() {
            let mut rest = first;
            while !rest.is_empty() {
                rest = &rest[self.write(rest, sink, way)?..];
                if !self.flags.contains(Flags::WRITABLE) && !rest.is_empty() {
                    return Err(NO_ROOM);
                }
            }
        } else if self.flags.contains(Flags::READABLE) {
            self.copy(first.len(), source, sink, pool, way, filter)?;
        } else {
            let written = self.write(first, sink, way)?;
            if written < first.len() {
                self.hold(written, first.len(), pool, way);
            }
        }
        let progress = self.advance(source, sink, pool, way, filter)?;
        self.pass_on_the_end(sink)?;
        Ok(progress)
    }

    #[inline]
    fn can_move(&self) -> bool {
        self.flags.contains(Flags::WRITABLE) && self.flags.intersects(Flags::READABLE | Flags::HELD)
    }

    #[inline]
    pub(super) fn holds(&self) -> bool {
        self.flags.contains(Flags::HELD)
    }

    /// Carries what is held, or splices, or copies whole segments, of which there are `whole` bytes to a buffer, once
    /// asked. Answers `false` if copying as ever is the way to go on.
    #[cold]
    fn carry_on<P: Pipe, A: Stream<P>, B: Stream<P>>(
        &mut self,
        source: &A,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
        filtered: bool,
        whole: &mut Option<usize>,
    ) -> Result<bool, Broken> {
        if self.flags.contains(Flags::HELD | Flags::IN_PIPE) {
            self.drain(sink, pool, way)?;
        } else if self.holds() {
            self.write_held(sink, pool, way)?;
        } else if filtered || self.flags.contains(Flags::READ_NEXT) {
            return Ok(false);
        } else if self.flags.contains(Flags::SPLICES) && self.splice(source, sink, pool, way)? {
            // A unit of bulk.
        } else if self.flags.contains(Flags::WHOLE) && pool.can_hold() {
            let room = pool.buffer_bytes();
            let whole = *whole.get_or_insert_with(|| whole_segments(room, sink.segment()));
            self.copy_whole(whole, source, sink, pool, way)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Once the source has ended and all of it is written.
    #[inline]
    fn pass_on_the_end<P: Pipe, B: Stream<P>>(&mut self, sink: &B) -> Result<(), Broken> {
        let about = Flags::ENDED | Flags::HELD | Flags::FINISHED;
        if self.flags & about == Flags::ENDED { self.finish(sink) } else { Ok(()) }
    }

    #[inline]
    fn finish<P: Pipe, B: Stream<P>>(&mut self, sink: &B) -> Result<(), Broken> {
        self.flags |= Flags::FINISHED;
        if self.flags.contains(Flags::LAST) {
            return Ok(());
        }
        match sink.finish() {
            // It is gone already, and its own event will say how.
            Err(error) if error.kind() != ErrorKind::NotConnected => {
                Err(Broken::Sink(error.kind()))
            }
            _ => Ok(()),
        }
    }
}
