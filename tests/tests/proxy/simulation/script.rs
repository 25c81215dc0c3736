//! What a seed stands for: how the proxies are set up, who comes when, and what each does.

use std::time::Duration;

use mio_core::{
    proxy::{ProxyConfig, ProxyProtocol},
    relay::Bounds,
};

use super::faults::Rates;

pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_millis(300);
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_millis(1_000);
pub(super) const DRAIN_TIMEOUT: Duration = Duration::from_millis(400);
pub(super) const RETRY: Duration = Duration::from_millis(70);

/// The most upstreams that are tried for a client after the first.
const TRIES_MAX: usize = 3;

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn millis(&mut self, below: usize) -> Duration {
        Duration::from_millis(self.below(below) as u64)
    }
}

/// What a peer does next, when the time of it has come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A client comes.
    Connect,
    Send(usize),
    /// Takes so much of what is there, who else takes nothing.
    Read(usize),
    /// Takes whatever comes from now on.
    ReadAll,
    /// Ends its half, when all is sent.
    Shut,
    /// Closes its connection.
    Leave,
    Reset,
}

/// Whom a client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upstream {
    Accepts,
    /// It queues whom it never accepts, over a Unix socket; over TCP its queue is full.
    Deaf,
    Refuses,
    /// The hook chooses none.
    None,
}

/// A client, and who is behind the proxy for it.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    /// Which of the proxies it comes to.
    pub(super) proxy: usize,
    /// Whether the connection of this side is one of TCP.
    pub(super) tcp: [bool; 2],
    /// Those that are tried for it, one after the other.
    pub(super) upstreams: Vec<Upstream>,
    /// The kernel keeps little.
    pub(super) narrow: bool,
    /// Who takes bytes when they come; others when they say so.
    pub(super) eager: [bool; 2],
    /// Each with how long after the one before.
    pub(super) scripts: [Vec<(Duration, Step)>; 2],
    /// At the byte of this number from this side the hook breaks the pair off.
    pub(super) poison: Option<(usize, usize)>,
}

#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) seed: u64,
    /// All over Unix sockets, where the kernel does everything at once.
    pub(super) exact: bool,
    pub(super) configs: [ProxyConfig; 2],
    pub(super) plots: Vec<Plot>,
    pub(super) rates: Rates,
    /// When the proxies are told to drain; else when all pairs are gone.
    pub(super) drain: Option<Duration>,
}

impl Script {
    pub(super) fn new(seed: u64, exact: bool, config: impl Fn() -> ProxyConfig) -> Script {
        let mut random = Random::new(seed ^ if exact { 0 } else { 1 << 63 });
        let count = 1 + if exact { 100 + random.below(150) } else { 20 + random.below(60) };
        let configs = [0, 1].map(|proxy| random.config(proxy, count, config()));
        let span = random.pick(&[200, 1_000, 3_000]);
        let plots = (0..count).map(|_| random.plot(exact, span)).collect();
        let rates = Rates {
            interrupted: random.pick(&[0, 500, 2_000]),
            fatal: random.pick(&[0, 5, 20]),
            opening: random.pick(&[0, 300, 1_000]),
        };
        let drain = random.chance(30).then(|| random.millis(span));
        Script { seed, exact, configs, plots, rates, drain }
    }
}

impl Random {
    /// The second proxy sees the bytes, for which it needs a buffer at least.
    fn config(&mut self, proxy: usize, pairs: usize, config: ProxyConfig) -> ProxyConfig {
        use ProxyProtocol::{Off, V1, V2};
        let buffers = self.pick(&[0, 1, 3, 20, 2 * pairs]).max(proxy);
        ProxyConfig {
            capacity: self.pick(&[3, 20, pairs, 4 * pairs]),
            relay: Bounds {
                buffers,
                buffer_bytes: self.pick(&[130, 500, 4_000, 70_000]),
                burst_bytes: self.pick(&[1, 1_000, 20_000, 200_000]),
                waiting: 0,
                pipes: self.pick(&[0, 1, 2, 10]),
                pipe_bytes: self.pick(&[5_000, 70_000]),
            },
            connect_timeout: CONNECT_TIMEOUT,
            retries: self.pick(&[0, 1, TRIES_MAX as u32]),
            idle_timeout: IDLE_TIMEOUT,
            drain_timeout: DRAIN_TIMEOUT,
            accept_retry: RETRY,
            proxy_protocol: self.pick(&[Off, V1, V2]),
            ..config
        }
    }

    fn plot(&mut self, exact: bool, span: usize) -> Plot {
        let tcp = [0, 1].map(|_| !exact && self.chance(70));
        let upstreams = (0..=TRIES_MAX).map(|_| self.upstream()).collect();
        let eager = [0, 1].map(|_| self.chance(70));
        let scripts = eager.map(|eager| self.life(eager));
        let mut plot = Plot {
            proxy: self.below(2),
            tcp,
            upstreams,
            narrow: self.chance(50),
            eager,
            scripts,
            poison: self.chance(5).then(|| (self.below(2), self.below(3_000))),
        };
        plot.scripts[0].insert(0, (self.millis(span), Step::Connect));
        plot
    }

    fn upstream(&mut self) -> Upstream {
        match self.below(20) {
            0 | 1 => Upstream::Deaf,
            2 | 3 => Upstream::Refuses,
            4 => Upstream::None,
            _ => Upstream::Accepts,
        }
    }

    /// One peer's life. Some say nothing, and some leave in the middle.
    fn life(&mut self, eager: bool) -> Vec<(Duration, Step)> {
        let mut steps = Vec::new();
        let sends = self.pick(&[0, 1, 2, 3, 8]);
        let most = self.pick(&[100, 2_000, 2_000, 60_000]);
        // Also for longer than the proxy waits.
        let pause = self.pick(&[1, 20, 20, 100, 1_500]);
        for _ in 0..sends {
            steps.push((self.millis(pause), Step::Send(1 + self.below(most))));
            if !eager && self.chance(50) {
                steps.push((self.millis(pause), Step::Read(1 + self.below(most))));
            }
        }
        if !eager && self.chance(80) {
            for _ in 0..self.below(6) {
                steps.push((self.millis(pause), Step::Read(1 + self.below(most))));
            }
            steps.push((self.millis(pause), Step::ReadAll));
        }
        if self.chance(75) {
            let at = if self.chance(70) { steps.len() } else { self.below(steps.len() + 1) };
            // What comes after it is not sent.
            steps.insert(at, (self.millis(pause), Step::Shut));
        }
        if self.chance(20) {
            let at = self.below(steps.len() + 1);
            steps.truncate(at);
            steps.push((self.millis(pause), self.pick(&[Step::Leave, Step::Reset, Step::Reset])));
        }
        steps
    }
}
