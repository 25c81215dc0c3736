//! The tables of the proxies, their plot, and every round.

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use super::counts::{Count, Counts};
use super::memory::{Memories, Memory};
use super::peers::{OURS, Peer};
use super::rounds::{Figure, Rounds};
use super::{IDLE_PAIRS, Plan, Workload};
use crate::bars::Bar;
use crate::plot::{Dot, Plot};
use crate::report::{bar_table, head, line, machine, number, row};

/// All that was measured.
pub struct Taken<'a> {
    pub plan: &'a Plan,
    pub counts: Counts,
    pub memories: Memories,
    pub rounds: Rounds,
    /// What could not be, and why.
    pub missing: Vec<String>,
}

impl<'a> Taken<'a> {
    /// Nothing yet.
    pub fn new(plan: &'a Plan, missing: Vec<String>) -> Self {
        let (counts, memories) = (Counts::new(), Memories::new());
        Self { plan, counts, memories, rounds: Rounds::default(), missing }
    }
}

/// Writes every file of the results and returns the tables.
pub fn write(out: &Path, taken: &Taken<'_>, bars: &[Bar]) -> io::Result<String> {
    fs::create_dir_all(out)?;
    let mut table = String::from("# The proxy and its peers\n\n");
    machine(&mut table);
    line(
        &mut table,
        format_args!(
            "Buffers of 64 KiB, where the name says nothing else; mio-core comes with one of 512 KiB for all pairs. One \
             processor for the proxy, one for the load.\n"
        ),
    );
    for missing in &taken.missing {
        line(&mut table, format_args!("**Left out: {missing}.**\n"));
    }
    bar_table(&mut table, bars);
    count_tables(&mut table, taken);
    memory_table(&mut table, taken);
    round_tables(&mut table, taken);
    fs::write(out.join("table.md"), &table)?;
    if !taken.counts.is_empty() {
        fs::write(out.join("counts.csv"), counts_csv(taken))?;
    }
    if !taken.rounds.samples.is_empty() {
        fs::write(out.join("rounds.csv"), rounds_csv(taken))?;
        plot(out, taken)?;
    }
    Ok(table)
}

/// A kind of count, and how to get it out.
type Kind = (&'static str, fn(&Count) -> Option<f64>);

fn count_tables(table: &mut String, taken: &Taken<'_>) {
    let is_bulk = |workload: &Workload| matches!(workload, Workload::Bulk { .. });
    let (bulk, small): (Vec<_>, Vec<_>) = taken.plan.counted().into_iter().partition(is_bulk);
    count_table(table, taken, "each round trip, and for each connection", &small);
    count_table(table, taken, "each GB", &bulk);
}

/// Workloads that the same proxies do.
fn count_table(table: &mut String, taken: &Taken<'_>, unit: &str, workloads: &[Workload]) {
    let Some(&first) = workloads.first() else { return };
    let kinds: [Kind; 3] = [
        ("user instructions", |count| count.instructions),
        ("system calls", Count::all_calls),
        ("allocations", |count| count.allocations),
    ];
    let peers = columns(taken, first);
    line(table, format_args!("## Counts for {unit}\n"));
    head(table, "workload", &names(&peers));
    for &workload in workloads {
        for (kind, get) in kinds {
            let cells = peers.iter().map(|&peer| {
                let count = taken.counts.get(&(workload, peer)).and_then(get);
                count.map_or("–".to_owned(), number)
            });
            row(table, &format!("{}, {kind}", workload.name()), cells);
        }
    }
    line(table, format_args!(""));
    for &workload in workloads {
        line(table, format_args!("## System calls by name: {}\n", workload.name()));
        head(table, "call", &names(&peers));
        let count = |peer| taken.counts.get(&(workload, peer));
        let mut calls: Vec<&String> = peers
            .iter()
            .filter_map(|&peer| count(peer))
            .flat_map(|count| count.calls.keys())
            .collect();
        calls.sort_unstable();
        calls.dedup();
        for name in calls {
            let cells = peers.iter().map(|&peer| {
                let calls = count(peer).and_then(|count| count.calls.get(name));
                calls.map_or("–".to_owned(), |&calls| number(calls))
            });
            row(table, name, cells);
        }
        line(table, format_args!(""));
    }
}

fn memory_table(table: &mut String, taken: &Taken<'_>) {
    if taken.memories.is_empty() {
        return;
    }
    let peers = columns(taken, Workload::Idle);
    line(table, format_args!("## Memory, without and with {IDLE_PAIRS} pairs that do nothing\n"));
    head(table, "bytes", &names(&peers));
    type Get = fn(&Memory) -> f64;
    let rows: [(&str, Get); 3] = [
        ("user, private, without a pair", |memory| memory.base_bytes),
        ("user, private, for each pair", |memory| memory.pair_bytes),
        ("kernel slabs for each pair, its peers' sockets included", |memory| memory.kernel_bytes),
    ];
    for (name, get) in rows {
        let cells = peers.iter().map(|peer| {
            taken.memories.get(peer).map_or("–".to_owned(), |memory| number(get(memory)))
        });
        row(table, name, cells);
    }
    line(table, format_args!(""));
}

fn round_tables(table: &mut String, taken: &Taken<'_>) {
    if taken.rounds.samples.is_empty() {
        return;
    }
    line(
        table,
        format_args!(
            "## Time\n\nMedian of {} rounds; in brackets how many times as much as mio-core, the median \
             of the ratios of the same round with its 95 % interval; for what is done in a second it is how many \
             times as long it takes. CPU is the proxy's own.\n",
            taken.rounds.taken()
        ),
    );
    let peers = taken.plan.peers.clone();
    head(table, "workload", &names(&peers));
    for workload in taken.plan.timed() {
        for &(figure, unit, divisor) in shown(workload) {
            let cells =
                peers.iter().map(|&peer| cell(taken, workload, figure, |ns| ns / divisor, peer));
            row(table, &format!("{}, {} {unit}", workload.name(), figure.name()), cells);
        }
        if let Some((unit, times)) = rate(workload) {
            let cells = peers
                .iter()
                .map(|&peer| cell(taken, workload, Figure::Wall, |wall| times / wall, peer));
            row(table, &format!("{}, {unit}", workload.name()), cells);
        }
        if matches!(workload, Workload::Bulk { .. }) {
            for figure in [Figure::Sleeps, Figure::LoadSleeps] {
                let cells = peers.iter().map(|&peer| {
                    let sleeps = taken.rounds.figure(workload, figure, peer);
                    sleeps
                        .map_or("–".into(), |sleeps| number(sleeps.value * workload.units_told()))
                });
                row(table, &format!("{}, {} a GB", workload.name(), figure.name()), cells);
            }
        }
    }
    line(table, format_args!(""));
}

/// The figures of a workload, each with its unit and how many nanoseconds that is.
fn shown(workload: Workload) -> &'static [(Figure, &'static str, f64)] {
    match workload {
        Workload::Requests => &[
            (Figure::Cpu, "µs a request", 1e3),
            (Figure::P50, "µs", 1e3),
            (Figure::P99, "µs", 1e3),
        ],
        Workload::Connections => &[(Figure::Cpu, "µs a connection", 1e3)],
        // A nanosecond a byte is a second a gigabyte.
        Workload::Bulk { .. } => &[(Figure::Cpu, "s/GB", 1.0)],
        Workload::Latency => &[
            (Figure::P50, "µs", 1e3),
            (Figure::P99, "µs", 1e3),
            (Figure::Cpu, "µs a request", 1e3),
        ],
        Workload::Idle => &[],
    }
}

/// The throughput's unit, and what to divide by the time of a unit of work.
fn rate(workload: Workload) -> Option<(&'static str, f64)> {
    match workload {
        Workload::Requests | Workload::Connections => Some(("thousands a second", 1e6)),
        Workload::Bulk { .. } => Some(("GB a second", 1.0)),
        Workload::Latency | Workload::Idle => None,
    }
}

/// A figure in its unit, and its ratio to that of ours.
fn cell(
    taken: &Taken<'_>,
    workload: Workload,
    figure: Figure,
    in_unit: impl Fn(f64) -> f64,
    peer: Peer,
) -> String {
    let Some(median) = taken.rounds.figure(workload, figure, peer) else { return "–".into() };
    let value = number(in_unit(median.value));
    match taken.rounds.ratio(workload, figure, peer, OURS).filter(|_| peer != OURS) {
        Some(ratio) => format!("{value} ({:.2} [{:.2}–{:.2}])", ratio.value, ratio.low, ratio.high),
        None => value,
    }
}

/// The ratios of CPU time and of the percentiles.
fn plot(out: &Path, taken: &Taken<'_>) -> io::Result<()> {
    let title = "Proxies: CPU time and percentiles over those of mio-core";
    let unit = "times as much as mio-core, logarithmic, with 95 % intervals; more is worse";
    let mut plot = Plot::new(title, unit);
    for workload in taken.plan.timed() {
        for &(figure, ..) in shown(workload) {
            let place = plot.row(format!("{}, {}", workload.name(), figure.name()));
            for peer in columns(taken, workload).into_iter().filter(|&peer| peer != OURS) {
                if let Some(ratio) = taken.rounds.ratio(workload, figure, peer, OURS) {
                    let (low, value, high) = (ratio.low, ratio.value, ratio.high);
                    plot.dot(peer.name(), Dot { row: place, low, value, high });
                }
            }
        }
    }
    plot.draw(&out.join("proxies.svg"))
}

fn columns(taken: &Taken<'_>, workload: Workload) -> Vec<Peer> {
    taken.plan.peers.iter().copied().filter(|&peer| workload.is_for(peer)).collect()
}

fn names(peers: &[Peer]) -> Vec<&'static str> {
    peers.iter().map(|peer| peer.name()).collect()
}

fn counts_csv(taken: &Taken<'_>) -> String {
    let mut csv = String::from("workload,peer,figure,count\n");
    for ((workload, peer), count) in &taken.counts {
        let mut add = |figure: &str, value: f64| {
            let (workload, peer) = (workload.name(), peer.name());
            writeln!(csv, "{workload},\"{peer}\",{figure},{value}").expect("a String takes all");
        };
        if let Some(value) = count.instructions {
            add("user instructions", value);
        }
        if let Some(value) = count.allocations {
            add("allocations", value);
        }
        for (name, &value) in &count.calls {
            add(name, value);
        }
    }
    for (peer, memory) in &taken.memories {
        let Memory { base_bytes, pair_bytes, kernel_bytes } = memory;
        let figures = [
            ("base bytes", base_bytes),
            ("pair bytes", pair_bytes),
            ("kernel bytes", kernel_bytes),
        ];
        for (figure, value) in figures {
            line(&mut csv, format_args!("idle,\"{}\",{figure},{value}", peer.name()));
        }
    }
    csv
}

fn rounds_csv(taken: &Taken<'_>) -> String {
    let mut csv = String::from("round,workload,figure,peer,value\n");
    for sample in &taken.rounds.samples {
        let (workload, figure, peer) =
            (sample.workload.name(), sample.figure.name(), sample.peer.name());
        line(
            &mut csv,
            format_args!("{},{workload},{figure},\"{peer}\",{}", sample.round, sample.value),
        );
    }
    csv
}
