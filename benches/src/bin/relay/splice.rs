//! By `splice` through pipes that all pairs share; a pair has one only while bytes are in it.

use std::os::fd::RawFd;

use crate::{BUFFER_BYTES, Side, Way, sys};

pub struct Splice {
    spare: Vec<Pipe>,
}

pub struct Pipe {
    reader: RawFd,
    writer: RawFd,
}

/// A pipe, and how much is in it.
pub struct Held {
    pipe: Pipe,
    bytes: u32,
}

impl Splice {
    pub fn new() -> Self {
        Self { spare: Vec::new() }
    }

    fn pipe(&mut self) -> Result<Pipe, ()> {
        if let Some(pipe) = self.spare.pop() {
            return Ok(pipe);
        }
        let (reader, writer) = sys::pipe().ok_or(())?;
        Ok(Pipe { reader, writer })
    }
}

impl Way for Splice {
    type Held = Held;

    #[inline(always)]
    fn pump(
        &mut self,
        from: RawFd,
        source: &mut Side<Held>,
        sink: &mut Side<Held>,
    ) -> Result<(), ()> {
        let to = source.peer;
        let mut held = match source.held.take() {
            Some(held) => held,
            None => Held { pipe: self.pipe()?, bytes: 0 },
        };
        while sink.writable {
            if held.bytes == 0 {
                if !source.readable {
                    break;
                }
                // How much a pipe takes depends on how it came: only "later" tells that it was all.
                match sys::splice(from, held.pipe.writer, BUFFER_BYTES) {
                    Ok(0) => (source.readable, source.ended) = (false, true),
                    Ok(length) => held.bytes = length as u32,
                    Err(sys::Trouble::Later) => source.readable = false,
                    Err(sys::Trouble::Broken) => return self.give_up(held),
                }
            } else {
                match sys::splice(held.pipe.reader, to, held.bytes as usize) {
                    Ok(written) => held.bytes -= written as u32,
                    Err(sys::Trouble::Later) => sink.writable = false,
                    Err(sys::Trouble::Broken) => return self.give_up(held),
                }
            }
        }
        if held.bytes == 0 {
            self.spare.push(held.pipe);
        } else {
            source.held = Some(held);
        }
        Ok(())
    }

    fn discard(&mut self, held: Held) {
        // What is in it must not reach another pair.
        sys::close(held.pipe.reader);
        sys::close(held.pipe.writer);
    }
}

impl Splice {
    #[cold]
    fn give_up(&mut self, held: Held) -> Result<(), ()> {
        if held.bytes == 0 {
            self.spare.push(held.pipe);
        } else {
            self.discard(held);
        }
        Err(())
    }
}
