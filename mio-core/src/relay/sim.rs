//! Many pairs of simulated streams in virtual time, against a model.

pub(super) mod streams;

use std::{cmp::Reverse, collections::BinaryHeap, io::ErrorKind};

use proptest::prelude::*;

use super::*;
use crate::{cases::cases, interest::Readiness};
use streams::{Random, Side, SimPipe, allow_pipes};

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
            side.cut(random.below(40));
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
            Act::Repeat(readiness) => stream.repeat(readiness),
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
    #![proptest_config(cases(8, 20_000))]

    #[test]
    fn every_byte_and_every_end_is_passed_on_whatever_happens(seed in any::<u64>()) {
        World::new(seed).run();
    }
}
