//! What is run, and how much of it.

use crate::options::Options;
use crate::timers::Operation;
use crate::unit::Workload;

#[derive(Debug)]
pub struct Plan {
    pub quick: bool,
    /// What is counted, and what is timed.
    pub counts: Vec<Workload>,
    pub walls: Vec<Workload>,
    pub rounds: usize,
}

impl Plan {
    pub fn new(options: &Options) -> Self {
        let &Options { quick, counts, walls, rounds, ref only, .. } = options;
        let chosen = |all: Vec<Workload>, wanted: bool| {
            let chosen = all.into_iter().filter(|workload| workload.name().starts_with(only));
            if wanted { chosen.collect() } else { Vec::new() }
        };
        Self {
            quick,
            counts: chosen(counted(quick), counts),
            walls: chosen(timed(quick), walls),
            rounds: rounds.unwrap_or(if quick { 5 } else { 21 }),
        }
    }
}

fn pipes(quick: bool) -> Vec<Workload> {
    let sizes: &[(usize, usize)] = if quick {
        &[(100, 1), (1_000, 100)]
    } else {
        &[
            (100, 1),
            (100, 100),
            (1_000, 1),
            (1_000, 100),
            (1_000, 1_000),
            (5_000, 1),
            (5_000, 100),
            (5_000, 1_000),
        ]
    };
    sizes.iter().map(|&(pipes, active)| Workload::Pipes { pipes, active }).collect()
}

fn echo() -> [Workload; 2] {
    [Workload::Echo { connections: 1 }, Workload::Echo { connections: 64 }]
}

fn counted(quick: bool) -> Vec<Workload> {
    let mut all = pipes(quick);
    all.extend(echo());
    all.push(Workload::Dispatch { connections: 64 });
    all.push(Workload::Timers { live: 10_000 });
    if !quick {
        all.push(Workload::Timers { live: 100_000 });
    }
    all.push(Workload::Queue);
    all
}

fn timed(quick: bool) -> Vec<Workload> {
    let mut all = pipes(quick);
    all.extend(echo());
    let live: &[usize] = if quick { &[10_000] } else { &[10_000, 100_000, 1_000_000] };
    all.extend(live.iter().map(|&live| Workload::Timers { live }));
    let senders: &[u64] = if quick { &[1] } else { &[1, 2] };
    for asleep in [false, true] {
        all.extend(senders.iter().map(|&senders| Workload::Messages { senders, asleep }));
    }
    all.push(Workload::Queue);
    all
}

impl Workload {
    /// What a count runs on: the workload itself, or each operation of its own.
    pub fn operations(&self) -> Vec<Option<Operation>> {
        match self {
            Self::Timers { .. } => Operation::SHOWN.map(Some).to_vec(),
            _ => vec![None],
        }
    }

    /// Units of the short and of the long run whose difference is a count.
    pub fn units_counted(&self) -> (u64, u64) {
        match self {
            Self::Pipes { .. } => (2_000, 10_000),
            Self::Echo { connections: 1 } => (200, 1_200),
            Self::Echo { connections } | Self::Dispatch { connections } => {
                (10 * *connections as u64, 60 * *connections as u64)
            }
            Self::Timers { .. } => (2_000, 10_000),
            Self::Messages { .. } | Self::Queue => (25_600, 102_400),
        }
    }

    /// Units of a timed run, some tens of milliseconds of work.
    pub fn units_timed(&self) -> u64 {
        match self {
            Self::Pipes { .. } => 20_000,
            Self::Echo { connections: 1 } => 1_000,
            Self::Echo { connections } | Self::Dispatch { connections } => {
                150 * *connections as u64
            }
            Self::Timers { .. } => 0,
            Self::Messages { asleep: false, .. } => 300_000,
            Self::Messages { asleep: true, .. } => 100,
            Self::Queue => 1_024_000,
        }
    }

    /// The figures of a timed run that are compared, all in nanoseconds a unit.
    pub fn metrics_timed(&self) -> &'static [&'static str] {
        match self {
            Self::Pipes { .. } | Self::Messages { .. } | Self::Queue => &["ns"],
            Self::Echo { .. } | Self::Dispatch { .. } => &["ns", "cpu ns"],
            Self::Timers { .. } => &[
                "insert",
                "cancel",
                "insert + cancel",
                "push back",
                "push back, looked up",
                "mixed",
                "fire",
            ],
        }
    }
}
