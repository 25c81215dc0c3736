//! Walls: mio-core and one peer, one straight after the other, in turns as to who goes first; all
//! pairs of a round are made before the next round begins, so that a slow minute of the machine falls
//! on everybody.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::os;
use crate::plan::Plan;
use crate::stats::Median;
use crate::unit::Workload;

/// The one that the others are compared with.
pub const OURS: &str = "mio-core";

/// One figure of one pair of runs.
#[derive(Clone, Debug)]
pub struct Pair {
    pub round: usize,
    pub workload: Workload,
    pub metric: String,
    pub peer: &'static str,
    pub ours: f64,
    pub theirs: f64,
}

#[derive(Debug, Default)]
pub struct Walls {
    pub pairs: Vec<Pair>,
}

type Figures = BTreeMap<String, f64>;

pub fn take(plan: &Plan) -> Walls {
    let mut walls = Walls::default();
    if plan.walls.is_empty() {
        return walls;
    }
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        for &workload in &plan.walls {
            for peer in workload.peers().into_iter().filter(|peer| !peer.starts_with(OURS)) {
                walls.pair(round, workload, peer);
            }
        }
    }
    walls
}

impl Walls {
    fn pair(&mut self, round: usize, workload: Workload, peer: &'static str) {
        let (ours, theirs) = if round % 2 == 0 {
            let ours = run(workload, OURS);
            (ours, run(workload, peer))
        } else {
            let theirs = run(workload, peer);
            (run(workload, OURS), theirs)
        };
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
        for (metric, &ours) in &ours {
            let Some(&theirs) = theirs.get(metric) else { continue };
            let metric = metric.clone();
            self.pairs.push(Pair { round, workload, metric, peer, ours, theirs });
        }
    }

    fn of<'a>(&'a self, workload: Workload, metric: &'a str) -> impl Iterator<Item = &'a Pair> {
        self.pairs.iter().filter(move |pair| pair.workload == workload && pair.metric == metric)
    }

    /// How many times as long a peer takes as we do.
    pub fn ratio(&self, workload: Workload, metric: &str, peer: &str) -> Option<Median> {
        let ratios: Vec<f64> = self
            .of(workload, metric)
            .filter(|pair| pair.peer == peer && pair.ours > 0.0)
            .map(|pair| pair.theirs / pair.ours)
            .collect();
        (!ratios.is_empty()).then(|| Median::of(&ratios))
    }

    /// A peer's own figure, or ours over all pairs.
    pub fn figure(&self, workload: Workload, metric: &str, peer: &str) -> Option<Median> {
        let figures: Vec<f64> = self
            .of(workload, metric)
            .filter(|pair| peer == OURS || pair.peer == peer)
            .map(|pair| if peer == OURS { pair.ours } else { pair.theirs })
            .collect();
        (!figures.is_empty()).then(|| Median::of(&figures))
    }
}

fn run(workload: Workload, peer: &str) -> Option<Figures> {
    let output = Command::new(os::running_program())
        .env(os::PROGRAM, os::running_program())
        .args(["unit", "--peer", peer, "--workload", &workload.name()])
        .args(["--n", &workload.units_timed().to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .ok()?;
    if !output.status.success() {
        eprintln!("FAILED: {} {peer}: {}", workload.name(), output.status);
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = |line: &str| {
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    Some(text.lines().filter_map(figure).collect())
}
