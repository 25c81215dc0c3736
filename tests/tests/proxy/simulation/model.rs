//! What must be true of the peers, whatever the proxies did.

use std::{io::ErrorKind, mem};

use mio_core::proxy::{Cause, Closed, Counters};

use super::{
    faults::{Call, Fault},
    peers::{Gone, Heard, Pair, State, TRAILER, Try, World},
    script::{CONNECT_TIMEOUT, DRAIN_TIMEOUT, IDLE_TIMEOUT, RETRY, Upstream},
};

/// The proxy that sees the bytes.
const SEEING: usize = 1;
/// What a timeout may be late by, beside its 64th, in nanoseconds.
const LATE: u64 = 1_000_000;

impl Pair {
    fn sees(&self) -> bool {
        self.plot.proxy == SEEING
    }

    /// How many bytes there are for this side in all, as of now.
    fn due(&self, side: usize) -> usize {
        let source = &self.peers[1 - side];
        let header = if side == 1 { self.header.len() } else { 0 };
        let trailer = if self.sees() && source.has_ended() { TRAILER.len() } else { 0 };
        header + source.sent + trailer
    }

    /// The last upstream that was tried and not merely asked for, and its number.
    fn last_try(&self) -> Option<(usize, Try)> {
        let tried = (0..self.tried).rev();
        let mut tried = tried.filter(|&number| self.plot.upstreams[number] != Upstream::None);
        tried.next().map(|number| (number, self.tries[number]))
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Closed(_) | State::Unopened | State::Unserved)
    }
}

fn written(closed: &Closed, side: usize) -> usize {
    [closed.bytes_down, closed.bytes_up][side] as usize
}

/// Bytes, as they come.
impl World {
    /// These are the next ones for this peer.
    pub(super) fn check_bytes(&self, peer: usize, mut bytes: &[u8]) {
        let (number, side) = (peer / 2, peer % 2);
        let pair = &self.pairs[number];
        let header: &[u8] = if side == 1 { &pair.header } else { &[] };
        let sent = pair.peers[1 - side].sent;
        let mut at = pair.peers[side].got;
        assert!(at + bytes.len() <= pair.due(side), "pair {number}: more than was sent");
        while !bytes.is_empty() {
            let length = if at < header.len() {
                let length = bytes.len().min(header.len() - at);
                // Nobody knows the address of a client that broke off.
                let known = pair.peers[0].gone.is_none_or(|gone| gone == Gone::Left);
                assert!(!known || bytes[..length] == header[at..][..length], "header of {number}");
                length
            } else if at < header.len() + sent {
                let at = at - header.len();
                let expected = self.bytes(peer ^ 1, at, bytes.len().min(sent - at));
                let got = &bytes[..expected.len()];
                let equal = match pair.sees() {
                    true => got.iter().zip(expected).all(|(&got, &sent)| got == !sent),
                    false => got == expected,
                };
                assert!(equal, "pair {number}, for side {side}: byte {at} or soon after it");
                got.len()
            } else {
                let trailer = &TRAILER[at - header.len() - sent..];
                assert!(trailer.starts_with(bytes), "pair {number}: the trailer");
                bytes.len()
            };
            (bytes, at) = (&bytes[length..], at + length);
        }
    }

    /// These are the next ones of which a hook has to be told; none are the end.
    pub(super) fn check_seen(&self, number: usize, side: usize, mut bytes: &[u8]) {
        let pair = &self.pairs[number];
        let (mut at, peer) = (pair.seen[side], &pair.peers[side]);
        assert!(pair.sees() && !pair.seen_end[side] && !pair.poisoned, "pair {number}");
        if bytes.is_empty() {
            assert!(peer.has_ended() && at == peer.sent, "pair {number}: no end of side {side}");
        }
        assert!(at + bytes.len() <= peer.sent, "pair {number}: more than was sent");
        while !bytes.is_empty() {
            let expected = self.bytes(number * 2 + side, at, bytes.len());
            assert!(bytes.starts_with(expected), "pair {number}, side {side}, seen: byte {at}");
            (bytes, at) = (&bytes[expected.len()..], at + expected.len());
        }
    }

    /// A peer cannot send any more.
    pub(super) fn check_refusal(&self, peer: usize) {
        let told = self.closings.iter().any(|&(number, _)| number == peer / 2);
        assert!(told || self.pairs[peer / 2].is_over(), "peer {peer} is refused");
    }
}

/// What became of pairs, after each callback of a proxy.
impl World {
    pub(super) fn settle(&mut self, now: u64, faults: Vec<Fault>, counters: [Counters; 2]) {
        self.now = now;
        for fault in faults {
            self.take_in(fault);
        }
        for number in mem::take(&mut self.asked) {
            self.check_try(number);
        }
        for number in mem::take(&mut self.opened) {
            let pair = &mut self.pairs[number];
            assert!(matches!(pair.state, State::Connecting { .. }), "pair {number}");
            (pair.state, pair.moved, pair.stirred) = (State::Open, now, now);
        }
        for (number, closed) in mem::take(&mut self.closings) {
            self.check_closed(number, &closed);
            let stop = self.draining.map(|since| since + DRAIN_TIMEOUT.as_nanos() as u64 + LATE);
            assert!(stop.is_none_or(|stop| now <= stop), "it drains for too long");
            let pair = &mut self.pairs[number];
            let tally = &mut self.tallies[pair.plot.proxy];
            if pair.state == State::Unopened {
                if closed.cause != Cause::NoRoom {
                    tally.not_opened -= 1;
                    tally.count(closed.cause);
                }
                continue;
            }
            pair.state = State::Closed(closed);
            tally.count(closed.cause);
            tally.ways[0].bytes += closed.bytes_up;
            tally.ways[1].bytes += closed.bytes_down;
        }
        for (proxy, counters) in counters.iter().enumerate() {
            let stopped = self.tallies[proxy].open;
            assert_eq!(counters.open, self.open(proxy) as u64 + stopped, "proxy {proxy}");
        }
    }

    pub(super) fn open(&self, proxy: usize) -> usize {
        let is_open = |pair: &&Pair| {
            pair.plot.proxy == proxy && matches!(pair.state, State::Connecting { .. } | State::Open)
        };
        self.pairs.iter().filter(is_open).count()
    }

    /// The next upstream was asked for, with a reason if it is not the first.
    fn check_try(&mut self, number: usize) {
        let pair = &self.pairs[number];
        let told = pair.tries[pair.tried];
        match told.failed {
            None => assert_eq!((pair.tried, pair.state), (0, State::Queued), "pair {number}"),
            Some(cause) => assert!(
                self.was_not_reached(pair, cause) && pair.tried <= self.retries(pair),
                "{} at {}, told {told:?}",
                self.describe(number),
                self.now
            ),
        }
        let (now, pair) = (self.now, &mut self.pairs[number]);
        let tally = &mut self.tallies[pair.plot.proxy];
        pair.tried += 1;
        match (pair.state, told.unopened) {
            // It stays in the table until it is closed, which is next.
            (State::Connecting { .. }, true) | (State::Unopened, true) => {}
            (_, true) => {
                pair.state = State::Unopened;
                tally.not_opened += 1;
            }
            (state, false) => {
                tally.not_opened -= u64::from(state == State::Unopened);
                pair.state = State::Connecting { since: now };
            }
        }
    }

    fn retries(&self, pair: &Pair) -> usize {
        self.script.configs[pair.plot.proxy].retries as usize
    }

    /// Whether that is why the last upstream that was tried was not reached.
    fn was_not_reached(&self, pair: &Pair, cause: Cause) -> bool {
        let Some((number, last)) = pair.last_try() else { return false };
        match cause {
            Cause::ConnectFailed(kind) => {
                let refused = pair.plot.upstreams[number] == Upstream::Refuses;
                (refused && kind == ErrorKind::ConnectionRefused) || last.lost == Some(kind)
            }
            Cause::ConnectTimeout => match pair.state {
                State::Connecting { since } => {
                    let timeout = CONNECT_TIMEOUT.as_nanos() as u64;
                    let waited = self.now - since;
                    timeout <= waited && waited <= timeout + timeout / 64 + LATE
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn take_in(&mut self, fault: Fault) {
        let (number, of) = match fault.call {
            Call::Read | Call::Write => {
                let peer = self.across[fault.fd as usize];
                self.pairs[peer / 2].peers[peer % 2].broke = Some(fault.kind());
                self.touched.push(peer / 2);
                return;
            }
            Call::Accept => {
                let proxy = self.across[fault.fd as usize] - usize::MAX / 2;
                return self.pause(proxy);
            }
            Call::Connect | Call::Register => fault.about,
        };
        let pair = &mut self.pairs[number];
        (pair.tries[of].unopened, pair.tries[of].lost) = (true, Some(fault.kind()));
        self.touched.push(number);
        if fault.call == Call::Connect && pair.plot.upstreams[of] == Upstream::Accepts {
            let connects = &mut self.connects[usize::from(pair.plot.tcp[1])];
            // What stands behind it is a later try.
            if let Some(at) = connects.iter().position(|&other| other == number) {
                connects.remove(at);
            }
        }
        let is_shortage = fault.call == Call::Register || fault.errno == libc::EADDRNOTAVAIL;
        // Only those who accept pause.
        if is_shortage && pair.state == State::Queued {
            let proxy = pair.plot.proxy;
            self.pause(proxy);
        }
    }

    fn pause(&mut self, proxy: usize) {
        self.tallies[proxy].back_offs += 1;
        self.pauses[proxy] = self.now + RETRY.as_nanos() as u64;
    }

    /// There was a reason to close this pair, and it is the one that was told.
    fn check_closed(&self, number: usize, closed: &Closed) {
        let pair = &self.pairs[number];
        let told = format!("{} at {}: {closed:?}", self.describe(number), self.now);
        let is_open = pair.state == State::Open;
        for side in [0, 1] {
            let (got, written, due) = (pair.peers[side].got, written(closed, side), pair.due(side));
            assert!(got <= written && written <= due, "{told}: {got} of {written} of {due}");
            assert!(is_open || written == 0, "{told}");
        }
        let is_true = match closed.cause {
            Cause::Finished => {
                let broke = |side: usize| {
                    let peer = &pair.peers[side];
                    peer.gone == Some(Gone::Reset) || peer.broke.is_some()
                };
                let whole = |side: usize| written(closed, side) == pair.due(side);
                is_open
                    && pair.peers.iter().all(|peer| peer.shut || peer.gone.is_some())
                    && [0, 1].into_iter().all(|side| whole(side) && !broke(side))
            }
            Cause::ConnectFailed(_) | Cause::ConnectTimeout => {
                // All were tried that may be.
                let none = pair.plot.upstreams[pair.tried - 1] == Upstream::None;
                let is_last = none || pair.tried > self.retries(pair);
                is_last && self.was_not_reached(pair, closed.cause)
            }
            Cause::IdleTimeout => is_open && self.has_idled(pair),
            Cause::Broken(side, kind) => self.has_broken(pair, side as usize, kind),
            Cause::Hook(kind) => pair.poisoned && kind == ErrorKind::InvalidData,
            Cause::NoRoom => !is_open && pair.tries[pair.tried - 1].lost.is_some(),
            Cause::Stopped => {
                let drained = DRAIN_TIMEOUT.as_nanos() as u64;
                self.draining.is_some_and(|since| self.now >= since + drained)
            }
        };
        assert!(is_true, "{told}");
    }

    fn has_idled(&self, pair: &Pair) -> bool {
        let timeout = IDLE_TIMEOUT.as_nanos() as u64;
        // Slow readers may have the kernel move bytes in its own time, or others wait for a buffer.
        let known = pair.peers.iter().all(|peer| peer.listens() || peer.gone.is_some())
            || (self.script.exact && !self.lacks_buffers(pair));
        let latest = pair.stirred + timeout + timeout / 64 + LATE;
        pair.moved + timeout <= self.now && (!known || self.now <= latest)
    }

    fn has_broken(&self, pair: &Pair, side: usize, kind: ErrorKind) -> bool {
        let peer = &pair.peers[side];
        let lost = matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        match peer.gone {
            _ if peer.broke == Some(kind) => true,
            Some(Gone::Reset | Gone::Unsure) => lost,
            // There was more for it than it took.
            Some(Gone::Left) => lost && pair.due(side) > peer.got,
            None => false,
        }
    }

    /// Whether a hook may have to wait until a slow reader gives a buffer back.
    fn lacks_buffers(&self, pair: &Pair) -> bool {
        let slow = |pair: &Pair| {
            let mut peers = pair.peers.iter();
            let open = pair.sees() && pair.state == State::Open;
            if open { peers.by_ref().filter(|peer| !peer.listens()).count() } else { 0 }
        };
        let buffers = self.script.configs[SEEING].relay.buffers;
        pair.sees() && self.pairs.iter().map(slow).sum::<usize>() >= buffers
    }
}

/// What has to be true as soon as nothing is left to do before some time has passed.
impl World {
    /// What is not true of the pairs that something happened to; those are looked at again.
    pub(super) fn complaint(&mut self) -> Option<String> {
        let mut touched = mem::take(&mut self.touched);
        if touched.iter().any(|&number| self.pairs[number].sees()) {
            // Who waits for a buffer may have it now.
            let sees = |number: &usize| self.pairs[*number].sees();
            touched.extend((0..self.pairs.len()).filter(sees));
        }
        touched.sort_unstable();
        touched.dedup();
        touched.retain(|&number| self.complaint_of(number).is_some());
        self.touched.extend(&touched);
        let number = *touched.first()?;
        Some(format!("{}: it {}", self.describe(number), self.complaint_of(number)?))
    }

    fn describe(&self, number: usize) -> String {
        let Pair { state, plot, moved, stirred, header, .. } = &self.pairs[number];
        let peers = [0, 1].map(|side| {
            let peer = &self.pairs[number].peers[side];
            let due = (peer.got, self.pairs[number].due(side), peer.sent);
            let ends = (peer.shut, peer.gone, peer.broke, peer.heard, peer.listens());
            format!("got, due, sent: {due:?}; shut, gone, broke, heard, listens: {ends:?}")
        });
        let header = header.len();
        format!(
            "pair {number}, {state:?}, moved {moved} to {stirred}, {header} of header, {peers:#?}, {plot:?}"
        )
    }

    pub(super) fn touch_all(&mut self) {
        self.touched.extend(0..self.pairs.len());
    }

    pub(super) fn all_are_over(&self) -> bool {
        self.pairs.iter().all(Pair::is_over)
    }

    fn complaint_of(&self, number: usize) -> Option<&'static str> {
        let pair = &self.pairs[number];
        let proxy = pair.plot.proxy;
        let client = &pair.peers[0];
        match pair.state {
            State::Planned => None,
            State::Queued => {
                let is_full = self.open(proxy) >= self.script.configs[proxy].capacity;
                let may_wait = is_full || self.now <= self.pauses[proxy];
                (!may_wait).then_some("is not accepted")
            }
            State::Connecting { .. } if client.gone == Some(Gone::Reset) => Some("has no client"),
            State::Connecting { .. } => match pair.plot.upstreams[pair.tried - 1] {
                Upstream::Accepts | Upstream::Refuses => Some("connects for ever"),
                Upstream::Deaf | Upstream::None => None,
            },
            State::Open => self.complaint_of_open(pair),
            State::Closed(closed) => {
                [0, 1].into_iter().find_map(|side| complaint_of_closed(pair, side, &closed))
            }
            State::Unopened | State::Unserved => {
                let silent = client.listens() && client.heard.is_none();
                silent.then_some("does not hear that nobody serves it")
            }
        }
    }

    fn complaint_of_open(&self, pair: &Pair) -> Option<&'static str> {
        let mut peers = pair.peers.iter();
        if peers.any(|peer| peer.broke.is_some() || peer.gone == Some(Gone::Reset)) {
            return Some("is open and broken");
        }
        if pair.poisoned {
            return Some("is open and was refused by a hook");
        }
        let waits = self.lacks_buffers(pair);
        for side in [0, 1] {
            let (peer, source) = (&pair.peers[side], &pair.peers[1 - side]);
            let lacks = peer.got < pair.due(side);
            match peer.gone {
                _ if source.gone == Some(Gone::Unsure) => {}
                Some(Gone::Left) if lacks && !waits => return Some("has bytes for nobody"),
                None if peer.listens() && lacks && !waits => return Some("dawdles"),
                None if peer.listens() && !lacks && source.has_ended() != peer.heard.is_some() => {
                    return Some("passes no end on, or one that is none");
                }
                _ => {}
            }
        }
        let is_done = |side: usize| {
            pair.peers[1 - side].has_ended() && pair.peers[side].got == pair.due(side)
        };
        (is_done(0) && is_done(1)).then_some("is open and finished")
    }
}

fn complaint_of_closed(pair: &Pair, side: usize, closed: &Closed) -> Option<&'static str> {
    let (peer, source) = (&pair.peers[side], &pair.peers[1 - side]);
    if !peer.listens() {
        return None;
    }
    let resets = pair.plot.tcp[side]
        && match closed.cause {
            Cause::Broken(broken, _) => broken as usize != side,
            Cause::Hook(_) | Cause::NoRoom => true,
            _ => false,
        };
    // The kernel says so too of bytes that nobody read, or looked at and did not take.
    let unread = written(closed, 1 - side) < pair.due(1 - side) || peer.broke.is_some();
    match peer.heard? {
        Heard::End if peer.got < written(closed, side) => Some("has lost bytes"),
        Heard::End if resets && !(source.has_ended() && peer.got == pair.due(side)) => {
            Some("takes what it got for all there was")
        }
        Heard::Reset if !resets && !unread => Some("is reset without a reason"),
        _ => None,
    }
}

/// At the end.
impl World {
    pub(super) fn check_end(&self, counters: [Counters; 2]) {
        assert!(self.all_are_over());
        for (proxy, counters) in counters.into_iter().enumerate() {
            let Counters { accepted, not_opened, open, finished, resets, .. } = self.tallies[proxy];
            let Counters { broken, connects_failed, connect_timeouts, .. } = self.tallies[proxy];
            let Counters { retries, idle_timeouts, back_offs, ways, .. } = self.tallies[proxy];
            let bounds = self.script.configs[proxy].relay;
            assert!(counters.held_max <= bounds.buffers as u64);
            let mut expected = counters;
            expected.ways[0].bytes = ways[0].bytes;
            expected.ways[1].bytes = ways[1].bytes;
            let expected = Counters {
                accepted,
                not_opened,
                open,
                finished,
                resets,
                broken,
                connects_failed,
                connect_timeouts,
                retries,
                idle_timeouts,
                back_offs,
                ..expected
            };
            assert_eq!(counters, expected, "proxy {proxy}");
            let ends = finished + resets + broken + connects_failed + connect_timeouts;
            assert_eq!(accepted, ends + idle_timeouts + open + not_opened, "proxy {proxy}");
        }
    }
}

/// The end of the proxies.
impl World {
    pub(super) fn drain(&mut self, now: u64) {
        self.now = now;
        self.draining.get_or_insert(now);
        for pair in &mut self.pairs {
            if pair.state == State::Queued {
                pair.state = State::Unserved;
            }
        }
        self.touch_all();
    }
}
