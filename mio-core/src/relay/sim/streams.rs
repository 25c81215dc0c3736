//! Streams that are simulated.
//!
//! What is injected is what kernels do: bytes and room come piece by piece, so that reads and writes are
//! short; calls are interrupted; a report comes twice or too late; streams half-close, are reset, and fail.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io::{self, ErrorKind},
};

use super::super::*;
use crate::interest::Readiness;

/// One side of a pair as the proxy has it, and what the peer behind it does.
#[derive(Debug)]
pub(in crate::relay) struct Side(RefCell<Inner>);

#[derive(Debug)]
struct Inner {
    random: Random,
    /// Out of a hundred calls, how many are interrupted.
    interrupted: u64,
    arrived: VecDeque<u8>,
    ending: bool,
    failed: Option<ErrorKind>,
    sent: Vec<u8>,
    room: usize,
    ended: bool,
    news: Readiness,
    /// Reports told of each direction, and calls that found nothing there.
    reports: [usize; 2],
    in_vain: [usize; 2],
    /// Out-of-band data stops splicing until something is read.
    urgent: bool,
    /// Why it cannot be spliced.
    refuses: Option<ErrorKind>,
    /// Pipes take less than asked for, now and then.
    whims: bool,
    /// In which lengths bytes are sent on, and how often that was asked.
    segment: usize,
    asked: usize,
}

/// A pipe that takes any number of bytes, or fewer than asked for.
#[derive(Debug)]
pub(in crate::relay) struct SimPipe(RefCell<VecDeque<u8>>);

thread_local! {
    /// How many pipes may still be opened, and why no more.
    static PIPES: Cell<(usize, ErrorKind)> = const { Cell::new((0, ErrorKind::Other)) };
}

/// Lets so many pipes be opened in this thread from now on.
pub(in crate::relay) fn allow_pipes(number: usize, then: ErrorKind) {
    PIPES.set((number, then));
}

impl Pipe for SimPipe {
    fn open(_: usize) -> io::Result<SimPipe> {
        let (left, then) = PIPES.get();
        PIPES.set((left.checked_sub(1).ok_or(then)?, then));
        Ok(SimPipe(RefCell::default()))
    }
}

/// SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

impl Side {
    pub(in crate::relay) fn new(seed: u64) -> Side {
        Side(RefCell::new(Inner {
            random: Random(seed),
            interrupted: 0,
            arrived: VecDeque::new(),
            ending: false,
            failed: None,
            sent: Vec::new(),
            room: 0,
            ended: false,
            news: Readiness::empty(),
            reports: [0; 2],
            in_vain: [0; 2],
            urgent: false,
            refuses: None,
            whims: false,
            segment: 1,
            asked: 0,
        }))
    }

    pub(super) fn whimsical(seed: u64, percent: u64) -> Side {
        let side = Side::new(seed);
        side.interrupt(percent);
        side.0.borrow_mut().whims = true;
        side
    }

    /// So many of a hundred calls are interrupted from now on.
    pub(in crate::relay) fn interrupt(&self, percent: u64) {
        self.0.borrow_mut().interrupted = percent;
    }

    /// The peer has sent this.
    pub(in crate::relay) fn arrive(&self, bytes: &[u8]) {
        let mut inner = self.0.borrow_mut();
        inner.arrived.extend(bytes);
        inner.news |= Readiness::READABLE;
    }

    /// The peer will send no more.
    pub(in crate::relay) fn end(&self) {
        let mut inner = self.0.borrow_mut();
        inner.ending = true;
        inner.news |= Readiness::READABLE | Readiness::READ_CLOSED;
    }

    /// The connection is lost.
    pub(in crate::relay) fn fail(&self, kind: ErrorKind) {
        let mut inner = self.0.borrow_mut();
        inner.failed = Some(kind);
        inner.news |= Readiness::ERROR | Readiness::READ_CLOSED | Readiness::WRITE_CLOSED;
    }

    /// The peer has sent an urgent byte, which nobody reads.
    pub(in crate::relay) fn urge(&self) {
        let mut inner = self.0.borrow_mut();
        inner.urgent = true;
        inner.news |= Readiness::READABLE;
    }

    /// It cannot be spliced from now on.
    pub(in crate::relay) fn refuse(&self, kind: ErrorKind) {
        self.0.borrow_mut().refuses = Some(kind);
    }

    /// It sends bytes on in segments of this length from now on.
    pub(in crate::relay) fn cut(&self, segment: usize) {
        self.0.borrow_mut().segment = segment;
    }

    /// How often the length of its segments was asked for.
    pub(in crate::relay) fn asked(&self) -> usize {
        self.0.borrow().asked
    }

    /// The peer has taken so much.
    pub(in crate::relay) fn make_room(&self, bytes: usize) {
        let mut inner = self.0.borrow_mut();
        inner.room += bytes;
        inner.news |= Readiness::WRITABLE;
    }

    /// The peer has so much room and no more.
    pub(in crate::relay) fn make_room_only(&self, bytes: usize) {
        self.0.borrow_mut().room = bytes;
    }

    /// A report that tells nothing new.
    pub(super) fn repeat(&self, readiness: Readiness) {
        self.0.borrow_mut().news |= readiness;
    }

    /// What was written, in order.
    pub(in crate::relay) fn sent(&self) -> Vec<u8> {
        self.0.borrow().sent.clone()
    }

    /// How many bytes wait to be read.
    pub(in crate::relay) fn waiting(&self) -> usize {
        self.0.borrow().arrived.len()
    }

    /// For how many bytes there is room.
    pub(super) fn room(&self) -> usize {
        self.0.borrow().room
    }

    /// Whether the peer was told that no more will be written.
    pub(in crate::relay) fn is_ended(&self) -> bool {
        self.0.borrow().ended
    }

    /// The report that is due, if any.
    pub(in crate::relay) fn news(&self) -> Readiness {
        let mut inner = self.0.borrow_mut();
        let news = std::mem::replace(&mut inner.news, Readiness::empty());
        inner.reports[0] += usize::from(news.wants_read());
        inner.reports[1] += usize::from(news.wants_write());
        news
    }

    pub(super) fn has_news(&self) -> bool {
        !self.0.borrow().news.is_empty()
    }

    /// Each report may be in vain once, since it may come late; no other call may.
    pub(super) fn check_that_calls_told_news(&self) {
        let Inner { reports, in_vain, .. } = &*self.0.borrow();
        assert!(in_vain[0] <= reports[0] && in_vain[1] <= reports[1], "{in_vain:?} of {reports:?}");
    }
}

impl Inner {
    fn begin(&mut self) -> io::Result<()> {
        if self.random.chance(self.interrupted) {
            return Err(ErrorKind::Interrupted.into());
        }
        self.failed.map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn look(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!buffer.is_empty());
        self.begin()?;
        let length = buffer.len().min(self.arrived.len());
        if length == 0 && !self.ending {
            self.in_vain[0] += 1;
            return Err(ErrorKind::WouldBlock.into());
        }
        for (to, from) in buffer.iter_mut().zip(&self.arrived) {
            *to = *from;
        }
        Ok(length)
    }
}

impl Stream<SimPipe> for Side {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut inner = self.0.borrow_mut();
        let length = inner.look(buffer)?;
        inner.arrived.drain(..length);
        inner.urgent = false;
        Ok(length)
    }

    fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().look(buffer)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.0.borrow_mut();
        assert!(!bytes.is_empty() && !inner.ended);
        inner.begin()?;
        let length = bytes.len().min(inner.room);
        if length == 0 {
            inner.in_vain[1] += 1;
            return Err(ErrorKind::WouldBlock.into());
        }
        inner.room -= length;
        inner.sent.extend(&bytes[..length]);
        Ok(length)
    }

    fn segment(&self) -> usize {
        let mut inner = self.0.borrow_mut();
        inner.asked += 1;
        inner.segment
    }

    fn finish(&self) -> io::Result<()> {
        let mut inner = self.0.borrow_mut();
        assert!(!inner.ended, "told twice");
        inner.ended = true;
        inner.failed.map_or(Ok(()), |_| Err(ErrorKind::NotConnected.into()))
    }

    fn fill(&self, pipe: &SimPipe, max: usize) -> io::Result<usize> {
        let mut inner = self.0.borrow_mut();
        let mut pipe = pipe.0.borrow_mut();
        assert!(pipe.is_empty(), "bytes of another flow");
        if let Some(kind) = inner.refuses {
            return Err(kind.into());
        }
        inner.begin()?;
        let slots =
            if inner.whims && inner.random.chance(30) { 1 + inner.random.below(max) } else { max };
        let length = slots.min(inner.arrived.len());
        if inner.urgent || (length == 0 && !inner.ending) {
            return Err(ErrorKind::WouldBlock.into());
        }
        pipe.extend(inner.arrived.drain(..length));
        Ok(length)
    }

    fn drain(&self, pipe: &SimPipe, max: usize) -> io::Result<usize> {
        let mut inner = self.0.borrow_mut();
        let mut pipe = pipe.0.borrow_mut();
        if let Some(kind) = inner.refuses {
            return Err(kind.into());
        }
        if pipe.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        assert_eq!(pipe.len(), max, "neither more nor less than there is");
        inner.begin()?;
        let length = inner.room.min(max);
        if length == 0 {
            inner.in_vain[1] += 1;
            return Err(ErrorKind::WouldBlock.into());
        }
        inner.room -= length;
        inner.sent.extend(pipe.drain(..length));
        Ok(length)
    }
}
