//! The way through the process: from the source into a buffer, from the buffer into the sink.

use std::io::{self, ErrorKind};

use super::{
    Broken, Chunk, Filter, Flow, Pipe, Pool, Stream, Way,
    flow::Flags,
    splice::{BULK_BYTES, BULK_READS},
};

/// The most that is looked at without being taken.
const PEEK_BYTES: usize = 64 * 1024;

impl Flow {
    /// Reads into the scratch buffer, where `first` bytes are already, writes what is there, and holds what the
    /// sink does not take.
    #[inline(always)]
    pub(super) fn copy<P: Pipe, A: Stream<P>, B: Stream<P>, F: Filter>(
        &mut self,
        first: usize,
        source: &A,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
        filter: &mut F,
    ) -> Result<(), Broken> {
        let scratch = pool.scratch();
        let chunk = &mut scratch[first..];
        let mut room = chunk.len();
        if filter.is_active() {
            room = room.saturating_sub(F::ROOM).max(1);
        }
        way.reads += 1;
        let result = source.read(&mut chunk[..room]);
        let mut length = self.taken(result, room)?;
        if filter.is_active() {
            length = self.filtered(chunk, length, filter)?;
        }
        self.pass_on(first + length, sink, pool, way)
    }

    /// Reads no more than `whole` bytes, so many as the sink sends in whole segments.
    pub(super) fn copy_whole<P: Pipe, A: Stream<P>, B: Stream<P>>(
        &mut self,
        whole: usize,
        source: &A,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
    ) -> Result<(), Broken> {
        way.reads += 1;
        let result = source.read(&mut pool.scratch()[..whole]);
        let length = self.taken(result, whole)?;
        self.pass_on(length, sink, pool, way)
    }

    /// Writes so much of the scratch buffer, and holds what the sink does not take.
    #[inline(always)]
    pub(super) fn pass_on<P: Pipe, B: Stream<P>>(
        &mut self,
        length: usize,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
    ) -> Result<(), Broken> {
        if length > 0 {
            let written = self.write(&pool.scratch()[..length], sink, way)?;
            if written < length {
                self.hold(written, length, pool, way);
            }
        }
        Ok(())
    }

    #[cold]
    pub(super) fn hold<P: Pipe>(
        &mut self,
        start: usize,
        end: usize,
        pool: &mut Pool<P>,
        way: &mut Way,
    ) {
        way.held += 1;
        (self.start, self.end) = (start as u32, end as u32);
        self.held = pool.hold();
        self.flags |= Flags::HELD;
    }

    fn filtered<F: Filter>(
        &self,
        scratch: &mut [u8],
        length: usize,
        filter: &mut F,
    ) -> Result<usize, Broken> {
        let mut chunk = Chunk::new(scratch, length);
        let passed = match length {
            0 if self.flags.contains(Flags::ENDED) => filter.end(&mut chunk),
            0 => Ok(()),
            _ => filter.pass(&mut chunk),
        };
        passed.map_err(Broken::Filter)?;
        Ok(chunk.len())
    }

    /// What the sink does not take has to stay in the kernel: look, write, and take only what was written.
    /// One call more, and the same bytes, copied twice: so no more of them than a sink mostly takes.
    #[cold]
    pub(super) fn carry_without_buffer<P: Pipe, A: Stream<P>, B: Stream<P>>(
        &mut self,
        source: &A,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
    ) -> Result<(), Broken> {
        way.peeks += 1;
        let scratch = pool.scratch();
        let room = scratch.len().min(PEEK_BYTES);
        let scratch = &mut scratch[..room];
        let result = source.peek(scratch);
        let length = self.taken(result, room)?;
        if length > 0 {
            let written = self.write(&scratch[..length], sink, way)?;
            take(source, &mut scratch[..written], way)?;
            if written < length {
                self.flags |= Flags::READABLE;
            }
        }
        Ok(())
    }

    pub(super) fn write_held<P: Pipe, B: Stream<P>>(
        &mut self,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
    ) -> Result<(), Broken> {
        let held = &pool.buffer(self.held)[self.start as usize..self.end as usize];
        self.start += self.write(held, sink, way)? as u32;
        if self.start == self.end {
            self.flags -= Flags::HELD;
            pool.put_back(self.held);
        }
        Ok(())
    }

    /// What a read into `room` bytes says of the source, and how much came.
    #[inline]
    pub(super) fn taken(
        &mut self,
        result: io::Result<usize>,
        room: usize,
    ) -> Result<usize, Broken> {
        match result {
            Ok(0) => {
                self.has_ended();
                Ok(0)
            }
            Ok(length) => {
                // A short read has drained the source, unless no edge will tell of what comes after it.
                if length < room && !self.flags.intersects(Flags::ENDING | Flags::URGED) {
                    self.flags -= Flags::READABLE;
                }
                self.count_read(length >= room.min(BULK_BYTES));
                Ok(length)
            }
            Err(error) => self.not_taken(error.kind()),
        }
    }

    #[inline]
    fn count_read(&mut self, bulk: bool) {
        if self.flags.contains(Flags::SPLICES) {
            self.flags -= Flags::READ_NEXT;
            self.flags.set(Flags::WHOLE, bulk);
        } else if !bulk {
            self.streak = self.streak.saturating_sub(1);
            self.flags -= Flags::WHOLE;
        } else if self.flags.contains(Flags::COPIES) {
            self.flags |= Flags::WHOLE;
        } else {
            self.streak += 1;
            if self.streak == BULK_READS {
                self.streak = 0;
                self.flags |= Flags::SPLICES;
            }
        }
    }

    #[cold]
    fn not_taken(&mut self, kind: ErrorKind) -> Result<usize, Broken> {
        match kind {
            ErrorKind::WouldBlock => {
                self.flags -= Flags::READABLE | Flags::READ_NEXT | Flags::URGED;
                Ok(0)
            }
            ErrorKind::Interrupted => Ok(0),
            kind => Err(Broken::Source(kind)),
        }
    }

    #[inline]
    pub(super) fn has_ended(&mut self) {
        self.flags |= Flags::ENDED;
        self.flags -= Flags::READABLE;
    }

    #[inline]
    pub(super) fn write<P: Pipe, B: Stream<P>>(
        &mut self,
        bytes: &[u8],
        sink: &B,
        way: &mut Way,
    ) -> Result<usize, Broken> {
        way.writes += 1;
        self.put(sink.write(bytes), bytes.len(), way)
    }

    /// What a write of `length` bytes says of the sink, and how much it took.
    #[inline]
    pub(super) fn put(
        &mut self,
        result: io::Result<usize>,
        length: usize,
        way: &mut Way,
    ) -> Result<usize, Broken> {
        match result {
            Ok(written) => {
                self.count(written, way);
                if written < length {
                    self.flags -= Flags::WRITABLE;
                }
                Ok(written)
            }
            Err(error) => self.not_written(error.kind()),
        }
    }

    #[cold]
    pub(super) fn not_written(&mut self, kind: ErrorKind) -> Result<usize, Broken> {
        match kind {
            ErrorKind::WouldBlock => {
                self.flags -= Flags::WRITABLE;
                Ok(0)
            }
            ErrorKind::Interrupted => Ok(0),
            kind => Err(Broken::Sink(kind)),
        }
    }

    #[inline]
    pub(super) fn count(&mut self, written: usize, way: &mut Way) {
        way.bytes += written as u64;
        self.bytes += written as u64;
    }
}

/// How many bytes of so much room fill segments, or all if it is shorter than one.
pub(super) fn whole_segments(room: usize, segment: usize) -> usize {
    if segment > 1 && segment < room { room - room % segment } else { room }
}

/// Takes bytes that were looked at, so that they are there.
fn take<P: Pipe, A: Stream<P>>(
    source: &A,
    mut bytes: &mut [u8],
    way: &mut Way,
) -> Result<(), Broken> {
    while !bytes.is_empty() {
        way.reads += 1;
        match source.read(bytes) {
            Ok(0) => return Err(Broken::Source(ErrorKind::UnexpectedEof)),
            Ok(length) => bytes = &mut bytes[length..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Broken::Source(error.kind())),
        }
    }
    Ok(())
}
