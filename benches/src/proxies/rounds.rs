//! Rounds: every proxy does every workload once a round, one straight after the other, in another order
//! each time. All run from the beginning to the end; who has nothing to do sleeps.

use std::io;
use std::time::Instant;

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
    /// How often the proxy slept, for a unit of work.
    Sleeps,
    /// How often the clients and the upstream, which are one thread, did: each time somebody has to wake them, mostly
    /// the proxy, and pays for it.
    LoadSleeps,
}

/// One figure of one proxy in one round: nanoseconds, or how often it slept.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub round: usize,
    pub workload: Workload,
    pub figure: Figure,
    pub peer: Peer,
    pub value: f64,
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
            Self::Sleeps => "sleeps of the proxy",
            Self::LoadSleeps => "sleeps of the load",
        }
    }
}

struct Running {
    peer: Peer,
    process: Process,
    address: std::net::SocketAddrV4,
    upstream: Upstream,
}

/// All that take part, from the first round to the last.
pub struct Race<'a> {
    plan: &'a Plan,
    programs: &'a Programs,
    running: Vec<Running>,
}

impl<'a> Race<'a> {
    pub fn start(plan: &'a Plan, programs: &'a Programs) -> Self {
        let peers = if plan.rounds == 0 { &[] } else { plan.peers.as_slice() };
        let running = peers.iter().filter(|&&peer| plan.timed().iter().any(|w| w.is_for(peer)));
        let running = running.filter_map(|&peer| {
            let told = |error| eprintln!("FAILED to start {}: {error}", peer.name());
            start(programs, peer).map_err(told).ok()
        });
        Self { plan, programs, running: running.collect() }
    }

    /// One round. Whoever fails has no figure in it, and starts anew.
    pub fn run(&mut self, round: usize, rounds: &mut Rounds) {
        let began = Instant::now();
        for workload in self.plan.timed() {
            for one in self.running.iter_mut().filter(|one| workload.is_for(one.peer)) {
                let Err(error) = rounds.sample(self.plan, round, workload, one) else { continue };
                eprintln!("FAILED: {}, {}: {error}", workload.name(), one.peer.name());
                match start(self.programs, one.peer) {
                    Ok(anew) => *one = anew,
                    Err(error) => eprintln!("FAILED to start {}: {error}", one.peer.name()),
                }
            }
        }
        let first = usize::from(!self.running.is_empty());
        self.running.rotate_left(first);
        let (of, took) = (self.plan.rounds, began.elapsed().as_secs_f64());
        eprintln!("round {} of {of} in {took:.1} s", round + 1);
    }

    pub fn finish(self) {
        self.running.into_iter().for_each(|one| one.process.finish());
    }
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
        let before = (one.process.cpu_ns(), one.process.sleeps(), os::sleeps());
        let mut seen = load.run(units)?;
        let cpu = one.process.cpu_ns() - before.0;
        let sleeps = [one.process.sleeps() - before.1, os::sleeps() - before.2];
        let mut add = |figure, value: f64| {
            self.samples.push(Sample { round, workload, figure, peer: one.peer, value });
        };
        add(Figure::Cpu, cpu as f64 / units as f64);
        add(Figure::Wall, seen.wall.as_nanos() as f64 / units as f64);
        add(Figure::Sleeps, sleeps[0] as f64 / units as f64);
        add(Figure::LoadSleeps, sleeps[1] as f64 / units as f64);
        seen.latencies_ns.sort_unstable();
        if let Some(last) = seen.latencies_ns.len().checked_sub(1) {
            add(Figure::P50, seen.latencies_ns[last / 2] as f64);
            add(Figure::P99, seen.latencies_ns[last * 99 / 100] as f64);
        }
        Ok(())
    }

    /// How many rounds there are figures of.
    pub fn taken(&self) -> usize {
        self.samples.last().map_or(0, |last| last.round + 1)
    }

    /// One figure of one proxy, over all rounds.
    pub fn figure(&self, workload: Workload, figure: Figure, peer: Peer) -> Option<Median> {
        let samples: Vec<f64> =
            self.of(workload, figure, peer).map(|sample| sample.value).collect();
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
            (base.value > 0.0).then(|| sample.value / base.value)
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
