//! One way through a pair: what its source sends, its sink gets.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
};

use mio_core::{Readiness, net::TcpStream};

use super::{
    counters::Way,
    pool::{Held, Pool},
};

/// One way. It knows of the streams only what the kernel has said, and asks for nothing that it
/// could know.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// What the sink did not take. While there is some, nothing is read.
    held: Option<Held>,
    /// There may be something to read.
    readable: bool,
    /// There may be room to write.
    writable: bool,
    /// The source has sent all it will, so no edge will come: a short read proves nothing.
    ending: bool,
    /// All of it was read.
    ended: bool,
    /// All of it was written, and the sink knows that this was the end.
    finished: bool,
}

/// How far a way has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing to do before the next edge.
    Waits,
    /// It could go on, but others want to be served too.
    Yields,
}

/// Which end of a way broke, and how.
#[derive(Debug)]
pub(super) enum Broken {
    Source(ErrorKind),
    Sink(ErrorKind),
}

impl Flow {
    pub(super) fn to_a_ready_sink() -> Flow {
        Flow { writable: true, ..Flow::default() }
    }

    pub(super) fn to_a_sink_not_ready() -> Flow {
        Flow::default()
    }

    pub(super) fn source_is(&mut self, readiness: Readiness) {
        self.readable |= readiness.wants_read() && !self.ended;
        self.ending |= readiness.contains(Readiness::READ_CLOSED);
    }

    pub(super) fn sink_is(&mut self, readiness: Readiness) {
        self.writable |= readiness.wants_write();
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    pub(super) fn into_held(self) -> Option<Held> {
        self.held
    }

    /// Carries until one of both is not ready, the source has ended, or `burst_bytes` are written.
    pub(super) fn advance(
        &mut self,
        source: &TcpStream,
        sink: &TcpStream,
        pool: &mut Pool,
        way: &mut Way,
        burst_bytes: u64,
    ) -> Result<Progress, Broken> {
        let end_of_burst = way.bytes + burst_bytes.max(1);
        while self.writable && (self.readable || self.held.is_some()) {
            if way.bytes >= end_of_burst {
                way.yields += 1;
                return Ok(Progress::Yields);
            }
            if let Some(held) = self.held.take() {
                self.write_held(held, sink, pool, way)?;
            } else if pool.can_hold() {
                self.carry(source, sink, pool, way)?;
            } else {
                self.carry_without_buffer(source, sink, pool, way)?;
            }
        }
        if self.ended && self.held.is_none() && !self.finished {
            self.finish(sink)?;
        }
        Ok(Progress::Waits)
    }

    /// What is read can be held, whatever the sink does.
    fn carry(
        &mut self,
        mut source: &TcpStream,
        sink: &TcpStream,
        pool: &mut Pool,
        way: &mut Way,
    ) -> Result<(), Broken> {
        way.reads += 1;
        let result = source.read(&mut pool.scratch);
        let room = pool.scratch.len();
        let Some(length) = self.taken(result, room)? else { return Ok(()) };
        let written = self.write(sink, &pool.scratch[..length], way)?;
        if written < length {
            way.held += 1;
            self.held = Some(pool.hold(written..length));
        }
        Ok(())
    }

    /// What the sink does not take has to stay in the kernel: look, write, and take only what was
    /// written. One call more, and the same bytes.
    fn carry_without_buffer(
        &mut self,
        mut source: &TcpStream,
        sink: &TcpStream,
        pool: &mut Pool,
        way: &mut Way,
    ) -> Result<(), Broken> {
        way.peeks += 1;
        let result = source.peek(&mut pool.scratch);
        let room = pool.scratch.len();
        let Some(length) = self.taken(result, room)? else { return Ok(()) };
        let written = self.write(sink, &pool.scratch[..length], way)?;
        if written > 0 {
            way.reads += 1;
            // The bytes are there, so they come whole.
            source
                .read_exact(&mut pool.scratch[..written])
                .map_err(|error| Broken::Source(error.kind()))?;
        }
        self.readable |= written < length;
        Ok(())
    }

    fn write_held(
        &mut self,
        mut held: Held,
        sink: &TcpStream,
        pool: &mut Pool,
        way: &mut Way,
    ) -> Result<(), Broken> {
        match self.write(sink, held.bytes(), way) {
            Ok(written) => held.consume(written),
            Err(broken) => {
                pool.put_back([held]);
                return Err(broken);
            }
        }
        if held.bytes().is_empty() {
            pool.put_back([held]);
        } else {
            self.held = Some(held);
        }
        Ok(())
    }

    /// What a read into `room` bytes says of the source, and how much came, if any.
    fn taken(&mut self, result: io::Result<usize>, room: usize) -> Result<Option<usize>, Broken> {
        match result {
            Ok(0) => {
                (self.readable, self.ended) = (false, true);
                Ok(None)
            }
            Ok(length) => {
                self.readable = length == room || self.ending;
                Ok(Some(length))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(None)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(Broken::Source(error.kind())),
        }
    }

    fn write(
        &mut self,
        mut sink: &TcpStream,
        bytes: &[u8],
        way: &mut Way,
    ) -> Result<usize, Broken> {
        way.writes += 1;
        match sink.write(bytes) {
            Ok(written) => {
                way.bytes += written as u64;
                self.writable = written == bytes.len();
                Ok(written)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.writable = false;
                Ok(0)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(Broken::Sink(error.kind())),
        }
    }

    fn finish(&mut self, sink: &TcpStream) -> Result<(), Broken> {
        self.finished = true;
        match sink.shutdown(Shutdown::Write) {
            // It is gone already, and its own event will say how.
            Err(error) if error.kind() != ErrorKind::NotConnected => {
                Err(Broken::Sink(error.kind()))
            }
            _ => Ok(()),
        }
    }
}
