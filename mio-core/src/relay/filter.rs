//! Looking at bytes on their way, and changing them.

use std::{fmt, io::ErrorKind};

use crate::Full;

/// Looks at the bytes of one direction, and may change them. `()` does neither, at no cost.
///
/// Each byte is shown once, in order, in [`Chunk`]s as they were read.
///
/// ```
/// use std::io::ErrorKind;
/// use mio_core::relay::{Chunk, Filter};
///
/// /// Looks at the first byte and at nothing else.
/// #[derive(Default)]
/// struct OnlyTls { seen: bool }
///
/// impl Filter for OnlyTls {
///     fn is_active(&self) -> bool {
///         !self.seen
///     }
///
///     fn pass(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
///         self.seen = true;
///         if chunk.bytes().first() == Some(&22) { Ok(()) } else { Err(ErrorKind::InvalidData) }
///     }
/// }
/// ```
pub trait Filter {
    /// For how many bytes there is always room at the end of a chunk. What is read at a time is less by as
    /// much.
    const ROOM: usize = 0;

    /// Whether it wants to see what comes next. Asked before each read; while it does, that is copied, never
    /// spliced.
    #[inline]
    fn is_active(&self) -> bool {
        true
    }

    /// Bytes have come.
    ///
    /// # Errors
    ///
    /// Any error breaks the flow off: see [`Broken::Filter`](crate::relay::Broken::Filter).
    fn pass(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind>;

    /// The source has ended. `chunk` is empty; what is put into it is written last.
    ///
    /// # Errors
    ///
    /// As [`pass`](Filter::pass).
    #[inline]
    fn end(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        let _ = chunk;
        Ok(())
    }
}

impl Filter for () {
    #[inline]
    fn is_active(&self) -> bool {
        false
    }

    #[inline]
    fn pass(&mut self, _: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// Bytes on their way, in a buffer that may have room for more.
pub struct Chunk<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

/// Without the bytes, which may be secret, as may be those of others in the rest of the buffer.
impl fmt::Debug for Chunk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<'a> Chunk<'a> {
    #[inline]
    pub(super) fn new(buffer: &'a mut [u8], len: usize) -> Chunk<'a> {
        Chunk { buffer, len }
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// The bytes, to be changed in place.
    #[inline]
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.len]
    }

    /// The number of bytes.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no byte.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// For how many bytes more there is room: [`Filter::ROOM`] at least, if the pool's buffers are longer
    /// than that.
    #[inline]
    #[must_use]
    pub fn room(&self) -> usize {
        self.buffer.len() - self.len
    }

    /// Cuts it to `len` bytes, or makes it that long. What bytes are added is not specified.
    ///
    /// # Errors
    ///
    /// [`Full`] if there is not so much room; nothing has changed then.
    #[inline]
    pub fn resize(&mut self, len: usize) -> Result<(), Full> {
        if len > self.buffer.len() {
            return Err(Full);
        }
        self.len = len;
        Ok(())
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    ///
    /// [`Full`] if there is not so much room; nothing has changed then.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let start = self.len;
        self.resize(start + bytes.len())?;
        self.buffer[start..self.len].copy_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_grows_within_its_room_and_shrinks() {
        let mut buffer = *b"abc.....";
        let mut chunk = Chunk::new(&mut buffer, 3);
        assert_eq!(chunk.push(b"defghi"), Err(Full));
        assert_eq!((chunk.bytes(), chunk.room()), (&b"abc"[..], 5));
        chunk.push(b"de").unwrap();
        chunk.bytes_mut()[0] = b'A';
        assert_eq!((chunk.bytes(), chunk.len(), chunk.room()), (&b"Abcde"[..], 5, 3));
        assert_eq!(format!("{chunk:?}"), "Chunk { len: 5, .. }");
        assert_eq!(chunk.resize(9), Err(Full));
        chunk.resize(0).unwrap();
        assert!(chunk.is_empty());
    }
}
