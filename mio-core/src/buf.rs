//! A fixed ring of bytes, on the stack or wherever its storage lives.

use std::{
    fmt,
    io::{self, IoSlice, IoSliceMut, Read, Write},
};

use crate::Full;

/// A first-in, first-out buffer of bytes over storage of fixed size.
///
/// The storage is an array (then the ring is as large as its content, lives on the stack or in the
/// value around it, and allocates nothing), a borrowed `&mut [u8]`, or a `Box<[u8]>`. Its length
/// is the capacity: any number, as fast when it is no power of two.
///
/// A ring stands between a source and a sink that are not ready at the same time:
///
/// ```
/// use mio_core::buf::Ring;
///
/// let (mut source, mut sink) = (&b"hello, ring"[..], Vec::new());
/// let mut ring = Ring::new([0; 8]);
/// loop {
///     if !ring.is_full() && ring.fill_from(&mut source)? == 0 {
///         break; // the source has ended
///     }
///     ring.drain_to(&mut sink)?;
/// }
/// assert_eq!(sink, b"hello, ring");
/// # std::io::Result::Ok(())
/// ```
///
/// # Contiguity
///
/// What is held, and what is free, is one slice or two. Whenever the ring becomes empty it starts again
/// at the beginning of its storage, so that the free space is then one slice, and one plain `read`
/// fills it. [`make_contiguous`](Ring::make_contiguous) joins what is held, for a parser that needs one slice.
///
/// # Cost
///
/// The storage must be initialised, as `[0; N]` is: as much as it takes to write it once. What is read into a ring
/// again is not cleared in between. A large array is copied when its ring is moved, so make it where it
/// stays, or borrow the storage.
pub struct Ring<S> {
    storage: S,
    /// Where the oldest byte is. It is less than the capacity, or 0.
    start: usize,
    len: usize,
}

impl<S> Ring<S> {
    /// An empty ring over this storage, whose content does not matter.
    #[inline]
    #[must_use]
    pub const fn new(storage: S) -> Ring<S> {
        Ring { storage, start: 0, len: 0 }
    }

    /// The number of bytes held.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no byte is held.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all bytes held.
    #[inline]
    pub const fn clear(&mut self) {
        self.start = 0;
        self.len = 0;
    }

    /// Gives the storage back. Where in it the bytes are is not specified.
    #[inline]
    #[must_use]
    pub fn into_storage(self) -> S {
        self.storage
    }
}

impl<S: AsRef<[u8]> + AsMut<[u8]>> Ring<S> {
    /// Reads once from `reader` into all the free space: one call of `read`, or of `read_vectored` if
    /// the free space is in two parts. Returns the number of bytes read; `Ok(0)` always means that the
    /// reader has ended.
    ///
    /// # Errors
    ///
    /// A full ring is not read into, since that could not be told from the end: it is [`Full`], whose
    /// kind is [`QuotaExceeded`](io::ErrorKind::QuotaExceeded). All else is the reader's, passed on as it
    /// is: `WouldBlock`, and `Interrupted` too. The ring is unchanged then.
    ///
    /// # Panics
    ///
    /// If the reader claims to have read more than it was given room for.
    #[inline]
    pub fn fill_from(&mut self, reader: &mut (impl Read + ?Sized)) -> io::Result<usize> {
        if self.is_full() {
            return Err(Full.into());
        }
        let n = match self.free_slices_mut() {
            (free, []) => reader.read(free)?,
            (first, second) => {
                reader.read_vectored(&mut [IoSliceMut::new(first), IoSliceMut::new(second)])?
            }
        };
        self.commit(n);
        Ok(n)
    }

    /// Writes once all bytes held to `writer`: one call of `write`, or of `write_vectored` if they are
    /// in two parts. What the writer took is no longer held. Returns how many bytes that were; `Ok(0)`
    /// always means that the ring is empty, and the writer was not called.
    ///
    /// # Errors
    ///
    /// [`WriteZero`](io::ErrorKind::WriteZero) if the writer takes nothing. All else is the writer's,
    /// passed on as it is: `WouldBlock`, and `Interrupted` too. The ring is unchanged then.
    ///
    /// # Panics
    ///
    /// If the writer claims to have taken more than it was given.
    #[inline]
    pub fn drain_to(&mut self, writer: &mut (impl Write + ?Sized)) -> io::Result<usize> {
        let n = match self.as_slices() {
            ([], []) => return Ok(0),
            (held, []) => writer.write(held)?,
            (first, second) => {
                writer.write_vectored(&[IoSlice::new(first), IoSlice::new(second)])?
            }
        };
        if n == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.consume(n);
        Ok(n)
    }

    /// Appends as much of `bytes` as there is room for. Returns how many that were; 0 means that the
    /// ring is full or `bytes` empty.
    #[inline]
    pub fn push_slice(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.free());
        let (first, second) = self.free_slices_mut();
        let (head, tail) = bytes[..n].split_at(n.min(first.len()));
        first[..head.len()].copy_from_slice(head);
        second[..tail.len()].copy_from_slice(tail);
        self.commit(n);
        n
    }

    /// Moves the oldest bytes into `bytes`, as many as it takes. Returns how many that were; 0 means
    /// that the ring or `bytes` is empty.
    #[inline]
    pub fn pop_slice(&mut self, bytes: &mut [u8]) -> usize {
        let n = bytes.len().min(self.len);
        let (first, second) = self.as_slices();
        let (head, tail) = bytes[..n].split_at_mut(n.min(first.len()));
        head.copy_from_slice(&first[..head.len()]);
        tail.copy_from_slice(&second[..tail.len()]);
        self.consume(n);
        n
    }

    /// The number of bytes that the ring can hold: the length of its storage.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.storage.as_ref().len()
    }

    /// The number of bytes that there is room for.
    #[inline]
    #[must_use]
    pub fn free(&self) -> usize {
        self.capacity() - self.len
    }

    /// Whether there is no room for another byte.
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len == self.capacity()
    }

    /// The bytes held, oldest first, in two parts. The second is empty unless they go around the end
    /// of the storage; the first is empty only if the ring is. [`consume`](Self::consume) what was used.
    #[inline]
    #[must_use]
    pub fn as_slices(&self) -> (&[u8], &[u8]) {
        let storage = self.storage.as_ref();
        let end = self.start + self.len;
        match end.checked_sub(storage.len()) {
            None => (&storage[self.start..end], &[]),
            Some(end) => (&storage[self.start..], &storage[..end]),
        }
    }

    /// The bytes held, to be changed in place, in the two parts of [`as_slices`](Self::as_slices).
    #[inline]
    #[must_use]
    pub fn as_mut_slices(&mut self) -> (&mut [u8], &mut [u8]) {
        let storage = self.storage.as_mut();
        let end = self.start + self.len;
        match end.checked_sub(storage.len()) {
            None => (&mut storage[self.start..end], &mut []),
            Some(end) => {
                let (low, high) = storage.split_at_mut(self.start);
                (high, &mut low[..end])
            }
        }
    }

    /// The free space, in two parts, in the order in which it is to be filled. The second is empty unless
    /// the space goes around the end of the storage; the first is empty only if the ring is full.
    /// What they contain is of no meaning. [`commit`](Self::commit) what was written.
    #[inline]
    #[must_use]
    pub fn free_slices_mut(&mut self) -> (&mut [u8], &mut [u8]) {
        let storage = self.storage.as_mut();
        let end = self.start + self.len;
        match end.checked_sub(storage.len()) {
            None => {
                let (low, high) = storage.split_at_mut(end);
                (high, &mut low[..self.start])
            }
            Some(end) => (&mut storage[end..self.start], &mut []),
        }
    }

    /// [`as_slices`](Self::as_slices), for a vectored write of one's own.
    ///
    /// # Panics
    ///
    /// Portability: on Windows, if a part is longer than 4 GiB, as [`IoSlice::new`] does.
    #[inline]
    #[must_use]
    pub fn as_io_slices(&self) -> [IoSlice<'_>; 2] {
        let (first, second) = self.as_slices();
        [IoSlice::new(first), IoSlice::new(second)]
    }

    /// [`free_slices_mut`](Self::free_slices_mut), for a vectored read of one's own.
    ///
    /// # Panics
    ///
    /// Portability: on Windows, if a part is longer than 4 GiB, as [`IoSliceMut::new`] does.
    #[inline]
    #[must_use]
    pub fn free_io_slices_mut(&mut self) -> [IoSliceMut<'_>; 2] {
        let (first, second) = self.free_slices_mut();
        [IoSliceMut::new(first), IoSliceMut::new(second)]
    }

    /// Drops the oldest `n` bytes.
    ///
    /// # Panics
    ///
    /// If fewer are held.
    #[inline]
    pub fn consume(&mut self, n: usize) {
        assert!(n <= self.len, "more bytes consumed than held");
        self.len -= n;
        self.start = match (self.start + n).checked_sub(self.capacity()) {
            _ if self.len == 0 => 0,
            None => self.start + n,
            Some(start) => start,
        };
    }

    /// Appends the first `n` bytes of the [free space](Self::free_slices_mut).
    ///
    /// # Panics
    ///
    /// If there is less room.
    #[inline]
    pub fn commit(&mut self, n: usize) {
        assert!(n <= self.free(), "more bytes committed than there was room for");
        self.len += n;
    }

    /// Moves the bytes held into one slice, for a parser that needs them so. If they are in one part,
    /// it costs nothing; otherwise the whole storage is rotated in place.
    pub fn make_contiguous(&mut self) -> &mut [u8] {
        if self.start + self.len > self.capacity() {
            self.storage.as_mut().rotate_left(self.start);
            self.start = 0;
        }
        self.as_mut_slices().0
    }
}

impl<const N: usize> Default for Ring<[u8; N]> {
    /// An empty ring over an array of zeros.
    #[inline]
    fn default() -> Self {
        Ring::new([0; N])
    }
}

/// Takes the oldest bytes. `Ok(0)` means that the ring (or the caller's buffer) is empty for now; there
/// are no errors.
impl<S: AsRef<[u8]> + AsMut<[u8]>> Read for Ring<S> {
    #[inline]
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        Ok(self.pop_slice(bytes))
    }
}

/// Appends what there is room for. `Ok(0)` means that the ring is full (or nothing was given), of which
/// `write_all` makes the error `WriteZero`; there are no errors, and `flush` does nothing.
impl<S: AsRef<[u8]> + AsMut<[u8]>> Write for Ring<S> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.push_slice(bytes))
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Without the bytes, which may be secret.
impl<S: AsRef<[u8]>> fmt::Debug for Ring<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("len", &self.len)
            .field("capacity", &self.storage.as_ref().len())
            .finish()
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// A ring that holds "cdefg", the last byte of which is at the beginning of the storage.
    fn wrapped() -> Ring<[u8; 6]> {
        let mut ring = Ring::new([0; 6]);
        assert_eq!(ring.push_slice(b"abcde"), 5);
        ring.consume(2);
        assert_eq!(ring.push_slice(b"fg"), 2);
        ring
    }

    /// Counts its calls, and those for several parts, and gives or takes up to `limit` bytes in each.
    pub(super) struct Peer {
        calls: usize,
        vectored: usize,
        limit: usize,
        pub(super) bytes: VecDeque<u8>,
    }

    impl Peer {
        pub(super) fn new(limit: usize, bytes: &[u8]) -> Peer {
            Peer { calls: 0, vectored: 0, limit, bytes: bytes.iter().copied().collect() }
        }
    }

    impl Read for Peer {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            let read = self.read_vectored(&mut [IoSliceMut::new(bytes)]);
            self.vectored -= 1;
            read
        }

        fn read_vectored(&mut self, parts: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
            self.calls += 1;
            self.vectored += 1;
            let mut n = 0;
            for place in parts.iter_mut().flat_map(|part| part.iter_mut()).take(self.limit) {
                let Some(byte) = self.bytes.pop_front() else { break };
                *place = byte;
                n += 1;
            }
            Ok(n)
        }
    }

    impl Write for Peer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let written = self.write_vectored(&[IoSlice::new(bytes)]);
            self.vectored -= 1;
            written
        }

        fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
            self.calls += 1;
            self.vectored += 1;
            let before = self.bytes.len();
            self.bytes.extend(parts.iter().flat_map(|part| part.iter()).take(self.limit));
            Ok(self.bytes.len() - before)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Blocked;

    impl Read for Blocked {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }

    impl Write for Blocked {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn one_call_fills_and_one_call_drains_a_ring_that_goes_around() {
        let mut ring = wrapped();
        assert_eq!(ring.as_slices(), (&b"cdef"[..], &b"g"[..]));
        let mut sink = Peer::new(3, b"");
        assert_eq!(ring.drain_to(&mut sink).unwrap(), 3);
        assert_eq!((&*ring.make_contiguous(), sink.calls), (&b"fg"[..], 1));
        let mut ring = wrapped();
        let mut sink = Peer::new(9, b"");
        assert_eq!(ring.drain_to(&mut sink).unwrap(), 5);
        assert_eq!((&*sink.bytes.make_contiguous(), sink.calls), (&b"cdefg"[..], 1));

        let mut ring = Ring::new([0; 6]);
        ring.push_slice(b"abcd");
        ring.consume(3);
        let mut source = Peer::new(9, b"efghijk");
        assert_eq!(ring.fill_from(&mut source).unwrap(), 5);
        assert_eq!((&*ring.make_contiguous(), source.calls), (&b"defghi"[..], 1));
    }

    #[test]
    fn what_is_in_one_part_takes_the_plain_call() {
        let (mut ring, mut peer) = (Ring::new([0; 6]), Peer::new(9, b"abcdefgh"));
        assert_eq!(ring.fill_from(&mut peer).unwrap(), 6);
        assert_eq!(ring.drain_to(&mut peer).unwrap(), 6);
        assert_eq!((peer.calls, peer.vectored), (2, 0));
        let mut peer = Peer::new(9, b"");
        assert_eq!(wrapped().drain_to(&mut peer).unwrap(), 5);
        assert_eq!((peer.calls, peer.vectored), (1, 1));
    }

    #[test]
    fn an_empty_ring_starts_again_at_the_beginning() {
        let mut ring = wrapped();
        ring.consume(5);
        assert_eq!(ring.free_slices_mut().0.len(), 6);
        let mut ring = wrapped();
        ring.clear();
        assert!(ring.is_empty());
        assert_eq!(ring.free_slices_mut().0.len(), 6);
    }

    #[test]
    fn what_is_in_one_part_is_not_moved_to_be_contiguous() {
        let mut ring = Ring::new([0; 6]);
        ring.push_slice(b"abcdef");
        ring.consume(2);
        let place = ring.as_slices().0.as_ptr();
        assert_eq!(ring.make_contiguous().as_ptr(), place);
    }

    #[test]
    fn filling_a_full_ring_is_an_error_and_zero_is_the_end() {
        let mut ring = Ring::new([0; 2]);
        let mut source = Peer::new(9, b"abc");
        assert_eq!(ring.fill_from(&mut source).unwrap(), 2);
        let error = ring.fill_from(&mut source).unwrap_err();
        assert_eq!((error.kind(), source.calls), (io::ErrorKind::QuotaExceeded, 1));
        ring.consume(1);
        assert_eq!(ring.fill_from(&mut source).unwrap(), 1);
        ring.consume(1);
        assert_eq!(ring.fill_from(&mut source).unwrap(), 0);
        assert_eq!(ring.as_slices().0, b"c");
    }

    #[test]
    fn draining_an_empty_ring_calls_nobody_and_taking_nothing_is_an_error() {
        let mut sink = Peer::new(0, b"");
        assert_eq!(Ring::new([0; 2]).drain_to(&mut sink).unwrap(), 0);
        assert_eq!(sink.calls, 0);
        let error = wrapped().drain_to(&mut sink).unwrap_err();
        assert_eq!((error.kind(), sink.calls), (io::ErrorKind::WriteZero, 1));
    }

    #[test]
    fn an_error_of_the_peer_is_passed_on_and_changes_nothing() {
        let mut ring = wrapped();
        assert_eq!(ring.fill_from(&mut Blocked).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(ring.drain_to(&mut Blocked).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(ring.make_contiguous(), b"cdefg");
    }

    #[test]
    fn storage_may_be_an_array_borrowed_or_boxed_and_of_no_length() {
        let mut place = *b"....";
        let mut ring = Ring::new(&mut place[1..]);
        assert_eq!((ring.capacity(), ring.push_slice(b"abcd")), (3, 3));
        assert_eq!(ring.into_storage(), b"abc");
        assert_eq!(Ring::new(vec![0; 5].into_boxed_slice()).free(), 5);
        assert_eq!(Ring::<[u8; 100]>::default().capacity(), 100);
        let mut none = Ring::new([]);
        assert!(none.is_empty() && none.is_full());
        assert_eq!((none.push_slice(b"a"), none.pop_slice(&mut [0])), (0, 0));
        assert!(none.make_contiguous().is_empty());
    }

    #[test]
    fn it_reads_and_writes_like_a_stream() {
        let mut ring = Ring::new([0; 4]);
        ring.write_all(b"abcd").unwrap();
        assert_eq!(ring.write_all(b"e").unwrap_err().kind(), io::ErrorKind::WriteZero);
        let mut text = String::new();
        assert_eq!(ring.read_to_string(&mut text).unwrap(), 4);
        assert_eq!((text.as_str(), ring.read(&mut [0]).unwrap()), ("abcd", 0));
        assert_eq!(format!("{ring:?}"), "Ring { len: 0, capacity: 4 }");
    }

    #[test]
    #[should_panic(expected = "more bytes consumed than held")]
    fn consuming_more_than_is_held_panics() {
        wrapped().consume(6);
    }

    #[test]
    #[should_panic(expected = "more bytes committed than there was room for")]
    fn committing_more_than_there_is_room_for_panics() {
        wrapped().commit(2);
    }
}
