//! The tables, in Markdown, and the raw rounds, as CSV.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

use crate::bars::Bar;
use crate::counts::{Count, Counts};
use crate::plan::Plan;
use crate::plot;
use crate::unit::{Belongs, Workload};
use crate::walls::{OURS, Walls};

/// Writes every file of the results and returns the tables.
pub fn write(
    out: &Path,
    plan: &Plan,
    counts: &Counts,
    walls: &Walls,
    bars: &[Bar],
) -> io::Result<String> {
    fs::create_dir_all(out)?;
    let mut table = String::from("# mio-core and its peers\n\n");
    heading(&mut table, plan);
    bar_table(&mut table, bars);
    count_tables(&mut table, counts);
    wall_tables(&mut table, plan, walls);
    fs::write(out.join("table.md"), &table)?;
    if !plan.counts.is_empty() {
        fs::write(out.join("counts.csv"), counts_csv(counts))?;
        plot::counts(out, counts)?;
    }
    if !plan.walls.is_empty() {
        fs::write(out.join("rounds.csv"), rounds_csv(walls))?;
        plot::walls(out, plan, walls)?;
    }
    Ok(table)
}

/// How it was made, and what was left out.
fn heading(table: &mut String, plan: &Plan) {
    machine(table);
    match crate::uv_sys::load() {
        Some(uv) => line(table, format_args!("libuv {} by its shared library.", uv.version())),
        None => {
            eprintln!("SKIPPED: libuv, since there is no libuv.so.1 (on Debian: libuv1)");
            line(table, format_args!("**libuv was left out: there is no libuv.so.1 here.**"));
        }
    }
    if plan.quick {
        line(table, format_args!("A quick run: few rounds, a sample of the workloads."));
    }
    line(table, format_args!(""));
}

/// The command and the machine.
pub fn machine(table: &mut String) {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut command = "cargo run --release --manifest-path benches/Cargo.toml".to_owned();
    if !arguments.is_empty() {
        command = format!("{command} -- {}", arguments.join(" "));
    }
    line(table, format_args!("Printed by `{command}`."));
    line(table, format_args!(""));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    // All there are: this thread may be bound to one.
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cpu = cpu.trim_start_matches(['\t', ' ', ':']);
    line(table, format_args!("Linux {}, {cpu}, {cores} processors.", kernel.trim()));
}

pub fn bar_table(table: &mut String, bars: &[Bar]) {
    if bars.is_empty() {
        return;
    }
    let passed = bars.iter().filter(|bar| bar.passed).count();
    line(table, format_args!("## Bars: {passed} of {} passed\n", bars.len()));
    line(table, format_args!("| bar | measured | |\n|---|---|---|"));
    for bar in bars {
        let verdict = if bar.passed { "PASS" } else { "**FAIL**" };
        line(table, format_args!("| {} | {} | {verdict} |", bar.what, bar.measured));
    }
    line(table, format_args!(""));
}

/// A kind of count, and how to get it out.
type Kind = (&'static str, fn(&Count) -> Option<f64>);

fn count_tables(table: &mut String, counts: &Counts) {
    let kinds: [Kind; 3] = [
        ("User instructions", |count| count.instructions),
        ("System calls", |count| count.calls),
        ("Allocations", |count| count.allocations),
    ];
    let groups: [(&str, Belongs); 4] = [
        ("an event", |w| matches!(w, Workload::Pipes { .. } | Workload::Echo { .. })),
        ("an event, by how its code is called", |w| matches!(w, Workload::Dispatch { .. })),
        ("a timer operation", |w| matches!(w, Workload::Timers { .. })),
        ("a message, push + pop on one thread", |w| matches!(w, Workload::Queue)),
    ];
    for (kind, get) in kinds {
        for (unit, belongs) in groups {
            let chosen: Vec<_> = counts.iter().filter(|(key, _)| belongs(&key.0)).collect();
            if chosen.iter().all(|(_, count)| get(count).is_none()) {
                continue;
            }
            let mut peers: Vec<&str> = Vec::new();
            for peer in chosen.iter().flat_map(|(key, _)| key.0.peers()) {
                if !peers.contains(&peer) {
                    peers.push(peer);
                }
            }
            line(table, format_args!("## {kind} {unit}\n"));
            head(table, "workload", &peers);
            let mut rows: Vec<_> = chosen.iter().map(|(key, _)| (key.0, key.1)).collect();
            rows.dedup();
            for (workload, operation) in rows {
                let name = row_name(workload, operation);
                let cells = peers.iter().map(|peer| {
                    let count = counts.get(&(workload, operation, *peer)).and_then(get);
                    count.map_or("–".to_owned(), number)
                });
                row(table, &name, cells);
            }
            line(table, format_args!(""));
            if (kind, unit) == ("User instructions", "an event") {
                turn_table(table, counts, &peers);
            }
        }
    }
}

/// Takes the cost of a turn and of an event apart, by 1 and by 100 active of 1,000 pipes.
fn turn_table(table: &mut String, counts: &Counts, peers: &[&'static str]) {
    let split = |peer| {
        let count = |active| counts.get(&(Workload::Pipes { pipes: 1_000, active }, None, peer));
        let (one, many) = (count(1)?, count(100)?);
        let (one, one_turns) = (one.instructions?, one.waits?);
        let (many, many_turns) = (many.instructions?, many.waits?);
        let turn = (one - many) / (one_turns - many_turns);
        Some((turn, one - turn * one_turns))
    };
    if peers.iter().all(|&peer| split(peer).is_none()) {
        return;
    }
    line(table, format_args!("The same as a turn and an event, from 1 and 100 of 1,000 pipes:\n"));
    head(table, "instructions", peers);
    for (name, which) in [("a turn", 0), ("an event", 1)] {
        let cells = peers.iter().map(|&peer| match split(peer) {
            Some((turn, event)) => number([turn, event][which]),
            None => "–".to_owned(),
        });
        row(table, name, cells);
    }
    line(table, format_args!(""));
}

fn wall_tables(table: &mut String, plan: &Plan, walls: &Walls) {
    let groups: [(&str, Belongs); 4] = [
        ("Many pipes: ns an event", |w| matches!(w, Workload::Pipes { .. })),
        ("TCP echo: ns a message", |w| matches!(w, Workload::Echo { .. })),
        ("Timers: ns an operation", |w| matches!(w, Workload::Timers { .. })),
        ("Messages: ns a message, to a sleeping loop ns of latency", |w| {
            matches!(w, Workload::Messages { .. } | Workload::Queue)
        }),
    ];
    for (title, belongs) in groups {
        let workloads: Vec<_> = plan.walls.iter().filter(|workload| belongs(workload)).collect();
        let mut peers: Vec<&str> = Vec::new();
        for peer in workloads.iter().flat_map(|workload| workload.peers()) {
            if !peers.contains(&peer) && (peer == OURS || !peer.starts_with(OURS)) {
                peers.push(peer);
            }
        }
        if workloads.is_empty() {
            continue;
        }
        line(table, format_args!("## {title}\n"));
        line(
            table,
            format_args!(
                "Median of {} rounds; in brackets how many times as long as mio-core, the median of \
                 the pairs' ratios with its 95 % interval.\n",
                plan.rounds
            ),
        );
        head(table, "workload", &peers);
        for workload in workloads {
            for metric in workload.metrics_timed() {
                let cells = peers.iter().map(|peer| cell(walls, *workload, metric, peer));
                row(table, &row_name(*workload, Some(metric)), cells);
            }
            extra_rows(table, walls, *workload, &peers);
        }
        line(table, format_args!(""));
    }
}

fn cell(walls: &Walls, workload: Workload, metric: &str, peer: &str) -> String {
    let Some(figure) = walls.figure(workload, metric, peer) else { return "–".into() };
    match walls.ratio(workload, metric, peer).filter(|_| peer != OURS) {
        Some(ratio) => format!(
            "{} ({:.2} [{:.2}–{:.2}])",
            number(figure.value),
            ratio.value,
            ratio.low,
            ratio.high
        ),
        None => number(figure.value),
    }
}

/// What is not a time but belongs beside it.
fn extra_rows(table: &mut String, walls: &Walls, workload: Workload, peers: &[&str]) {
    let metrics: &[&str] = match workload {
        Workload::Timers { .. } => &["misordered"],
        Workload::Messages { .. } => &["writes", "reads"],
        _ => &[],
    };
    for metric in metrics {
        let name = format!("{}, {metric} each", workload.name());
        let cells = peers.iter().map(|peer| {
            let figure = walls.figure(workload, metric, peer);
            figure.map_or("–".into(), |figure| format!("{:.3}", figure.value))
        });
        row(table, &name, cells);
    }
}

/// A row's name: the workload, and the figure unless it is the only one.
pub fn row_name(workload: Workload, metric: Option<&str>) -> String {
    match metric {
        None | Some("ns") => workload.name(),
        Some(metric) => format!("{}, {metric}", workload.name()),
    }
}

pub fn head(table: &mut String, first: &str, peers: &[&str]) {
    line(table, format_args!("| {first} | {} |", peers.join(" | ")));
    line(table, format_args!("|---|{}", "---|".repeat(peers.len())));
}

pub fn row(table: &mut String, name: &str, cells: impl Iterator<Item = String>) {
    line(table, format_args!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | ")));
}

pub fn line(table: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(table, "{text}").expect("a String takes all");
}

/// Three digits that matter.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size < 0.0005 => "0".into(),
        size if size < 0.9995 => format!("{value:.3}"),
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn counts_csv(counts: &Counts) -> String {
    let mut csv = String::from("workload,operation,peer,instructions,calls,waits,allocations\n");
    for ((workload, operation, peer), count) in counts {
        let field = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let figures = [count.instructions, count.calls, count.waits, count.allocations];
        let figures = figures.map(field).join(",");
        let operation = operation.unwrap_or_default();
        line(&mut csv, format_args!("{},{operation},\"{peer}\",{figures}", workload.name()));
    }
    csv
}

fn rounds_csv(walls: &Walls) -> String {
    let mut csv = String::from("round,workload,figure,peer,mio-core,peer's\n");
    for pair in &walls.pairs {
        line(
            &mut csv,
            format_args!(
                "{},{},{},\"{}\",{},{}",
                pair.round,
                pair.workload.name(),
                pair.metric,
                pair.peer,
                pair.ours,
                pair.theirs
            ),
        );
    }
    csv
}
