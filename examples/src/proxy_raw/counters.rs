//! What a proxy counts.

use std::{fmt, io::ErrorKind};

use mio_core::relay::Way;

use super::{CLIENT, End, UPSTREAM};

/// What a proxy has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Clients accepted.
    pub accepted: u64,
    /// Of those, closed at once because no connection to the upstream could be begun.
    pub not_opened: u64,
    /// Pairs that are open.
    pub open: u64,
    /// Pairs of which both ways came to their end.
    pub finished: u64,
    /// Pairs that one side reset, or closed while more came for it.
    pub resets: u64,
    /// Pairs of which one side was lost otherwise: unreachable, say.
    pub broken: u64,
    /// Clients whom the upstream refused.
    pub connects_failed: u64,
    /// Clients for whom the upstream did not answer in time.
    pub connect_timeouts: u64,
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
        self.ways[CLIENT].bytes + self.ways[UPSTREAM].bytes
    }

    pub(super) fn count(&mut self, end: End) {
        match end {
            End::Finished => self.finished += 1,
            End::Broken(_, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => self.resets += 1,
            End::Broken(..) | End::NoRoom => self.broken += 1,
            End::ConnectFailed => self.connects_failed += 1,
            End::ConnectTimeout => self.connect_timeouts += 1,
            End::IdleTimeout => self.idle_timeouts += 1,
        }
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counters { accepted, not_opened, open, finished, resets, broken, .. } = self;
        let Counters { connects_failed, connect_timeouts, idle_timeouts, back_offs, .. } = self;
        write!(f, "pairs     {accepted} accepted, {finished} finished, {resets} reset, ")?;
        writeln!(f, "{broken} broken, {open} left open")?;
        write!(f, "upstream  {connects_failed} refused, {connect_timeouts} timed out, ")?;
        writeln!(f, "{not_opened} not tried")?;
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
