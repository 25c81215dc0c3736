//! Streams that are simulated, and many pairs of them in virtual time, against a model.
//!
//! What is injected is what kernels do: bytes and room come piece by piece, so that reads and writes are
//! short; calls are interrupted; a report comes twice or too late; streams half-close, are reset, and fail.

use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    io::{self, ErrorKind},
};

use proptest::prelude::*;

use super::*;
use crate::interest::Readiness;

/// One side of a pair as the proxy has it, and what the peer behind it does.
#[derive(Debug)]
pub(super) struct Side(RefCell<Inner>);

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
}

/// A pipe that takes any number of bytes, or fewer than asked for.
#[derive(Debug)]
pub(super) struct SimPipe(RefCell<VecDeque<u8>>);

thread_local! {
    /// How many pipes may still be opened, and why no more.
    static PIPES: Cell<(usize, ErrorKind)> = const { Cell::new((0, ErrorKind::Other)) };
}

/// Lets so many pipes be opened in this thread from now on.
pub(super) fn allow_pipes(number: usize, then: ErrorKind) {
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
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

impl Side {
    pub(super) fn new(seed: u64) -> Side {
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
        }))
    }

    fn whimsical(seed: u64, percent: u64) -> Side {
        let side = Side::new(seed);
        side.interrupt(percent);
        side.0.borrow_mut().whims = true;
        side
    }

    /// So many of a hundred calls are interrupted from now on.
    pub(super) fn interrupt(&self, percent: u64) {
        self.0.borrow_mut().interrupted = percent;
    }

    /// The peer has sent this.
    pub(super) fn arrive(&self, bytes: &[u8]) {
        let mut inner = self.0.borrow_mut();
        inner.arrived.extend(bytes);
        inner.news |= Readiness::READABLE;
    }

    /// The peer will send no more.
    pub(super) fn end(&self) {
        let mut inner = self.0.borrow_mut();
        inner.ending = true;
        inner.news |= Readiness::READABLE | Readiness::READ_CLOSED;
    }

    /// The connection is lost.
    pub(super) fn fail(&self, kind: ErrorKind) {
        let mut inner = self.0.borrow_mut();
        inner.failed = Some(kind);
        inner.news |= Readiness::ERROR | Readiness::READ_CLOSED | Readiness::WRITE_CLOSED;
    }

    /// The peer has sent an urgent byte, which nobody reads.
    pub(super) fn urge(&self) {
        let mut inner = self.0.borrow_mut();
        inner.urgent = true;
        inner.news |= Readiness::READABLE;
    }

    /// It cannot be spliced from now on.
    pub(super) fn refuse(&self, kind: ErrorKind) {
        self.0.borrow_mut().refuses = Some(kind);
    }

    /// The peer has taken so much.
    pub(super) fn make_room(&self, bytes: usize) {
        let mut inner = self.0.borrow_mut();
        inner.room += bytes;
        inner.news |= Readiness::WRITABLE;
    }

    /// The peer has so much room and no more.
    pub(super) fn make_room_only(&self, bytes: usize) {
        self.0.borrow_mut().room = bytes;
    }

    /// What was written, in order.
    pub(super) fn sent(&self) -> Vec<u8> {
        self.0.borrow().sent.clone()
    }

    /// How many bytes wait to be read.
    pub(super) fn waiting(&self) -> usize {
        self.0.borrow().arrived.len()
    }

    /// For how many bytes there is room.
    fn room(&self) -> usize {
        self.0.borrow().room
    }

    /// Whether the peer was told that no more will be written.
    pub(super) fn is_ended(&self) -> bool {
        self.0.borrow().ended
    }

    /// The report that is due, if any.
    pub(super) fn news(&self) -> Readiness {
        let mut inner = self.0.borrow_mut();
        let news = std::mem::replace(&mut inner.news, Readiness::empty());
        inner.reports[0] += usize::from(news.wants_read());
        inner.reports[1] += usize::from(news.wants_write());
        news
    }

    fn has_news(&self) -> bool {
        !self.0.borrow().news.is_empty()
    }

    /// Each report may be in vain once, since it may come late; no other call may.
    fn check_that_calls_told_news(&self) {
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

/// What a peer does next, at some time.
#[derive(Clone, Copy, Debug)]
enum Act {
    Send(usize),
    Take(usize),
    End,
    Fail(ErrorKind),
    Urge,
    /// A report that tells nothing new.
    Repeat(Readiness),
}

struct Pair {
    sides: [Side; 2],
    flows: [Flow; 2],
    filters: [Marks; 2],
    /// What each peer has sent and will have sent; whether it has ended; how it has failed.
    sent: [usize; 2],
    ends: [bool; 2],
    failed: [Option<ErrorKind>; 2],
    queued: bool,
    over: Option<Result<(), Broken>>,
}

/// Flips all bits of each byte while it is active, for so many bytes.
#[derive(Debug)]
struct Marks {
    left: usize,
    seen: usize,
}

impl Filter for Marks {
    fn is_active(&self) -> bool {
        self.left > 0
    }

    fn pass(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        for byte in chunk.bytes_mut().iter_mut().take(self.left) {
            *byte = !*byte;
        }
        let length = chunk.len().min(self.left);
        (self.left, self.seen) = (self.left - length, self.seen + length);
        Ok(())
    }
}

/// The byte that the peer of this side of this pair sends at this place.
fn byte(pair: usize, side: usize, at: usize) -> u8 {
    (Random((pair * 2 + side) as u64 ^ ((at as u64) << 20)).next() >> 13) as u8
}

struct World {
    random: Random,
    pairs: Vec<Pair>,
    pool: Pool<SimPipe>,
    way: Way,
    /// What happens when to which side of which pair; the number keeps ties in order.
    plan: BinaryHeap<Reverse<(u64, usize, usize, usize)>>,
    acts: Vec<Act>,
    again: Vec<usize>,
    starved: u64,
}

impl World {
    fn new(seed: u64) -> World {
        let mut random = Random(seed);
        // Few who meet often, or many who are seldom served.
        let pairs = if random.chance(3) { 1 + random.below(200) } else { 1 + random.below(8) };
        let bounds = Bounds {
            buffers: random.below(pairs * 2 + 2),
            buffer_bytes: 1 + random.below(40),
            burst_bytes: 1 + random.below(120) as u64,
            waiting: pairs,
            pipes: random.below(5),
            pipe_bytes: 1 + random.below(150),
        };
        // No descriptor left, no pipes at all, or enough.
        use ErrorKind::{Other, Unsupported};
        let then = [Other, Unsupported][random.below(2)];
        allow_pipes(if random.chance(20) { random.below(3) } else { usize::MAX }, then);
        let mut world = World {
            pool: Pool::with_pipes(bounds),
            way: Way::default(),
            plan: BinaryHeap::new(),
            acts: Vec::new(),
            again: Vec::new(),
            starved: 0,
            pairs: Vec::new(),
            random,
        };
        // A filter waits for a buffer: one has to be there.
        let filtered = if bounds.buffers > 0 { 30 } else { 0 };
        for number in 0..pairs {
            let pair = world.pair(filtered);
            world.pairs.push(pair);
            (0..2).for_each(|side| world.plan_a_peer(number, side));
        }
        world
    }

    fn pair(&mut self, filtered: u64) -> Pair {
        let random = &mut self.random;
        let interrupted = if random.chance(50) { 20 } else { 0 };
        let mut marks = || if random.chance(filtered) { random.below(300) } else { 0 };
        let filters = [marks(), marks()].map(|left| Marks { left, seen: 0 });
        let sides = [(); 2].map(|()| Side::whimsical(random.next(), interrupted));
        for side in &sides {
            use ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
            if random.chance(5) {
                side.refuse([InvalidInput, PermissionDenied, Unsupported][random.below(3)]);
            }
        }
        Pair {
            sides,
            flows: [Flow::new(), Flow::new()],
            filters,
            sent: [0; 2],
            ends: [false; 2],
            failed: [None; 2],
            queued: false,
            over: None,
        }
    }

    /// One peer's life: it sends, takes all that it can get in the end, ends, and may fail.
    fn plan_a_peer(&mut self, pair: usize, side: usize) {
        let mut at = self.random.next() % 50;
        for _ in 0..self.random.below(8) {
            let length = 1 + self.random.below(150);
            self.plan(at, pair, side, Act::Send(length));
            at += self.random.next() % 60;
        }
        self.plan(at, pair, side, Act::End);
        let mut at = self.random.next() % 50;
        for _ in 0..self.random.below(12) {
            let length = 1 + self.random.below(100);
            self.plan(at, pair, side, Act::Take(length));
            at += self.random.next() % 60;
        }
        self.plan(at, pair, side, Act::Take(1 << 20));
        if self.random.chance(20) {
            let readiness = [Readiness::READABLE, Readiness::WRITABLE][self.random.below(2)];
            let at = self.random.next() % 400;
            self.plan(at, pair, side, Act::Repeat(readiness));
        }
        if self.random.chance(20) {
            let at = self.random.next() % 400;
            self.plan(at, pair, side, Act::Urge);
        }
        if self.random.chance(15) {
            use ErrorKind::{BrokenPipe, ConnectionReset, TimedOut};
            let kind = [BrokenPipe, ConnectionReset, TimedOut][self.random.below(3)];
            let at = self.random.next() % 500;
            self.plan(at, pair, side, Act::Fail(kind));
        }
    }

    fn plan(&mut self, at: u64, pair: usize, side: usize, act: Act) {
        self.plan.push(Reverse((at, self.acts.len(), pair, side)));
        self.acts.push(act);
    }

    fn run(&mut self) {
        while let Some(&Reverse((now, ..))) = self.plan.peek() {
            // Everything of this moment, and sometimes of the next ones too: a loop that is late.
            let until = now + if self.random.chance(30) { self.random.next() % 30 } else { 0 };
            while let Some(&Reverse((at, act, pair, side))) = self.plan.peek() {
                if at > until {
                    break;
                }
                self.plan.pop();
                self.act(pair, side, self.acts[act]);
            }
            while self.turn() {}
            self.check_that_nobody_dawdles();
        }
        self.check_the_end();
    }

    /// When the loop would sleep, no byte that came waits for a sink that has room, unless for a buffer.
    fn check_that_nobody_dawdles(&self) {
        for (number, pair) in self.pairs.iter().enumerate() {
            if pair.over.is_some() || pair.queued {
                continue;
            }
            for way in [0, 1] {
                let (waiting, room) = (pair.sides[way].waiting(), pair.sides[1 - way].room());
                assert!(waiting == 0 || room == 0, "pair {number}: {waiting} for {room}");
            }
        }
    }

    fn act(&mut self, number: usize, side: usize, act: Act) {
        let pair = &mut self.pairs[number];
        let stream = &pair.sides[side];
        match act {
            Act::Send(length) if pair.failed[side].is_none() => {
                let from = pair.sent[side];
                let bytes: Vec<u8> =
                    (from..from + length).map(|at| byte(number, side, at)).collect();
                pair.sent[side] += length;
                stream.arrive(&bytes);
            }
            Act::Take(length) => stream.make_room(length),
            Act::End if pair.failed[side].is_none() => {
                pair.ends[side] = true;
                stream.end();
            }
            Act::Fail(kind) => {
                pair.failed[side] = Some(kind);
                stream.fail(kind);
            }
            Act::Urge if pair.failed[side].is_none() && !pair.ends[side] => stream.urge(),
            Act::Repeat(readiness) => stream.0.borrow_mut().news |= readiness,
            Act::Send(_) | Act::End | Act::Urge => {}
        }
    }

    /// A turn of the loop: reports in any order, then those that yielded. Whether anything happened.
    fn turn(&mut self) -> bool {
        let yielded = std::mem::take(&mut self.again);
        let mut ready: Vec<(usize, usize)> = (0..self.pairs.len() * 2)
            .map(|n| (n / 2, n % 2))
            .filter(|&(pair, side)| self.pairs[pair].sides[side].has_news())
            .collect();
        let any = !ready.is_empty() || !yielded.is_empty();
        while !ready.is_empty() {
            let (pair, side) = ready.swap_remove(self.random.below(ready.len()));
            self.hear(pair, side);
            self.advance(pair);
        }
        yielded.into_iter().for_each(|pair| self.advance(pair));
        any
    }

    fn hear(&mut self, pair: usize, side: usize) {
        let Pair { sides, flows, .. } = &mut self.pairs[pair];
        let news = sides[side].news();
        flows[side].source_is(news);
        flows[1 - side].sink_is(news);
    }

    fn advance(&mut self, number: usize) {
        let pair = &mut self.pairs[number];
        if pair.over.is_some() {
            return;
        }
        for way in [0, 1] {
            let (flow, filter) = (&mut pair.flows[way], &mut pair.filters[way]);
            let (source, sink) = (&pair.sides[way], &pair.sides[1 - way]);
            let before = sink.sent().len();
            match flow.advance(source, sink, &mut self.pool, &mut self.way, filter) {
                Ok(Progress::Waits) => {}
                Ok(Progress::Yields) => self.again.push(number),
                Ok(Progress::Starves) if pair.queued => {}
                Ok(Progress::Starves) => {
                    pair.queued = true;
                    self.starved += 1;
                    self.pool.queue(number as u64).unwrap();
                }
                Err(broken) => {
                    pair.over = Some(Err(broken));
                    break;
                }
            }
            let unit = self.pool.scratch().len().max(self.pool.pipes.bytes());
            let burst = self.pool.burst_bytes as usize + unit;
            assert!(sink.sent().len() - before <= burst, "fair");
        }
        if pair.flows.iter().all(Flow::is_finished) {
            pair.over = Some(Ok(()));
        }
        if pair.over.is_some() {
            pair.flows.iter_mut().for_each(|flow| flow.close(&mut self.pool));
        }
        while let Some(next) = self.pool.next_in_queue() {
            self.pairs[next as usize].queued = false;
            self.again.push(next as usize);
        }
    }

    fn check_the_end(&mut self) {
        for (number, pair) in self.pairs.iter().enumerate() {
            for way in [0, 1] {
                let got = pair.sides[1 - way].sent();
                let seen = pair.filters[way].seen;
                for (at, &got) in got.iter().enumerate() {
                    let sent = byte(number, way, at);
                    let expected = if at < seen { !sent } else { sent };
                    assert_eq!(got, expected, "pair {number}, way {way}, byte {at}");
                }
                assert!(got.len() <= pair.sent[way]);
                pair.sides[way].check_that_calls_told_news();
            }
            let all = |way: usize| pair.sides[1 - way].sent().len() == pair.sent[way];
            let ended = |way: usize| pair.sides[1 - way].is_ended();
            match pair.over {
                None => panic!("pair {number} is stuck"),
                Some(Ok(())) => {
                    // It may have ended before it failed, or before that was noticed.
                    assert!((0..2).all(|way| all(way) && pair.ends[way] && ended(way)));
                }
                Some(Err(Broken::Source(kind) | Broken::Sink(kind))) => {
                    assert!(pair.failed.contains(&Some(kind)), "{kind:?} was not injected");
                    // Whoever ended did so with every byte before it.
                    assert!((0..2).all(|way| !ended(way) || (all(way) && pair.ends[way])));
                }
                Some(Err(Broken::Filter(kind))) => panic!("{kind:?} is no filter's"),
            }
        }
        assert_eq!(self.pool.held(), 0, "every buffer is given back");
        assert_eq!(self.pool.next_in_queue(), None);
        self.pool.close_idle_pipes();
        assert_eq!(self.pool.pipes(), 0, "every pipe is given back");
    }
}

#[test]
fn the_simulation_reaches_every_way_to_go() {
    let (mut sum, mut queued, mut held) = (Way::default(), 0, 0);
    for seed in 0..500 {
        let mut world = World::new(seed);
        world.run();
        let Way { bytes, reads, writes, peeks, held: _, yields, spliced, fills, drains } =
            world.way;
        sum.bytes += bytes;
        sum.reads += reads;
        sum.writes += writes;
        sum.peeks += peeks;
        sum.yields += yields;
        sum.spliced += spliced;
        sum.fills += fills;
        sum.drains += drains;
        sum.held += world.way.held;
        held += world.pool.held_max();
        queued += world.starved;
    }
    let Way { bytes, reads, writes, peeks, held: remainders, yields, spliced, fills, drains } = sum;
    println!("{sum:?}, {queued} starved, {held} held");
    for (count, least) in [
        (bytes, 100_000),
        (reads, 10_000),
        (writes, 10_000),
        (peeks, 1_000),
        (remainders, 1_000),
        (yields, 500),
        (spliced, 10_000),
        (fills, 1_000),
        (drains, 1_000),
        (queued, 50),
        (held as u64, 500),
    ] {
        assert!(count >= least, "{count} of {least}: {sum:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 8 } else { 20_000 },
        failure_persistence: ProptestConfig::default().failure_persistence.filter(|_| !cfg!(miri)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_byte_and_every_end_is_passed_on_whatever_happens(seed in any::<u64>()) {
        World::new(seed).run();
    }
}
