//! What a proxy counts.

use std::{
    fmt,
    io::ErrorKind,
    ops::{Add, AddAssign},
};

use super::{Cause, Side};
use crate::relay::Way;

/// What a proxy has done.
///
/// As text it is a few lines for people to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Clients accepted.
    pub accepted: u64,
    /// Of those, closed at once: no upstream was chosen for them, or descriptors or memory ran out.
    pub not_opened: u64,
    /// Pairs that are open, or were when the proxy was stopped.
    pub open: u64,
    /// Pairs of which both ways came to their end.
    pub finished: u64,
    /// Pairs that one side reset, or closed while more came for it.
    pub resets: u64,
    /// Pairs of which one side was lost otherwise, or that were broken off by a hook.
    pub broken: u64,
    /// Clients whom the upstream refused, or for whom it cannot be reached; of several that were tried, the last.
    pub connects_failed: u64,
    /// Clients for whom the upstream did not answer in time; of several that were tried, the last.
    pub connect_timeouts: u64,
    /// Upstreams that were tried because the one before was not reached.
    pub retries: u64,
    /// Pairs closed because nothing moved.
    pub idle_timeouts: u64,
    /// How often accepting paused because descriptors or memory ran out.
    pub back_offs: u64,
    /// The most remainders ever held at a time.
    pub held_max: u64,
    /// From the clients to the upstream, and from the upstream to the clients.
    pub ways: [Way; 2],
}

impl Counters {
    /// Bytes written, both ways.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.ways[Side::Client as usize].bytes + self.ways[Side::Upstream as usize].bytes
    }

    /// Counts the end of a pair.
    pub fn count(&mut self, cause: Cause) {
        match cause {
            Cause::Finished => self.finished += 1,
            Cause::Broken(_, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                self.resets += 1;
            }
            Cause::Broken(..) | Cause::Hook(_) | Cause::NoRoom => self.broken += 1,
            Cause::ConnectFailed(_) => self.connects_failed += 1,
            Cause::ConnectTimeout => self.connect_timeouts += 1,
            Cause::IdleTimeout => self.idle_timeouts += 1,
            // It was open at the end, and is in no table any more.
            Cause::Stopped => self.open += 1,
        }
    }
}

/// The sum over several loops; of [`held_max`](Counters::held_max) too, which is then no less than the most.
impl AddAssign for Counters {
    fn add_assign(&mut self, other: Counters) {
        let Counters { accepted, not_opened, open, finished, resets, broken, .. } = other;
        let Counters { connects_failed, connect_timeouts, retries, idle_timeouts, .. } = other;
        let Counters { back_offs, held_max, ways, .. } = other;
        self.accepted += accepted;
        self.not_opened += not_opened;
        self.open += open;
        self.finished += finished;
        self.resets += resets;
        self.broken += broken;
        self.connects_failed += connects_failed;
        self.connect_timeouts += connect_timeouts;
        self.retries += retries;
        self.idle_timeouts += idle_timeouts;
        self.back_offs += back_offs;
        self.held_max += held_max;
        for (own, other) in self.ways.iter_mut().zip(ways) {
            own.bytes += other.bytes;
            own.reads += other.reads;
            own.writes += other.writes;
            own.peeks += other.peeks;
            own.held += other.held;
            own.yields += other.yields;
            own.spliced += other.spliced;
            own.fills += other.fills;
            own.drains += other.drains;
        }
    }
}

impl Add for Counters {
    type Output = Counters;

    fn add(mut self, other: Counters) -> Counters {
        self += other;
        self
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counters { accepted, not_opened, open, finished, resets, broken, .. } = self;
        let Counters { connects_failed, connect_timeouts, idle_timeouts, back_offs, .. } = self;
        write!(f, "pairs     {accepted} accepted, {finished} finished, {resets} reset, ")?;
        writeln!(f, "{broken} broken, {open} left open")?;
        write!(f, "upstream  {connects_failed} refused, {connect_timeouts} timed out, ")?;
        write!(f, "{not_opened} not tried")?;
        if self.retries > 0 {
            write!(f, ", {} tried after another", self.retries)?;
        }
        writeln!(f)?;
        write!(f, "limits    {idle_timeouts} idle too long, {back_offs} back-offs, ")?;
        writeln!(f, "at most {} remainders held", self.held_max)?;
        for (name, way) in ["up  ", "down"].into_iter().zip(self.ways) {
            let Way { bytes, reads, writes, peeks, held, yields, spliced, fills, drains } = way;
            write!(f, "{name}      {bytes} bytes, {reads} reads, {writes} writes, ")?;
            writeln!(f, "{peeks} peeks, {held} remainders, {yields} yields")?;
            if spliced > 0 {
                writeln!(f, "          of them {spliced} spliced, {fills} fills, {drains} drains")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_counted_where_it_belongs() {
        let mut counters = Counters::default();
        for cause in [
            Cause::Finished,
            Cause::Broken(Side::Client, ErrorKind::ConnectionReset),
            Cause::Broken(Side::Upstream, ErrorKind::BrokenPipe),
            Cause::Broken(Side::Upstream, ErrorKind::HostUnreachable),
            Cause::Hook(ErrorKind::InvalidData),
            Cause::NoRoom,
            Cause::ConnectFailed(ErrorKind::ConnectionRefused),
            Cause::ConnectTimeout,
            Cause::IdleTimeout,
            Cause::Stopped,
        ] {
            counters.count(cause);
        }
        let Counters { finished, resets, broken, connects_failed, .. } = counters;
        assert_eq!((finished, resets, broken, connects_failed), (1, 2, 3, 1));
        assert_eq!((counters.connect_timeouts, counters.idle_timeouts, counters.open), (1, 1, 1));
    }

    #[test]
    fn counters_of_several_loops_add_up() {
        let way = Way { bytes: 3, writes: 1, ..Way::default() };
        let way =
            Way { reads: 4, peeks: 5, held: 6, yields: 7, spliced: 8, fills: 9, drains: 10, ..way };
        let times = |n| Counters {
            accepted: n,
            not_opened: 2 * n,
            open: 3 * n,
            finished: 4 * n,
            resets: 5 * n,
            broken: 6 * n,
            connects_failed: 7 * n,
            connect_timeouts: 8 * n,
            retries: 9 * n,
            idle_timeouts: 10 * n,
            back_offs: 11 * n,
            held_max: 12 * n,
            ways: [Way::default(); 2],
        };
        assert_eq!(times(1) + times(2), times(3));
        let one = Counters { ways: [way, Way::default()], ..times(1) };
        let other = Counters { ways: [way; 2], ..times(1) };
        let twice = Way { bytes: 6, writes: 2, reads: 8, peeks: 10, held: 12, ..way };
        let twice = Way { yields: 14, spliced: 16, fills: 18, drains: 20, ..twice };
        let sum = one + other;
        assert_eq!((sum.ways, sum.bytes()), ([twice, way], 9));
    }
}
