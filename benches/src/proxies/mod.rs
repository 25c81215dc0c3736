//! TCP proxies side by side: `cargo run --release --manifest-path benches/Cargo.toml -- proxies`.
//!
//! Each proxy is a program of its own on one processor; its clients and its upstream share the other
//! one. What decides is what the proxy itself spends on a unit of work: processor time as the kernel
//! accounts it, user instructions, system calls, allocations and memory.

mod bars;
mod counts;
mod load;
mod memory;
mod peers;
mod process;
mod report;
mod rounds;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use lexopt::Parser;
use lexopt::prelude::{Long, ValueExt};

use crate::options::Options;
use crate::os;
use load::{Load, Upstream};
use peers::{Peer, Programs};
use report::Taken;
use rounds::Race;

/// The proxies run on this processor, clients and upstreams on that.
const PROXY_PROCESSOR: usize = 0;
const LOAD_PROCESSOR: usize = 1;

pub const IDLE_PAIRS: usize = 2_000;

pub const HELP: &str = "\
  benches proxies [options]  TCP proxies side by side, in about ten minutes
    --quick                a few rounds, little work in each: about a minute
    --counts               only instructions, system calls, allocations and memory
    --walls                only processor time, throughput and percentiles
    --rounds N             (default 21, quick 3)
    --only PREFIX          only workloads whose name begins so (requests, bulk/16, ...)
    --peer PREFIX          only proxies whose name begins so
    --out DIR              where the results go (default benches/results/proxies)
    --strict               exit with 1 if a bar is missed

  benches drive --workload W [--n N] --proxy ADDR --upstream ADDR
                         load on a proxy that runs already, from clients and at its upstream";

/// What a proxy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// Request and reply of 64 bytes over 64 connections.
    Requests,
    /// New connections, each for one request.
    Connections,
    /// Bytes from the upstream to so many clients.
    Bulk { connections: usize },
    /// One request at a time over one connection, so that everybody sleeps in between.
    Latency,
    /// Pairs that do nothing.
    Idle,
}

impl Workload {
    const ALL: [Self; 6] = [
        Self::Requests,
        Self::Connections,
        Self::Bulk { connections: 1 },
        Self::Bulk { connections: 16 },
        Self::Latency,
        Self::Idle,
    ];

    fn name(self) -> String {
        match self {
            Self::Requests => "requests".into(),
            Self::Connections => "connections".into(),
            Self::Bulk { connections } => format!("bulk/{connections}"),
            Self::Latency => "latency".into(),
            Self::Idle => "idle".into(),
        }
    }

    /// The connections that are there before the work begins.
    fn pairs(self) -> usize {
        match self {
            Self::Requests => 64,
            Self::Connections => 0,
            Self::Bulk { connections } => connections,
            Self::Latency => 1,
            Self::Idle => IDLE_PAIRS,
        }
    }

    /// Spinning is for latency; copying and the length of buffers matter in bulk.
    fn is_for(self, peer: Peer) -> bool {
        match peer {
            Peer::MioCoreSpin => self == Self::Latency,
            Peer::MioCoreCopy
            | Peer::MioCoreCopyEqual
            | Peer::MioCoreCopyShort
            | Peer::HaproxyShipped
            | Peer::NginxShipped
            | Peer::NginxLong
            | Peer::HaproxySpliceLong => matches!(self, Self::Bulk { .. }),
            _ => true,
        }
    }

    fn units_counted(self) -> (u64, u64) {
        match self {
            Self::Connections => (256, 2_304),
            Self::Bulk { .. } => (20_000_000, 120_000_000),
            _ => (1_280, 11_520),
        }
    }

    /// How many units a count is told for: of bulk a GB.
    fn units_told(self) -> f64 {
        if matches!(self, Self::Bulk { .. }) { 1e9 } else { 1.0 }
    }

    /// Some tenths of a second of work; of bulk a unit is a byte.
    fn units_timed(self, quick: bool) -> u64 {
        let units = match self {
            Self::Requests => 16_000,
            Self::Connections => 2_400,
            Self::Bulk { .. } => 400_000_000,
            Self::Latency => 600,
            Self::Idle => 1,
        };
        if quick { (units / 4).max(1) } else { units }
    }
}

#[derive(Debug)]
pub struct Plan {
    pub quick: bool,
    pub counts: bool,
    pub memory: bool,
    pub rounds: usize,
    pub peers: Vec<Peer>,
    only: String,
    only_peers: String,
}

impl Plan {
    fn new(options: &Options) -> Self {
        let &Options { quick, counts, walls, rounds, ref only, ref only_peers, .. } = options;
        Self {
            quick,
            counts,
            memory: counts && Workload::Idle.name().starts_with(only),
            rounds: if walls { rounds.unwrap_or(if quick { 3 } else { 21 }) } else { 0 },
            peers: Vec::new(),
            only: only.clone(),
            only_peers: only_peers.clone(),
        }
    }

    /// A sample leaves out bulk, in which counts tell little and take long.
    fn counted(&self) -> Vec<Workload> {
        let is_counted = |workload: &Workload| match workload {
            Workload::Requests | Workload::Connections => self.counts,
            Workload::Bulk { .. } => self.counts && !self.quick,
            Workload::Latency | Workload::Idle => false,
        };
        let all = Workload::ALL.into_iter().filter(is_counted);
        all.filter(|&workload| self.is_chosen(workload)).collect()
    }

    fn timed(&self) -> Vec<Workload> {
        let is_timed = |workload: &Workload| *workload != Workload::Idle;
        let all = Workload::ALL.into_iter().filter(is_timed);
        all.filter(|&workload| self.is_chosen(workload)).collect()
    }

    fn is_chosen(&self, workload: Workload) -> bool {
        workload.name().starts_with(&self.only)
    }
}

/// The command. `None` if only help was asked for.
pub fn run(parser: Parser) -> Result<Option<ExitCode>, lexopt::Error> {
    let Some(options) = Options::parse(parser, "results/proxies")? else { return Ok(None) };
    let mut plan = Plan::new(&options);
    // Whatever hangs, it ends; and the proxies end with it.
    os::give_up_after(if plan.quick { 800 } else { 3_000 });
    os::raise_file_limit();
    let programs = Programs::build().map_err(|error| error.to_string())?;
    let (peers, missing) = programs.present();
    let wanted = |peer: &Peer| peer.name().starts_with(&plan.only_peers);
    plan.peers = peers.into_iter().filter(wanted).collect();
    let taken = take(&plan, &programs, missing, &options.out);
    let all_passed = taken.map_err(|error| error.to_string())?;
    let failed = options.strict && !all_passed;
    Ok(Some(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }))
}

/// Measures, and writes the results as they come: whatever ends it early, what was taken is there.
/// Answers whether all bars were passed.
fn take(plan: &Plan, programs: &Programs, missing: Vec<String>, out: &Path) -> io::Result<bool> {
    let mut taken = Taken::new(plan, missing);
    taken.counts = counts::take(plan, programs, &mut taken.missing);
    taken.missing.iter().for_each(|missing| eprintln!("SKIPPED {missing}"));
    taken.memories = memory::take(plan, programs);
    let mut race = Race::start(plan, programs);
    for round in 0..plan.rounds {
        race.run(round, &mut taken.rounds);
        report::write(out, &taken, &bars::check(&taken))?;
    }
    race.finish();
    let bars = bars::check(&taken);
    let table = report::write(out, &taken, &bars)?;
    println!("{table}\nWritten to {}", out.display());
    Ok(bars.iter().all(|bar| bar.passed))
}

/// Puts load on a proxy that runs already.
pub fn drive(mut parser: Parser) -> Result<(), lexopt::Error> {
    let (mut workload, mut units, mut proxy, mut upstream) = (String::new(), 10_000, None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("workload") => workload = parser.value()?.string()?,
            Long("n") => units = parser.value()?.parse()?,
            Long("proxy") => proxy = Some(parser.value()?.parse()?),
            Long("upstream") => upstream = Some(parser.value()?.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    let workload = Workload::ALL.into_iter().find(|known| known.name() == workload);
    let (Some(workload), Some(proxy), Some(upstream)) = (workload, proxy, upstream) else {
        return Err("--workload, --proxy and --upstream are needed".into());
    };
    let driven = Upstream::at(upstream).and_then(|upstream| {
        os::pin(LOAD_PROCESSOR);
        Load::new(workload, proxy, &upstream)?.run(units)
    });
    let seen = driven.map_err(|error| error.to_string())?;
    println!("{units} units in {:?}", seen.wall);
    Ok(())
}
