//! One run of one peer on one workload, in a process of its own, with its figures on standard output.

use std::collections::BTreeMap;

use crate::chain::Chain;
use crate::echo::Echo;
use crate::measure::Cost;
use crate::timers::Operation;
use crate::{dispatch, loops, messages, os, timers};

/// The peer that arms no timers: the cost of the workload itself.
pub const NOTHING: &str = "nothing";

/// Figures by their names.
pub type Metrics = BTreeMap<&'static str, f64>;

/// A workload and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Workload {
    Pipes {
        pipes: usize,
        active: usize,
    },
    Echo {
        connections: usize,
    },
    /// The same echo, by how its code is called.
    Dispatch {
        connections: usize,
    },
    Timers {
        live: usize,
    },
    Messages {
        senders: u64,
        asleep: bool,
    },
    /// Push and pop on one thread.
    Queue,
}

/// Chooses workloads for a table or a plot.
pub type Belongs = fn(&Workload) -> bool;

impl Workload {
    pub fn name(&self) -> String {
        match self {
            Self::Pipes { pipes, active } => format!("pipes/{pipes}/{active}"),
            Self::Echo { connections } => format!("echo/{connections}"),
            Self::Dispatch { connections } => format!("dispatch/{connections}"),
            Self::Timers { live } => format!("timers/{live}"),
            Self::Messages { senders, asleep: false } => format!("messages/busy/{senders}"),
            Self::Messages { senders, asleep: true } => format!("messages/asleep/{senders}"),
            Self::Queue => "messages/one-thread".into(),
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('/').collect();
        Some(match parts[..] {
            ["pipes", pipes, active] => {
                Self::Pipes { pipes: pipes.parse().ok()?, active: active.parse().ok()? }
            }
            ["echo", connections] => Self::Echo { connections: connections.parse().ok()? },
            ["dispatch", connections] => Self::Dispatch { connections: connections.parse().ok()? },
            ["timers", live] => Self::Timers { live: live.parse().ok()? },
            ["messages", "busy", senders] => {
                Self::Messages { senders: senders.parse().ok()?, asleep: false }
            }
            ["messages", "asleep", senders] => {
                Self::Messages { senders: senders.parse().ok()?, asleep: true }
            }
            ["messages", "one-thread"] => Self::Queue,
            _ => return None,
        })
    }

    /// Who can run it.
    pub fn peers(&self) -> Vec<&'static str> {
        match self {
            Self::Pipes { .. } => names(loops::PIPES.iter().map(|peer| peer.0)),
            Self::Echo { .. } => names(loops::ECHO.iter().map(|peer| peer.0)),
            Self::Dispatch { .. } => names(dispatch::PEERS.iter().map(|peer| peer.0)),
            Self::Timers { .. } => names(timers::PEERS.iter().map(|peer| peer.0)),
            Self::Messages { .. } => names(messages::THREADS.iter().map(|peer| peer.0)),
            Self::Queue => names(messages::ALONE.iter().map(|peer| peer.0)),
        }
    }
}

fn names(peers: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let available = crate::uv_sys::load().is_some();
    peers.filter(|&peer| peer != "libuv" || available).collect()
}

/// How a run is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Units of work.
    pub units: u64,
    /// Deterministic rounds for echo.
    pub lockstep: bool,
    /// One operation of the timers, not all.
    pub operation: Option<Operation>,
}

/// Runs it; `None` if there is no such peer.
pub fn run(peer: &str, workload: Workload, manner: Manner) -> Option<Metrics> {
    os::raise_file_limit();
    os::pin(0);
    let units = manner.units;
    match workload {
        Workload::Pipes { pipes, active } => {
            let run = loops::PIPES.iter().find(|candidate| candidate.0 == peer)?.1;
            Some(per_unit(run(&mut Chain::new(pipes, active, units)), units))
        }
        Workload::Echo { connections } | Workload::Dispatch { connections } => {
            let peers =
                if let Workload::Echo { .. } = workload { loops::ECHO } else { dispatch::PEERS };
            let run = peers.iter().find(|candidate| candidate.0 == peer)?.1;
            let rounds = units / connections as u64;
            let mut echo = Echo::new(connections, rounds, manner.lockstep);
            Some(per_unit(run(&mut echo), rounds * connections as u64))
        }
        Workload::Timers { live } => {
            if let (NOTHING, Some(operation)) = (peer, manner.operation) {
                return Some(per_unit(timers::NOTHING(live, operation, units as usize), units));
            }
            let (_, battery, count) = timers::PEERS.iter().find(|candidate| candidate.0 == peer)?;
            Some(match manner.operation {
                Some(operation) => per_unit(count(live, operation, units as usize), units),
                None => battery(live),
            })
        }
        Workload::Messages { senders, asleep } => {
            let run = messages::THREADS.iter().find(|candidate| candidate.0 == peer)?.1;
            let plan = messages::Plan { senders, messages: units, asleep };
            let delivery = run(&plan);
            let mut metrics = per_unit(delivery.cost, units);
            if asleep {
                // The wall clock would tell of the pauses.
                metrics.insert("ns", delivery.latency.as_nanos() as f64 / units as f64);
            }
            Some(metrics)
        }
        Workload::Queue => {
            let run = messages::ALONE.iter().find(|candidate| candidate.0 == peer)?.1;
            Some(per_unit(run(units), units))
        }
    }
}

fn per_unit(cost: Cost, units: u64) -> Metrics {
    let units = units as f64;
    Metrics::from([
        ("ns", cost.wall.as_nanos() as f64 / units),
        ("cpu ns", cost.cpu.as_nanos() as f64 / units),
        ("allocations", cost.allocations as f64),
        ("reads", cost.reads as f64 / units),
        ("writes", cost.writes as f64 / units),
    ])
}
