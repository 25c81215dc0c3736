//! Clients and upstreams that do what a script says, in the thread and the time of the proxies between them.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash},
    io::ErrorKind,
    mem,
    net::Shutdown,
    os::fd::{AsFd, AsRawFd},
    time::Duration,
    vec,
};

use mio_core::{
    EventLoop, Key, Trigger,
    proxy::{Address, Cause, Client, Closed, Connection, Counters, Listener, ProxyHeader},
    relay::{Chunk, INTEREST, Stream},
};
use tests::{peers::noise, small_buffers};

use super::{
    On, faults,
    script::{Plot, Script, Step, Upstream},
};

/// What the proxy that sees the bytes puts behind the last of them.
pub(super) const TRAILER: &[u8] = b"<end>";
/// All that peers send is a part of this.
const NOISE: usize = 1 << 17;
/// What the kernel is asked to keep for a narrow connection, which is less than it ever does.
const NARROW: i32 = 1;

pub(super) struct World {
    pub(super) script: Script,
    pub(super) pairs: Vec<Pair>,
    /// As of the last callback of the peers' own.
    pub(super) now: u64,
    /// Where each proxy listens, over Unix sockets and TCP, and who the upstreams are.
    pub(super) addresses: Addresses,
    /// Clients that have connected and were not accepted yet: of each proxy, over Unix sockets and TCP.
    arrivals: [[VecDeque<usize>; 2]; 2],
    /// Pairs for which an upstream that accepts is being connected to, over Unix sockets and TCP.
    pub(super) connects: [VecDeque<usize>; 2],
    /// Which pair has a key of each proxy, and which peer is across from a descriptor.
    keys: [Vec<usize>; 2],
    pub(super) across: Vec<usize>,
    /// What the hooks have told since the last callback.
    pub(super) asked: Vec<usize>,
    pub(super) opened: Vec<usize>,
    pub(super) closings: Vec<(usize, Closed)>,
    /// Pairs of which something is new.
    pub(super) touched: Vec<usize>,
    /// Until when nobody need be accepted, of each proxy.
    pub(super) pauses: [u64; 2],
    /// What each proxy must have counted.
    pub(super) tallies: [Counters; 2],
    pub(super) draining: Option<u64>,
    /// Peers who have still something to do.
    pub(super) busy: usize,
    pub(super) trace: DefaultHasher,
    noise: Vec<u8>,
}

pub(super) struct Addresses {
    pub(super) proxies: [Vec<Address>; 2],
    pub(super) accepting: [Address; 2],
    pub(super) deaf: [Address; 2],
    pub(super) refusing: [Address; 2],
}

pub(super) struct Pair {
    pub(super) plot: Plot,
    pub(super) state: State,
    /// What the upstream gets first.
    pub(super) header: Vec<u8>,
    pub(super) peers: [Peer; 2],
    /// What the hook has seen of each way, and its end.
    pub(super) seen: [usize; 2],
    pub(super) seen_end: [bool; 2],
    pub(super) poisoned: bool,
    /// The upstreams that the proxy has asked for, and how many of them it has told of.
    pub(super) tries: Vec<Try>,
    pub(super) tried: usize,
    /// When the proxy is known to have moved a byte, and when it may have.
    pub(super) moved: u64,
    pub(super) stirred: u64,
}

/// An upstream that a proxy asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    /// Why the one before was not reached, as the proxy has it.
    pub(super) failed: Option<Cause>,
    /// No connection to it was begun.
    pub(super) unopened: bool,
    /// The fault by which that was.
    pub(super) lost: Option<ErrorKind>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    Planned,
    /// The client waits to be accepted.
    Queued,
    Connecting {
        since: u64,
    },
    Open,
    Closed(Closed),
    /// The client was accepted and closed.
    Unopened,
    /// The proxy went away before the client was accepted.
    Unserved,
}

#[derive(Default)]
pub(super) struct Peer {
    pub(super) stream: Option<Connection>,
    steps: vec::IntoIter<(Duration, Step)>,
    next: Option<Step>,
    /// To be sent, as far as there is room.
    left: usize,
    shutting: bool,
    pub(super) eager: bool,
    /// It has taken all that was there.
    pub(super) hungry: bool,
    pub(super) sent: usize,
    pub(super) shut: bool,
    pub(super) gone: Option<Gone>,
    pub(super) got: usize,
    pub(super) heard: Option<Heard>,
    /// What the proxy's side of the connection was made to fail with.
    pub(super) broke: Option<ErrorKind>,
}

/// How a peer has left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Gone {
    /// With everything read that had come to it.
    Left,
    Reset,
    /// Both ends were closed already, so that a reset may tell nothing.
    Unsure,
}

/// How a peer's connection has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Heard {
    End,
    Reset,
}

impl Peer {
    /// It will send no more, and has not broken off.
    pub(super) fn has_ended(&self) -> bool {
        self.shut || self.gone == Some(Gone::Left)
    }

    /// It takes what comes.
    pub(super) fn listens(&self) -> bool {
        self.stream.is_some() && self.eager
    }
}

impl World {
    pub(super) fn new(script: Script, addresses: Addresses) -> World {
        let pair = |plot: &Plot| {
            let peer = |side: usize| Peer {
                steps: plot.scripts[side].clone().into_iter(),
                eager: plot.eager[side],
                ..Peer::default()
            };
            Pair {
                state: State::Planned,
                header: Vec::new(),
                peers: [peer(0), peer(1)],
                seen: [0; 2],
                seen_end: [false; 2],
                poisoned: false,
                tries: Vec::new(),
                tried: 0,
                moved: 0,
                stirred: 0,
                plot: plot.clone(),
            }
        };
        let keys = [0, 1].map(|proxy| vec![usize::MAX; script.configs[proxy].capacity]);
        World {
            pairs: script.plots.iter().map(pair).collect(),
            now: 0,
            addresses,
            arrivals: Default::default(),
            connects: Default::default(),
            keys,
            across: vec![usize::MAX; 1 << 16],
            asked: Vec::new(),
            opened: Vec::new(),
            closings: Vec::new(),
            touched: Vec::new(),
            pauses: [0; 2],
            tallies: Default::default(),
            draining: None,
            busy: 0,
            trace: DefaultHasher::new(),
            noise: noise(NOISE, script.seed),
            script,
        }
    }

    /// So much of what this peer sends, from this byte on; or less.
    pub(super) fn bytes(&self, peer: usize, at: usize, length: usize) -> &[u8] {
        let start = (peer * 977 + at) % NOISE;
        &self.noise[start..NOISE.min(start + length)]
    }

    /// Something has happened, which is the same in every run of the seed.
    fn note(&mut self, what: u8, peer: usize, count: usize) {
        (self.now, what, peer, count).hash(&mut self.trace);
        self.touched.push(peer / 2);
    }

    fn peer(&mut self, peer: usize) -> &mut Peer {
        &mut self.pairs[peer / 2].peers[peer % 2]
    }
}

/// What peers do.
impl World {
    /// The time of this peer's next step is set, if there is one.
    pub(super) fn begin(&mut self, event_loop: &mut EventLoop<(), On>, peer: usize) {
        self.busy += 1;
        self.plan(event_loop, peer);
    }

    fn plan(&mut self, event_loop: &mut EventLoop<(), On>, peer: usize) {
        let next = self.peer(peer).steps.next();
        match next {
            Some((delay, step)) => {
                self.peer(peer).next = Some(step);
                event_loop.timeout(On::Step(peer as u16), delay).unwrap();
            }
            None => self.busy -= 1,
        }
    }

    pub(super) fn step(&mut self, event_loop: &mut EventLoop<(), On>, peer: usize) {
        let step = self.peer(peer).next.take().unwrap();
        self.note(0, peer, 0);
        match step {
            Step::Connect => {
                if !self.connect(event_loop, peer / 2) {
                    return;
                }
            }
            Step::Send(length) if !self.peer(peer).shutting => self.peer(peer).left += length,
            Step::Send(_) => {}
            Step::Read(length) => self.read(peer, length),
            Step::ReadAll => self.peer(peer).eager = true,
            Step::Shut => self.peer(peer).shutting = true,
            Step::Leave | Step::Reset => self.leave(event_loop, peer, matches!(step, Step::Reset)),
        }
        self.go_on(peer);
        self.plan(event_loop, peer);
    }

    /// Takes and sends what it can.
    pub(super) fn go_on(&mut self, peer: usize) {
        if self.peer(peer).stream.is_none() {
            return;
        }
        if self.peer(peer).eager {
            self.read(peer, usize::MAX);
        }
        self.write(peer);
    }

    /// A client comes. Answers false if it has to come again.
    fn connect(&mut self, event_loop: &mut EventLoop<(), On>, number: usize) -> bool {
        if self.draining.is_some() {
            self.pairs[number].state = State::Unserved;
            return true;
        }
        let Plot { proxy, tcp: [tcp, _], .. } = self.pairs[number].plot;
        match Connection::connect(&self.addresses.proxies[proxy][usize::from(tcp)], true) {
            Ok(stream) => {
                self.arrivals[proxy][usize::from(tcp)].push_back(number);
                self.pairs[number].state = State::Queued;
                self.arrive(event_loop, number * 2, stream);
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                self.peer(number * 2).next = Some(Step::Connect);
                let again = Duration::from_millis(5);
                event_loop.timeout(On::Step(number as u16 * 2), again).unwrap();
                false
            }
        }
    }

    /// An upstream accepts whoever waits.
    pub(super) fn accept(
        &mut self,
        event_loop: &mut EventLoop<(), On>,
        tcp: usize,
        from: &mut Listener,
    ) {
        while let Ok((stream, _)) = from.accept() {
            let number = self.connects[tcp].pop_front().expect("nobody else connects");
            let peer = number * 2 + 1;
            self.arrive(event_loop, peer, stream);
            self.begin(event_loop, peer);
            self.go_on(peer);
        }
    }

    fn arrive(&mut self, event_loop: &mut EventLoop<(), On>, peer: usize, stream: Connection) {
        self.note(1, peer, 0);
        self.narrow(peer, &stream);
        let token = On::Peer(peer as u16);
        event_loop.register_with(&stream, token, INTEREST, Trigger::Edge).unwrap();
        let peer = self.peer(peer);
        (peer.stream, peer.hungry) = (Some(stream), peer.eager);
    }

    /// TCP with buffers as small waits for timers of the kernel's.
    fn narrow(&self, peer: usize, stream: &Connection) {
        let Plot { narrow, tcp, .. } = self.pairs[peer / 2].plot;
        if narrow && !tcp[peer % 2] {
            small_buffers(stream, NARROW);
        }
    }

    fn read(&mut self, peer: usize, mut length: usize) {
        let mut buffer = vec![0; 8_192];
        let was_hungry = mem::take(&mut self.peer(peer).hungry);
        while length > 0 {
            let Some(stream) = &self.pairs[peer / 2].peers[peer % 2].stream else { return };
            let room = buffer.len().min(length);
            match Stream::read(stream, &mut buffer[..room]) {
                Ok(0) => return self.hear(peer, Heard::End),
                Ok(count) => {
                    self.note(2, peer, count);
                    self.check_bytes(peer, &buffer[..count]);
                    length -= count;
                    let now = self.now;
                    self.peer(peer).got += count;
                    self.pairs[peer / 2].stirred = now;
                    if was_hungry {
                        self.pairs[peer / 2].moved = now;
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        let eager = self.peer(peer).eager;
                        self.peer(peer).hungry = eager;
                        return;
                    }
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                        return self.hear(peer, Heard::Reset);
                    }
                    _ => panic!("peer {peer}: {error}"),
                },
            }
        }
    }

    fn hear(&mut self, peer: usize, heard: Heard) {
        if self.peer(peer).heard.is_none() {
            self.note(3, peer, heard as usize);
            self.peer(peer).heard = Some(heard);
        }
    }

    fn write(&mut self, peer: usize) {
        while self.peer(peer).left > 0 {
            let Peer { sent, left, stream, .. } = &self.pairs[peer / 2].peers[peer % 2];
            let bytes = self.bytes(peer, *sent, *left);
            let written = stream.as_ref().map(|stream| Stream::write(stream, bytes)).unwrap();
            match written {
                Ok(count) => {
                    self.note(4, peer, count);
                    let now = self.now;
                    self.pairs[peer / 2].stirred = now;
                    let peer = self.peer(peer);
                    (peer.sent, peer.left) = (peer.sent + count, peer.left - count);
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return,
                    kind @ (ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                        self.note(5, peer, 0);
                        self.check_refusal(peer);
                        self.peer(peer).left = 0;
                        // It is told once, to whoever asks first.
                        if kind == ErrorKind::ConnectionReset {
                            self.hear(peer, Heard::Reset);
                        }
                    }
                    _ => panic!("peer {peer}: {error}"),
                },
            }
        }
        let (now, pair) = (self.now, &mut self.pairs[peer / 2]);
        let peer = &mut pair.peers[peer % 2];
        if peer.shutting && !peer.shut {
            (peer.shut, pair.stirred) = (true, now);
            // The proxy may have gone.
            let _ = peer.stream.as_ref().map(|stream| stream.shutdown(Shutdown::Write));
        }
    }

    fn leave(&mut self, event_loop: &mut EventLoop<(), On>, peer: usize, resets: bool) {
        let pair = &self.pairs[peer / 2];
        let (tcp, across) = (pair.plot.tcp[peer % 2], &pair.peers[1 - peer % 2]);
        let across_ended = across.has_ended();
        let Some(stream) = self.peer(peer).stream.take() else { return };
        let unread = Stream::peek(&stream, &mut [0]).is_ok_and(|length| length > 0);
        let resets = unread || (resets && tcp);
        if resets && tcp {
            stream.reset_on_drop();
        }
        let unsure = tcp && across_ended && self.peer(peer).shut;
        let gone = match resets {
            true if unsure => Gone::Unsure,
            true => Gone::Reset,
            false => Gone::Left,
        };
        self.note(6, peer, gone as usize);
        self.peer(peer).gone = Some(gone);
        self.pairs[peer / 2].stirred = self.now;
        event_loop.close(stream, On::Peer(peer as u16)).unwrap();
    }

    /// Drops those to whom nothing can happen any more.
    pub(super) fn bury(&mut self, event_loop: &mut EventLoop<(), On>, number: usize) {
        let pair = &mut self.pairs[number];
        let over = matches!(pair.state, State::Closed(_) | State::Unopened | State::Unserved);
        for (side, peer) in pair.peers.iter_mut().enumerate() {
            if over && peer.heard.is_some() && peer.next.is_none() {
                let Some(stream) = peer.stream.take() else { continue };
                event_loop.close(stream, On::Peer((number * 2 + side) as u16)).unwrap();
            }
        }
    }
}

/// What the hooks of a proxy are told.
impl World {
    pub(super) fn accepted(&mut self, proxy: usize, client: &Client<'_>) {
        let number = self.arrivals[proxy][client.listener].pop_front().expect("a client waits");
        self.note(7, number * 2, client.key.index());
        self.keys[proxy][client.key.index()] = number;
        self.across[client.connection.as_fd().as_raw_fd() as usize] = number * 2;
        self.narrow(number * 2, client.connection);
        let (from, to) = (client.connection.peer_addr(), client.connection.local_addr());
        let version = self.script.configs[proxy].proxy_protocol;
        let header = ProxyHeader::encode(version, from, to);
        self.pairs[number].header = header.map_or_else(Vec::new, |it| it.as_bytes().to_vec());
        self.tallies[proxy].accepted += 1;
    }

    pub(super) fn upstream(&mut self, proxy: usize, client: &Client<'_>) -> Option<Address> {
        let number = self.keys[proxy][client.key.index()];
        self.note(11, number * 2, client.tries as usize);
        let pair = &mut self.pairs[number];
        let tcp = usize::from(pair.plot.tcp[1]);
        let count = pair.tries.len();
        assert_eq!((client.tries as usize, client.listener), (count, pair.plot.tcp[0].into()));
        let address = client.connection.peer_addr();
        assert!(address.is_none() || address == client.address, "the address of {number}");
        let (upstream, failed) = (pair.plot.upstreams[count], client.failed);
        // Over TCP a refusal is heard of later.
        let unopened = upstream == Upstream::None || (upstream == Upstream::Refuses && tcp == 0);
        pair.tries.push(Try { failed, unopened, lost: None });
        self.asked.push(number);
        faults::about(number, count);
        let address = match upstream {
            Upstream::Accepts => {
                self.connects[tcp].push_back(number);
                &self.addresses.accepting
            }
            Upstream::Deaf => &self.addresses.deaf,
            Upstream::Refuses => &self.addresses.refusing,
            Upstream::None => return None,
        };
        self.tallies[proxy].retries += u64::from(count > 0);
        Some(address[tcp].clone())
    }

    pub(super) fn connected(&mut self, proxy: usize, key: Key, upstream: &Connection) {
        let number = self.keys[proxy][key.index()];
        self.note(8, number * 2 + 1, 0);
        self.across[upstream.as_fd().as_raw_fd() as usize] = number * 2 + 1;
        self.narrow(number * 2 + 1, upstream);
        self.opened.push(number);
    }

    pub(super) fn closed(&mut self, proxy: usize, closed: &Closed) {
        let number = self.keys[proxy][closed.key.index()];
        self.note(9, number * 2, closed.bytes_up as usize);
        self.note(10, number * 2, closed.bytes_down as usize);
        self.closings.push((number, *closed));
    }

    /// Flips every bit of what it sees, and puts something behind the last of it.
    pub(super) fn see(
        &mut self,
        proxy: usize,
        key: Key,
        side: usize,
        chunk: &mut Chunk<'_>,
    ) -> Result<(), ErrorKind> {
        let number = self.keys[proxy][key.index()];
        self.check_seen(number, side, chunk.bytes());
        let pair = &mut self.pairs[number];
        if chunk.is_empty() {
            pair.seen_end[side] = true;
            return chunk.push(TRAILER).map_err(|_| ErrorKind::StorageFull);
        }
        let seen = pair.seen[side]..pair.seen[side] + chunk.len();
        pair.seen[side] = seen.end;
        pair.poisoned = pair.plot.poison.is_some_and(|(of, at)| of == side && seen.contains(&at));
        if pair.poisoned {
            return Err(ErrorKind::InvalidData);
        }
        chunk.bytes_mut().iter_mut().for_each(|byte| *byte = !*byte);
        Ok(())
    }
}
