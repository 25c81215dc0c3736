//! The bars that mio-core has to clear, each with what was measured.

use crate::counts::{Count, Counts};
use crate::dispatch::{BY_HAND, NESTED};
use crate::jumps;
use crate::loops::QUEUED;
use crate::plan::Plan;
use crate::stats::Median;
use crate::timers::FLOOR;
use crate::unit::Workload;
use crate::walls::{OURS, Walls};

#[derive(Debug)]
pub struct Bar {
    pub what: String,
    pub measured: String,
    pub passed: bool,
}

/// The peer that shows that armed timers add no system call.
const WITH_TIMEOUTS: &str = "mio-core, idle timeouts";

/// The peers that cannot be sent messages.
const QUEUELESS: [&str; 2] = ["raw", "mio"];

/// All bars that can be judged by what was taken.
pub fn check(plan: &Plan, counts: &Counts, walls: &Walls) -> Vec<Bar> {
    let mut bars = Vec::new();
    dispatch(counts, &mut bars);
    derived(plan, counts, &mut bars);
    allocations(counts, &mut bars);
    timers(walls, &mut bars);
    messages(counts, walls, &mut bars);
    ahead(walls, &mut bars);
    bars
}

fn bar(bars: &mut Vec<Bar>, what: String, measured: String, passed: bool) {
    bars.push(Bar { what, measured, passed });
}

/// At most 30 instructions more a turn than the raw loop and 8 more an event, no more than mio, and as
/// many system calls.
fn dispatch(counts: &Counts, bars: &mut Vec<Bar>) {
    for (key, ours) in counts.iter().filter(|(key, _)| key.2 == OURS) {
        let of = |peer| counts.get(&(key.0, key.1, peer));
        let (Some(raw), mio) = (of("raw"), of("mio")) else { continue };
        let name = key.0.name();
        if let (Some(our), Some(raw_instructions)) = (ours.instructions, raw.instructions) {
            let turns = raw.waits.unwrap_or(f64::NAN);
            let allowed = raw_instructions + 30.0 * turns + 8.0;
            let what = format!("{name}: instructions an event, raw + 30 a turn + 8");
            // A count moves by a few hundredths with where a run's loop happens to end.
            bar(bars, what, format!("{our:.1} ≤ {allowed:.1}"), our <= allowed + 0.05);
            if let Some(mio) = mio.and_then(|mio| mio.instructions) {
                let what = format!("{name}: instructions an event, no more than mio");
                bar(bars, what, format!("{our:.1} ≤ {mio:.1}"), our <= mio + 0.05);
            }
        }
        let timeouts = of(WITH_TIMEOUTS);
        for (what, ours) in [("", Some(ours)), (", idle timeouts armed", timeouts)] {
            let calls = |count: &Count| count.calls;
            let (Some(ours), Some(raw)) = (ours.and_then(calls), raw.calls) else { continue };
            let what = format!("{name}: system calls an event{what}, the raw loop's");
            bar(bars, what, format!("{ours:.3} = {raw:.3}"), (ours - raw).abs() < 0.005);
        }
    }
}

/// The derive costs what a match by hand costs, 2 instructions more or less, and nesting it once 12
/// more; it makes the same calls; and it is compiled to a jump.
fn derived(plan: &Plan, counts: &Counts, bars: &mut Vec<Bar>) {
    for &workload in plan.counts.iter().filter(|w| matches!(w, Workload::Dispatch { .. })) {
        let of = |peer| counts.get(&(workload, None, peer));
        let (Some(ours), name) = (of(OURS), workload.name()) else { continue };
        let pairs = [
            (BY_HAND, "the derive, within 2 of a match by hand", -2.0, 2.0, 1.0),
            (NESTED, "nested once, at most 12 more than not", f64::NEG_INFINITY, 12.0, -1.0),
        ];
        for (peer, what, least, most, sign) in pairs {
            let Some(other) = of(peer) else { continue };
            if let (Some(one), Some(two)) = (ours.instructions, other.instructions) {
                let more = (one - two) * sign;
                let what = format!("{name}: instructions an event, {what}");
                let passed = (least - 0.05..=most + 0.05).contains(&more);
                bar(bars, what, format!("{more:+.1}: {one:.1}, {two:.1}"), passed);
            }
            if let (Some(one), Some(two)) = (ours.calls, other.calls) {
                let what = format!("{name}: system calls an event, as many as {peer}");
                bar(bars, what, format!("{one:.3} = {two:.3}"), (one - two).abs() < 0.005);
            }
        }
        bars.extend(jumps::check());
    }
}

fn allocations(counts: &Counts, bars: &mut Vec<Bar>) {
    let ours = counts.iter().filter(|(key, _)| key.2.starts_with(OURS));
    let most = ours.filter_map(|(_, count)| count.allocations).fold(f64::NAN, f64::max);
    if !most.is_nan() {
        let what = "everything counted: allocations a unit".into();
        bar(bars, what, format!("{most} = 0"), most == 0.0);
    }
}

/// At 10 k and 100 k live: so many times ahead of every peer.
fn timers(walls: &Walls, bars: &mut Vec<Bar>) {
    for live in [10_000, 100_000, 1_000_000] {
        let workload = Workload::Timers { live };
        if live < 1_000_000 {
            for (metric, times) in [("insert + cancel", 2.5), ("push back", 10.0), ("fire", 2.0)] {
                for peer in workload.peers().into_iter().filter(|&peer| is_rival(peer)) {
                    let Some(ratio) = walls.ratio(workload, metric, peer) else { continue };
                    let what = format!("{}: {metric}, {times} × ahead of {peer}", workload.name());
                    bar(bars, what, times_of(ratio), ratio.value >= times);
                }
            }
        }
        if let Some(misordered) = walls.figure(workload, "misordered", OURS) {
            let what = format!("{}: fired out of order", workload.name());
            bar(bars, what, format!("{} = 0", misordered.high), misordered.high == 0.0);
        }
    }
}

fn messages(counts: &Counts, walls: &Walls, bars: &mut Vec<Bar>) {
    let key = (Workload::Queue, None, OURS);
    if let Some(instructions) = counts.get(&key).and_then(|count| count.instructions) {
        let what = "messages: push + pop, at most 50 instructions".into();
        bar(bars, what, format!("{instructions:.1}"), instructions <= 50.0);
    }
    for senders in [1, 2] {
        let workload = Workload::Messages { senders, asleep: false };
        let name = workload.name();
        if let Some(ratio) = walls.ratio(workload, "ns", "tokio mpsc") {
            let what = format!("{name}: saturated, 2 × tokio mpsc");
            bar(bars, what, times_of(ratio), ratio.value >= 2.0);
        }
        if let Some(ratio) = walls.ratio(workload, "ns", "ArrayQueue, flag, mio Waker") {
            let what = format!("{name}: saturated, not behind ArrayQueue with a sleeping flag");
            bar(bars, what, times_of(ratio), ratio.high >= 1.0);
        }
        if let Some(writes) = walls.figure(workload, "writes", OURS) {
            let what = format!("{name}: fewer than 0.02 wake-up calls a message");
            bar(bars, what, format!("{:.4}", writes.value), writes.value < 0.02);
        }
    }
    let workload = Workload::Messages { senders: 1, asleep: true };
    let figure = |metric| walls.figure(workload, metric, OURS);
    if let (Some(writes), Some(reads)) = (figure("writes"), figure("reads")) {
        let what = format!("{}: one write and no read a message", workload.name());
        let measured = format!("{:.3} writes, {:.3} reads", writes.value, reads.value);
        let passed = (writes.value - 1.0).abs() < 0.03 && reads.value < 0.01;
        bar(bars, what, measured, passed);
    }
}

/// No peer ahead on any row beyond the interval. Rows on which all is well share a bar. One without a queue of messages may
/// be ahead by what a queue costs, if one that has such a queue is not.
fn ahead(walls: &Walls, bars: &mut Vec<Bar>) {
    let mut rows = 0;
    let mut workloads: Vec<Workload> = walls.pairs.iter().map(|pair| pair.workload).collect();
    workloads.sort_unstable();
    workloads.dedup();
    let mut behind = 0;
    for workload in workloads {
        for metric in workload.metrics_timed() {
            for peer in workload.peers().into_iter().filter(|&peer| is_rival(peer)) {
                let Some(ratio) = walls.ratio(workload, metric, peer) else { continue };
                rows += 1;
                if ratio.high < 1.0 {
                    let queued = walls.ratio(workload, metric, QUEUED);
                    let queued = queued.filter(|_| QUEUELESS.contains(&peer));
                    let explained = queued.is_some_and(|queued| queued.high >= 1.0);
                    behind += usize::from(!explained);
                    let is = if explained { "ahead by what a queue costs" } else { "not ahead" };
                    let what = format!("{}, {metric}: {peer} {is}", workload.name());
                    let of_queued = queued.map(|queued| format!("; {QUEUED} {}", times_of(queued)));
                    let measured = times_of(ratio) + &of_queued.unwrap_or_default();
                    bar(bars, what, measured, explained);
                }
            }
        }
    }
    if rows > 0 {
        let what =
            "walls: rows on which no peer is ahead beyond its interval, or by its want of a queue"
                .into();
        bar(bars, what, format!("{} of {rows}", rows - behind), behind == 0);
    }
}

/// Neither ours nor the mark of what is possible.
fn is_rival(peer: &str) -> bool {
    !peer.starts_with(OURS) && peer != FLOOR
}

fn times_of(ratio: Median) -> String {
    format!("{:.2} × [{:.2}, {:.2}]", ratio.value, ratio.low, ratio.high)
}
