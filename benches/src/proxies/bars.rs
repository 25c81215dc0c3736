//! The bars that the proxy has to clear, each with what was measured.

use super::Workload;
use super::memory::Memory;
use super::peers::{OURS, Peer};
use super::report::Taken;
use super::rounds::Figure;
use crate::bars::Bar;
use crate::stats::Median;

const BULK_ONE: Workload = Workload::Bulk { connections: 1 };
const BULK_MANY: Workload = Workload::Bulk { connections: 16 };

/// All bars that can be judged by what was taken.
pub fn check(taken: &Taken<'_>) -> Vec<Bar> {
    let mut bars = Bars { taken, bars: Vec::new() };
    bars.counts();
    bars.cpu();
    bars.bulk();
    bars.memory();
    bars.latency();
    bars.bars
}

struct Bars<'a> {
    taken: &'a Taken<'a>,
    bars: Vec<Bar>,
}

impl Bars<'_> {
    fn add(&mut self, what: impl Into<String>, measured: String, passed: bool) {
        self.bars.push(Bar { what: what.into(), measured, passed });
    }

    fn counts(&mut self) {
        let of = |workload, peer| self.taken.counts.get(&(workload, peer)).cloned();
        for (workload, unit, most) in [
            (Workload::Requests, "a round trip", 450.0),
            (Workload::Connections, "a connection", 1_500.0),
        ] {
            let Some(ours) = of(workload, OURS) else { continue };
            let raw = of(workload, Peer::RawCopy).unwrap_or_default();
            if let Some(count) = ours.instructions {
                let what = format!("{}: at most {most} user instructions {unit}", workload.name());
                let raw = raw.instructions.map_or("–".into(), |raw| format!("{raw:.0}"));
                self.add(what, format!("{count:.0} (raw {raw})"), count <= most);
            }
            if let Some(count) = ours.allocations {
                let what = format!("{}: allocations {unit}", workload.name());
                self.add(what, format!("{count:.3} = 0"), count == 0.0);
            }
            if let (Workload::Connections, Some(count), Some(raw)) =
                (workload, ours.all_calls(), raw.all_calls())
            {
                let what = "connections: the raw relay's system calls and at most 0.5 more";
                let passed = count <= raw + 0.5;
                self.add(what, format!("{count:.2} ≤ {raw:.2} + 0.5"), passed);
            }
        }
    }

    /// Below each proxy that others wrote. The raw relays leave out what a proxy needs.
    fn cpu(&mut self) {
        for workload in [Workload::Requests, Workload::Connections] {
            for peer in self.foreign() {
                let ratio = self.taken.rounds.ours_to(workload, Figure::Cpu, peer);
                let what = format!("{}: CPU below that of {}", workload.name(), peer.name());
                self.at_most(what, ratio, 1.0);
            }
        }
    }

    fn bulk(&mut self) {
        let rounds = &self.taken.rounds;
        // As both come, and with what one of them comes with.
        let pairs = [
            (BULK_ONE, Peer::MioCoreCopy, Peer::NginxShipped, 0.70),
            (BULK_ONE, Peer::MioCoreCopyEqual, Peer::Nginx, 0.70),
            (BULK_MANY, Peer::MioCoreCopy, Peer::NginxShipped, 0.55),
            (BULK_MANY, Peer::MioCoreCopyEqual, Peer::Nginx, 0.55),
            (BULK_ONE, OURS, Peer::HaproxySplice, 1.0),
            (BULK_ONE, OURS, Peer::HaproxySpliceLong, 1.0),
            (BULK_MANY, OURS, Peer::HaproxySplice, 1.0),
            (BULK_MANY, OURS, Peer::HaproxySpliceLong, 1.0),
        ];
        let pairs = pairs.map(|(workload, ours, peer, most)| {
            let ratio = rounds.ratio(workload, Figure::Cpu, ours, peer);
            let (name, ours, peer) = (workload.name(), ours.name(), peer.name());
            let what = format!("{name}: CPU a byte, “{ours}” at most {most} times “{peer}”");
            (what, ratio, most)
        });
        for (what, ratio, most) in pairs {
            self.at_most(what, ratio, most);
        }
    }

    fn memory(&mut self) {
        let Some(&Memory { base_bytes, pair_bytes, kernel_bytes }) = self.taken.memories.get(&OURS)
        else {
            return;
        };
        let what = "idle: at most 160 bytes of user memory a pair";
        self.add(what, format!("{pair_bytes:.0}"), pair_bytes <= 160.0);
        let base = base_bytes / 1e6;
        self.add("idle: at most 0.5 MB without a pair", format!("{base:.2} MB"), base <= 0.5);
        let theirs = self
            .foreign()
            .into_iter()
            .filter_map(|peer| Some(self.taken.memories.get(&peer)?.kernel_bytes));
        let least = theirs.fold(f64::INFINITY, f64::min);
        if least.is_finite() {
            // What others on the machine do moves the kernel's account by a few hundredths.
            let passed = kernel_bytes <= least * 1.03;
            let measured = format!("{kernel_bytes:.0}, least {least:.0}");
            self.add(
                "idle: no more kernel memory a pair than any peer, within 3 %",
                measured,
                passed,
            );
        }
    }

    fn latency(&mut self) {
        for peer in self.foreign() {
            let ratio = self.taken.rounds.ours_to(Workload::Latency, Figure::P50, peer);
            let Some(ratio) = ratio else { continue };
            let what = format!("latency: p50 asleep, not behind {}", peer.name());
            self.add(what, times(ratio), ratio.low <= 1.0);
        }
        let spin = self.taken.rounds.figure(Workload::Latency, Figure::P50, Peer::MioCoreSpin);
        if let Some(spin) = spin {
            let micros = spin.value / 1e3;
            let what = "latency: p50 at most 70 µs with the spin option";
            self.add(what, format!("{micros:.0} µs"), micros <= 70.0);
        }
    }

    fn at_most(&mut self, what: String, ratio: Option<Median>, most: f64) {
        if let Some(ratio) = ratio {
            self.add(what, times(ratio), ratio.value <= most);
        }
    }

    fn foreign(&self) -> Vec<Peer> {
        self.taken.plan.peers.iter().copied().filter(|peer| peer.is_foreign()).collect()
    }
}

fn times(ratio: Median) -> String {
    format!("{:.2} × [{:.2}, {:.2}]", ratio.value, ratio.low, ratio.high)
}
