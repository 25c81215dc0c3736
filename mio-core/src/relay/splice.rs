//! The way through the kernel: from the source into a pipe, from the pipe into the sink.

use std::io::{self, ErrorKind};

use super::{Broken, Flow, Pipe, Pool, Stream, Way, flow::Flags};

/// A read of so many bytes, or one that fills a shorter buffer, is bulk.
pub(super) const BULK_BYTES: usize = 32 * 1024;
/// After so many more of them than of shorter ones a flow is spliced. A writer who fills the kernel's buffer brings a
/// short read each time that the buffer is drained, which takes back one of them and not all.
pub(super) const BULK_READS: u8 = 4;
/// After so many fills in a row of less than half as many bytes it is copied again.
pub(super) const SHORT_FILLS: u8 = 4;

impl Flow {
    /// Moves bytes from the source into an empty pipe and from there into the sink. Answers `false` if
    /// copying is the way to go on.
    pub(super) fn splice<P: Pipe, A: Stream<P>, B: Stream<P>>(
        &mut self,
        source: &A,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
    ) -> Result<bool, Broken> {
        let Some(number) = pool.pipes.take() else { return Ok(false) };
        if !self.flags.contains(Flags::PROVEN) {
            // Of an empty pipe a sink takes nothing, or says that it never will. Better now than with bytes
            // in it that were taken from the source.
            way.drains += 1;
            match sink.drain(pool.pipes.get(number), 1) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.flags |= Flags::PROVEN,
                outcome => {
                    pool.pipes.put_back(number);
                    self.copy_for_good(outcome, pool);
                    return Ok(false);
                }
            }
        }
        way.fills += 1;
        let max = pool.pipes.bytes();
        match source.fill(pool.pipes.get(number), max) {
            Ok(length) if length > 0 => {
                self.count_fill(length, pool.buffer_bytes());
                (self.held, self.start, self.end) = (number, 0, length as u32);
                self.flags |= Flags::HELD | Flags::IN_PIPE;
                self.drain(sink, pool, way)?;
                way.held += u64::from(self.holds());
                Ok(true)
            }
            outcome => {
                pool.pipes.put_back(number);
                self.not_filled(outcome, pool)
            }
        }
    }

    /// Moves what is in the flow's pipe into the sink. The pipe is not empty: `WouldBlock` is the sink's.
    pub(super) fn drain<P: Pipe, B: Stream<P>>(
        &mut self,
        sink: &B,
        pool: &mut Pool<P>,
        way: &mut Way,
    ) -> Result<(), Broken> {
        way.drains += 1;
        let left = (self.end - self.start) as usize;
        let moved = match sink.drain(pool.pipes.get(self.held), left) {
            Ok(moved) => moved,
            Err(error) => return self.not_written(error.kind()).map(drop),
        };
        if moved < left {
            self.flags -= Flags::WRITABLE;
        }
        self.count(moved, way);
        way.spliced += moved as u64;
        self.start += moved as u32;
        if self.start == self.end {
            self.flags -= Flags::HELD | Flags::IN_PIPE;
            pool.pipes.put_back(self.held);
        }
        Ok(())
    }

    /// Nothing has come into the pipe, which was empty: `WouldBlock` is the source's.
    fn not_filled<P: Pipe>(
        &mut self,
        outcome: io::Result<usize>,
        pool: &mut Pool<P>,
    ) -> Result<bool, Broken> {
        match outcome {
            Ok(_) => self.has_ended(),
            Err(error) => match error.kind() {
                // It says so in front of out-of-band data too. Reading tells the truth.
                ErrorKind::WouldBlock => self.flags |= Flags::READ_NEXT,
                ErrorKind::Interrupted => {}
                ErrorKind::Unsupported | ErrorKind::PermissionDenied | ErrorKind::InvalidInput => {
                    self.copy_for_good(Err(error), pool);
                }
                kind => return Err(Broken::Source(kind)),
            },
        }
        Ok(true)
    }

    /// A short fill has drained the source, mostly; reading next makes sure, at the cost of asking again.
    fn count_fill(&mut self, length: usize, buffer_bytes: usize) {
        if length >= buffer_bytes.min(BULK_BYTES) / 2 {
            self.streak = 0;
            return;
        }
        self.flags |= Flags::READ_NEXT;
        self.streak += 1;
        if self.streak >= SHORT_FILLS {
            self.streak = 0;
            self.flags -= Flags::SPLICES | Flags::READ_NEXT;
        }
    }

    /// One of the streams is of a kind that cannot be spliced; or the kernel or a sandbox refuses it to all.
    fn copy_for_good<P: Pipe>(&mut self, outcome: io::Result<usize>, pool: &mut Pool<P>) {
        self.flags |= Flags::COPIES;
        self.flags -= Flags::SPLICES;
        let kind = outcome.err().map(|error| error.kind());
        if matches!(kind, Some(ErrorKind::Unsupported | ErrorKind::PermissionDenied)) {
            pool.pipes.give_up();
        }
    }
}
