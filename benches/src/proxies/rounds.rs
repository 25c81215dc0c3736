//! Rounds: every proxy does every workload once a round, one straight after the other, in another order
//! each time. All run from the beginning to the end; who has nothing to do sleeps.

use std::io;

use super::load::{Load, Upstream};
use super::peers::{OURS, Peer, Programs};
use super::process::Process;
use super::{Plan, Workload};
use crate::os;
use crate::stats::Median;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// Processor time of the proxy for a unit of work.
    Cpu,
    /// Time by the clock for a unit of work.
    Wall,
    P50,
    P99,
}

/// One figure of one proxy in one round, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub round: usize,
    pub workload: Workload,
    pub figure: Figure,
    pub peer: Peer,
    pub ns: f64,
}

#[derive(Debug, Default)]
pub struct Rounds {
    pub samples: Vec<Sample>,
}

impl Figure {
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Wall => "wall",
            Self::P50 => "p50",
            Self::P99 => "p99",
        }
    }
}

struct Running {
    peer: Peer,
    process: Process,
    address: std::net::SocketAddrV4,
    upstream: Upstream,
}

pub fn take(plan: &Plan, programs: &Programs) -> Rounds {
    let mut rounds = Rounds::default();
    if plan.rounds == 0 {
        return rounds;
    }
    let started = plan.peers.iter().filter_map(|&peer| {
        let told = |error| eprintln!("FAILED to start {}: {error}", peer.name());
        start(programs, peer).map_err(told).ok()
    });
    let mut running: Vec<Running> = started.collect();
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        for workload in plan.timed() {
            for one in running.iter().filter(|one| workload.is_for(one.peer)) {
                if let Err(error) = rounds.sample(plan, round, workload, one) {
                    eprintln!("FAILED: {}, {}: {error}", workload.name(), one.peer.name());
                }
            }
        }
        running.rotate_left(1);
    }
    for one in running {
        one.process.finish();
    }
    rounds
}

fn start(programs: &Programs, peer: Peer) -> io::Result<Running> {
    let upstream = Upstream::new()?;
    let (process, address) = programs.start(peer, &[], |_| {}, upstream.address())?;
    Ok(Running { peer, process, address, upstream })
}

impl Rounds {
    fn sample(
        &mut self,
        plan: &Plan,
        round: usize,
        workload: Workload,
        one: &Running,
    ) -> io::Result<()> {
        os::pin(super::LOAD_PROCESSOR);
        let units = workload.units_timed(plan.quick);
        let mut load = Load::new(workload, one.address, &one.upstream)?;
        load.run(units / 10)?;
        let before = one.process.cpu_ns();
        let mut seen = load.run(units)?;
        let cpu = one.process.cpu_ns() - before;
        let mut add = |figure, ns: f64| {
            self.samples.push(Sample { round, workload, figure, peer: one.peer, ns });
        };
        add(Figure::Cpu, cpu as f64 / units as f64);
        add(Figure::Wall, seen.wall.as_nanos() as f64 / units as f64);
        seen.latencies_ns.sort_unstable();
        if let Some(last) = seen.latencies_ns.len().checked_sub(1) {
            add(Figure::P50, seen.latencies_ns[last / 2] as f64);
            add(Figure::P99, seen.latencies_ns[last * 99 / 100] as f64);
        }
        Ok(())
    }

    /// One figure of one proxy, over all rounds.
    pub fn figure(&self, workload: Workload, figure: Figure, peer: Peer) -> Option<Median> {
        let samples: Vec<f64> = self.of(workload, figure, peer).map(|sample| sample.ns).collect();
        (!samples.is_empty()).then(|| Median::of(&samples))
    }

    /// How many times as much a peer takes as `base` does, round by round.
    pub fn ratio(
        &self,
        workload: Workload,
        figure: Figure,
        peer: Peer,
        base: Peer,
    ) -> Option<Median> {
        let ratio = |sample: &Sample| {
            let mut same = self.of(workload, figure, base);
            let base = same.find(|other| other.round == sample.round)?;
            (base.ns > 0.0).then(|| sample.ns / base.ns)
        };
        let ratios: Vec<f64> = self.of(workload, figure, peer).filter_map(ratio).collect();
        (!ratios.is_empty()).then(|| Median::of(&ratios))
    }

    /// As `ratio`, of ours to a peer: below one is ahead.
    pub fn ours_to(&self, workload: Workload, figure: Figure, peer: Peer) -> Option<Median> {
        self.ratio(workload, figure, OURS, peer)
    }

    fn of(&self, workload: Workload, figure: Figure, peer: Peer) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| {
            (sample.workload, sample.figure, sample.peer) == (workload, figure, peer)
        })
    }
}
