//! By `recv` and `send` through one buffer that all pairs share.

use std::ops::Range;
use std::os::fd::RawFd;

use crate::{BUFFER_BYTES, Side, Way, sys};

pub struct Copy {
    scratch: Box<[u8]>,
    /// Buffers that were needed once, for what a sink did not take.
    spare: Vec<Box<[u8]>>,
}

/// A remainder: the buffer it was read into, and which part of it.
pub struct Held {
    buffer: Box<[u8]>,
    part: Range<u32>,
}

impl Copy {
    pub fn new() -> Self {
        Self { scratch: buffer(), spare: Vec::new() }
    }
}

fn buffer() -> Box<[u8]> {
    vec![0; BUFFER_BYTES].into_boxed_slice()
}

impl Way for Copy {
    /// Boxed, so that a pair which holds nothing is small.
    type Held = Box<Held>;

    #[inline(always)]
    fn pump(
        &mut self,
        from: RawFd,
        source: &mut Side<Self::Held>,
        sink: &mut Side<Self::Held>,
    ) -> Result<(), ()> {
        let to = source.peer;
        if source.held.is_some() {
            self.write_held(to, source, sink)?;
        }
        while source.readable && sink.writable {
            let length = match sys::recv(from, &mut self.scratch) {
                Ok(0) => {
                    (source.readable, source.ended) = (false, true);
                    return Ok(());
                }
                Ok(length) => length,
                Err(sys::Trouble::Later) => {
                    source.readable = false;
                    return Ok(());
                }
                Err(sys::Trouble::Broken) => return Err(()),
            };
            source.readable = length == BUFFER_BYTES || source.ending;
            let written = match sys::send(to, &self.scratch[..length]) {
                Ok(written) => written,
                Err(sys::Trouble::Later) => 0,
                Err(sys::Trouble::Broken) => return Err(()),
            };
            if written < length {
                sink.writable = false;
                let spare = self.spare.pop().unwrap_or_else(buffer);
                let buffer = std::mem::replace(&mut self.scratch, spare);
                source.held = Some(Box::new(Held { buffer, part: written as u32..length as u32 }));
            }
        }
        Ok(())
    }

    fn discard(&mut self, held: Self::Held) {
        self.spare.push(held.buffer);
    }
}

impl Copy {
    #[cold]
    fn write_held(
        &mut self,
        to: RawFd,
        source: &mut Side<Box<Held>>,
        sink: &mut Side<Box<Held>>,
    ) -> Result<(), ()> {
        let Some(mut held) = source.held.take() else { return Ok(()) };
        let part = held.part.start as usize..held.part.end as usize;
        match sys::send(to, &held.buffer[part]) {
            Ok(written) => held.part.start += written as u32,
            Err(sys::Trouble::Later) => {}
            Err(sys::Trouble::Broken) => return Err(()),
        }
        if held.part.is_empty() {
            self.spare.push(held.buffer);
        } else {
            sink.writable = false;
            source.held = Some(held);
        }
        Ok(())
    }
}
