//! Timers by the thousand: what an operation costs while `live` others are armed, on uniformly random
//! live timers.

use std::hint;
use std::mem::ManuallyDrop;
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Cost, measure};
use crate::unit::Metrics;

mod btree;
mod delay_queue;
mod floor;
mod mio_core;
mod nothing;
mod sleep;
mod uv;

/// A store of timers under a loop of its own, told apart by `slot`: what a server's table of
/// connections would hold. The delays are from the loop's idea of now.
pub trait Timers {
    /// What names an armed timer.
    type Handle: Copy;

    fn new(capacity: usize) -> Self;
    /// Arms the timer of a slot that has none. Slots are first filled in ascending order.
    fn insert(&mut self, slot: usize, delay: Duration);
    fn cancel(&mut self, slot: usize);
    fn handle(&self, slot: usize) -> Self::Handle;
    /// Sets an armed timer to a later deadline.
    fn push_back(&mut self, handle: Self::Handle, delay: Duration);
    /// One turn of the loop in which a descriptor is ready and no timer is due.
    fn turn(&mut self);
    /// Fires what is due until `fired` has seen as many as it waits for.
    fn fire(&mut self, fired: &mut Fired);
}

/// What happens when a timer fires, the same for every peer: a look into a table by the slot, as small as can be, since it is
/// not what is measured.
#[derive(Debug)]
pub struct Fired {
    /// Nanoseconds from the first that may be due.
    due: Vec<u32>,
    /// The slots as they are due, for whoever does not find out.
    order: Vec<u32>,
    latest: u32,
    left: usize,
    misordered: u64,
}

impl Fired {
    /// True when it was the last one due.
    #[inline(always)]
    pub fn on(&mut self, slot: usize) -> bool {
        let due = self.due[slot];
        if due < self.latest {
            self.misordered += 1;
        }
        self.latest = due;
        self.left -= 1;
        self.left == 0
    }

    pub fn is_over(&self) -> bool {
        self.left == 0
    }
}

/// What can be counted on its own.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// Cancel one, insert one.
    Churn,
    PushBack,
    Mixed,
    Fire,
    /// What a count of `Fire` has to do first.
    Arm,
}

impl Operation {
    /// Those that a table has.
    pub const SHOWN: [Self; 4] = [Self::Churn, Self::PushBack, Self::Mixed, Self::Fire];

    pub fn parse(name: &str) -> Option<Self> {
        let mut all = Self::SHOWN.into_iter().chain([Self::Arm]);
        all.find(|operation| operation.name() == name)
    }

    /// As in the battery's figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Churn => "insert + cancel",
            Self::PushBack => "push back",
            Self::Mixed => "mixed",
            Self::Fire => "fire",
            Self::Arm => "arm",
        }
    }
}

pub type Battery = fn(live: usize) -> Metrics;
pub type Count = fn(live: usize, operation: Operation, operations: usize) -> Cost;

pub const PEERS: &[(&str, Battery, Count)] = &[
    ("mio-core", battery::<mio_core::Loop>, count::<mio_core::Loop>),
    ("BTreeSet", battery::<btree::Loop>, count::<btree::Loop>),
    ("tokio Sleep", battery::<sleep::Loop<true>>, count::<sleep::Loop<true>>),
    (AS_DOCUMENTED, battery::<sleep::Loop<false>>, count::<sleep::Loop<false>>),
    ("DelayQueue", battery::<delay_queue::Loop>, count::<delay_queue::Loop>),
    ("libuv", battery::<uv::Loop>, count::<uv::Loop>),
    (FLOOR, battery::<floor::Loop>, count::<floor::Loop>),
];

/// tokio's with a reading of the clock for each deadline.
const AS_DOCUMENTED: &str = "tokio Sleep, now()";

/// The peer that is none: it stands for what no store can be spared.
pub const FLOOR: &str = "no order";

/// What `count` counts too and no peer is to blame for.
pub const NOTHING: Count = count::<nothing::Loop>;

/// Timers cancelled, then inserted, between two looks at the clock.
const CHUNK: usize = 1_000;
/// Operations in a mixed turn: a batch of ready descriptors.
const BATCH: usize = 64;
/// Timers are armed for one to two minutes; pushing them back adds minutes.
const FAR: Duration = Duration::from_secs(60);
/// Due timers are spread evenly over this.
const WINDOW: Duration = Duration::from_millis(5);

/// Every operation in one run, in nanoseconds each.
fn battery<T: Timers>(live: usize) -> Metrics {
    // Small stores are gone through several times, so that a run measures more than a millisecond.
    let repeats = (100_000 / live).clamp(1, 5);
    let operations = live.min(100_000);
    let mut random = Random(live as u64);
    let (mut insert, mut cancel) = (Duration::ZERO, Duration::ZERO);
    let (mut push_back, mut looked_up) = (Duration::ZERO, Duration::ZERO);
    let mut mixed = Duration::ZERO;
    let mut timers = filled::<T>(live, &mut random);
    // Later than all that was set before.
    let mut later = FAR;
    let mut even_later = || {
        later += FAR;
        later
    };
    for _ in 0..repeats {
        let (c, i) = churn(&mut timers, live, operations, &mut random);
        (cancel, insert) = (cancel + c, insert + i);
        push_back += push_all_back(&mut timers, live, operations, even_later(), &mut random);
        looked_up +=
            look_up_and_push_back(&mut timers, live, operations, even_later(), &mut random);
        let (c, i) = churn(&mut timers, live, operations, &mut random);
        (cancel, insert) = (cancel + c, insert + i);
        mixed += mix(&mut timers, live, operations, even_later(), &mut random);
    }
    drop(timers);
    let (mut fire, mut misordered) = (Duration::ZERO, 0);
    for _ in 0..repeats {
        let (mut timers, mut fired) =
            due_soon::<T>(live - operations, operations, WINDOW, spin, &mut random);
        fire += measure(|| timers.fire(&mut fired)).wall;
        misordered += fired.misordered;
    }
    let each = |time: Duration, operations: usize| time.as_nanos() as f64 / operations as f64;
    let (once, twice) = (repeats * operations, 2 * repeats * operations);
    Metrics::from([
        ("insert", each(insert, twice)),
        ("cancel", each(cancel, twice)),
        ("insert + cancel", each(insert + cancel, twice)),
        ("push back", each(push_back, once)),
        ("push back, looked up", each(looked_up, once)),
        ("mixed", each(mixed, once)),
        ("fire", each(fire, once)),
        ("misordered", misordered as f64 / once as f64),
    ])
}

/// One operation only, so that its instructions and allocations can be counted.
fn count<T: Timers>(live: usize, operation: Operation, operations: usize) -> Cost {
    let mut random = Random(live as u64);
    if let Operation::Fire | Operation::Arm = operation {
        // Under callgrind it takes a while to arm them all.
        let lead = Duration::from_secs(1);
        let (timers, mut fired) = due_soon::<T>(live, operations, lead, thread::sleep, &mut random);
        // Never dropped, since one that is armed would cost more then.
        let mut timers = ManuallyDrop::new(timers);
        return measure(|| {
            if let Operation::Fire = operation {
                timers.fire(&mut fired);
            }
        });
    }
    let mut timers = filled::<T>(live, &mut random);
    measure(|| match operation {
        Operation::Churn => drop(churn(&mut timers, live, operations, &mut random)),
        Operation::PushBack => {
            look_up_and_push_back(&mut timers, live, operations, 2 * FAR, &mut random);
        }
        Operation::Mixed => drop(mix(&mut timers, live, operations, 3 * FAR, &mut random)),
        Operation::Fire | Operation::Arm => {}
    })
}

fn filled<T: Timers>(live: usize, random: &mut Random) -> T {
    let mut timers = T::new(live);
    for slot in 0..live {
        timers.insert(slot, FAR + random.within(FAR));
    }
    timers
}

/// Cancels random live timers, `CHUNK` at a time, and arms them anew. What each half took.
fn churn<T: Timers>(
    timers: &mut T,
    live: usize,
    operations: usize,
    random: &mut Random,
) -> (Duration, Duration) {
    let (mut cancel, mut insert) = (Duration::ZERO, Duration::ZERO);
    let mut slots: Vec<u32> = (0..live as u32).collect();
    for _ in 0..operations.div_ceil(CHUNK) {
        random.choose(&mut slots, CHUNK);
        let chunk: Vec<(usize, Duration)> =
            slots[..CHUNK].iter().map(|&slot| (slot as usize, FAR + random.within(FAR))).collect();
        let start = Instant::now();
        for &(slot, _) in &chunk {
            timers.cancel(slot);
        }
        let half = Instant::now();
        for &(slot, delay) in &chunk {
            timers.insert(slot, delay);
        }
        cancel += half - start;
        insert += half.elapsed();
    }
    (cancel, insert)
}

/// Pushes random live timers back, each once, to one length from now, as the idle timeouts of a server. Whoever
/// does that holds the handle.
fn push_all_back<T: Timers>(
    timers: &mut T,
    live: usize,
    operations: usize,
    length: Duration,
    random: &mut Random,
) -> Duration {
    let slots = chosen(live, operations, random);
    let handles: Vec<T::Handle> = slots.iter().map(|&slot| timers.handle(slot as usize)).collect();
    let length = hint::black_box(length);
    let start = Instant::now();
    for &handle in &handles {
        timers.push_back(handle, length);
    }
    start.elapsed()
}

/// The same with lengths that differ, up to a minute after `later`, and with handles that are first looked up in a
/// table.
fn look_up_and_push_back<T: Timers>(
    timers: &mut T,
    live: usize,
    operations: usize,
    later: Duration,
    random: &mut Random,
) -> Duration {
    let slots = chosen(live, operations, random);
    let plan: Vec<(u32, u32)> = slots.iter().map(|&slot| (slot, random.next() as u32)).collect();
    let start = Instant::now();
    for &(slot, bits) in &plan {
        // Of up to 64 seconds, made of the bits without a division.
        let delay = later + Duration::new(u64::from(bits >> 26), bits & 0x3ff_ffff);
        timers.push_back(timers.handle(slot as usize), delay);
    }
    start.elapsed()
}

/// Random live timers for so many operations, none a second time before all were chosen.
fn chosen(live: usize, operations: usize, random: &mut Random) -> Vec<u32> {
    let mut slots: Vec<u32> = (0..live as u32).collect();
    random.choose(&mut slots, operations.min(live));
    (0..operations).map(|index| slots[index % live]).collect()
}

/// Idle timeouts: of 64 ready connections in a turn, 60 push theirs back to one length from now, four
/// close and are replaced.
fn mix<T: Timers>(
    timers: &mut T,
    live: usize,
    operations: usize,
    length: Duration,
    random: &mut Random,
) -> Duration {
    let plan: Vec<usize> = (0..operations).map(|_| random.below(live)).collect();
    let start = Instant::now();
    for turn in plan.chunks(BATCH) {
        for (index, &slot) in turn.iter().enumerate() {
            if index % 16 == 0 {
                timers.cancel(slot);
                timers.insert(slot, length);
            } else {
                timers.push_back(timers.handle(slot), length);
            }
        }
        timers.turn();
    }
    start.elapsed()
}

/// `due` timers that are due when this returns, in random order, among `far` others.
fn due_soon<T: Timers>(
    far: usize,
    due: usize,
    lead: Duration,
    wait: fn(Duration),
    random: &mut Random,
) -> (T, Fired) {
    let mut timers = T::new(far + due);
    let after: Vec<u32> = (0..due).map(|_| random.within(WINDOW).subsec_nanos()).collect();
    let mut order: Vec<u32> = (0..due as u32).collect();
    order.sort_unstable_by_key(|&slot| after[slot as usize]);
    for (slot, &after) in after.iter().enumerate() {
        timers.insert(slot, lead + Duration::from_nanos(after.into()));
    }
    for slot in due..due + far {
        timers.insert(slot, 60 * FAR + random.within(FAR));
    }
    // Some round up to the millisecond, and then to the one after.
    wait(lead + WINDOW + Duration::from_millis(3));
    (timers, Fired { due: after, order, latest: 0, left: due, misordered: 0 })
}

/// Waits without giving the processor, and with it its caches, to other programs.
fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        hint::spin_loop();
    }
}

/// SplitMix64: equal numbers for every peer.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// Makes the first `count` of a table a random choice without repeats.
    fn choose(&mut self, table: &mut [u32], count: usize) {
        for index in 0..count {
            table.swap(index, index + self.below(table.len() - index));
        }
    }

    fn within(&mut self, span: Duration) -> Duration {
        Duration::from_nanos(self.below(span.as_nanos() as usize) as u64)
    }
}

/// Puts a handle into a table whose slots are first filled in ascending order.
#[inline(always)]
fn put<T>(table: &mut Vec<T>, slot: usize, handle: T) {
    if slot == table.len() {
        table.push(handle);
    } else {
        table[slot] = handle;
    }
}
