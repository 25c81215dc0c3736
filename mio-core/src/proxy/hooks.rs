//! What a user of `#[derive(Proxy)]` implements.

use std::{
    fmt,
    io::{self, ErrorKind},
    marker::PhantomData,
    net::SocketAddr,
};

use super::{Address, Connection, Counters};
use crate::{
    Key,
    relay::{Broken, Chunk, Filter},
};

/// What makes a proxy yours: which upstream a client gets, and what you want to know of.
///
/// All methods but [`upstream`](Hooks::upstream) have defaults that do nothing. They are called directly,
/// in the loop's thread: whoever waits in one makes everybody wait.
///
/// ```
/// use mio_core::{Proxy, proxy::{Address, Client, Hooks}};
///
/// /// Spreads clients over its upstreams, and has those whose upstream is down try up to two others.
/// #[derive(Proxy)]
/// #[proxy(retries = 2)]
/// struct Balancer {
///     upstreams: Vec<Address>,
/// }
///
/// impl Hooks for Balancer {
///     fn upstream(&mut self, client: &Client<'_>) -> Option<Address> {
///         let number = client.key.index() + client.tries as usize;
///         self.upstreams.get(number % self.upstreams.len()).cloned()
///     }
/// }
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which upstream a client gets",
    note = "write `impl Hooks for {Self}` with `fn upstream`"
)]
pub trait Hooks {
    /// Where to connect this client to; `None` closes it. Who got none at the first time does not come to
    /// [`closed`](Hooks::closed), so count whom you have to discount only when you answer with an upstream.
    ///
    /// Asked once for each client, and once more after each upstream that could not be reached, as often as
    /// [`ProxyConfig::retries`](super::ProxyConfig::retries) says: [`Client::tries`] and [`Client::failed`] tell. Whoever
    /// then answers with another upstream has the clients of one that is down served by the others. No byte of the
    /// client is lost, since nothing is read before an upstream has accepted.
    ///
    /// Who has to see what a client says first, accepts it elsewhere and hands it over when it has come: see
    /// [the derive](derive@crate::Proxy#clients-that-were-accepted-elsewhere).
    fn upstream(&mut self, client: &Client<'_>) -> Option<Address>;

    /// A client was accepted. Comes before [`upstream`](Hooks::upstream), which decides whether [`closed`](Hooks::closed)
    /// comes for it.
    #[inline]
    fn accepted(&mut self, client: &Client<'_>) {
        let _ = client;
    }

    /// The upstream of this pair has accepted.
    #[inline]
    fn connected(&mut self, pair: Key, upstream: &Connection) {
        let _ = (pair, upstream);
    }

    /// A pair is closed. Every client that got an [`upstream`](Hooks::upstream) comes to this, also if that
    /// was never reached; nobody else does. Once a pair was [`connected`](Hooks::connected) its key will not
    /// come again.
    #[inline]
    fn closed(&mut self, closed: &Closed) {
        let _ = closed;
    }

    /// Another [`ProxyConfig::tick`](super::ProxyConfig::tick) is over.
    #[inline]
    fn tick(&mut self, counters: &Counters) {
        let _ = counters;
    }

    /// Somebody asked for the counters: by SIGUSR1, or by
    /// [`Command::Report`](super::Command::Report). By default they are printed to the standard error.
    fn report(&mut self, counters: &Counters) {
        // Whoever closed it does not want to know.
        let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{counters}"));
    }
}

/// Somebody who wants to be connected.
#[derive(Debug)]
pub struct Client<'a> {
    /// The key that the pair will have. Its [index](Key::index) is less than
    /// [`ProxyConfig::capacity`](super::ProxyConfig::capacity), and no other open pair's: a table of what you
    /// know of each pair can stand beside.
    pub key: Key,
    /// Which listener it came to: the position in [`ProxyConfig::listen`](super::ProxyConfig::listen).
    pub listener: usize,
    /// Its address. None over a Unix socket, and when another upstream is to be tried for a client that has gone.
    pub address: Option<SocketAddr>,
    /// Its connection, to ask for more.
    pub connection: &'a Connection,
    /// How many upstreams were tried for it before this one.
    pub tries: u32,
    /// Why the last of these was not reached: [`Cause::ConnectFailed`] or [`Cause::ConnectTimeout`].
    pub failed: Option<Cause>,
}

/// The two sides of a pair; also the two ways through it, each named for its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who connected to the proxy. Its way is up.
    Client,
    /// Whom the proxy connected to. Its way is down.
    Upstream,
}

impl Side {
    /// The one across.
    #[inline]
    #[must_use]
    pub const fn other(self) -> Side {
        match self {
            Side::Client => Side::Upstream,
            Side::Upstream => Side::Client,
        }
    }
}

/// Why a pair is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Both ways came to their end.
    Finished,
    /// The upstream refused, or cannot be reached.
    ConnectFailed(ErrorKind),
    /// The upstream did not answer in time.
    ConnectTimeout,
    /// Nothing moved for too long.
    IdleTimeout,
    /// This side broke, in this way; the other one gets a reset.
    Broken(Side, ErrorKind),
    /// [`InspectUp`] or [`InspectDown`] said so.
    Hook(ErrorKind),
    /// No descriptor, no memory or no room in the loop is left for what the pair needs.
    NoRoom,
    /// The proxy was stopped.
    Stopped,
}

impl Cause {
    /// Why a pair is closed of which the way from `source` broke.
    #[must_use]
    pub fn broken(broken: Broken, source: Side) -> Cause {
        match broken {
            Broken::Source(kind) => Cause::Broken(source, kind),
            Broken::Sink(kind) => Cause::Broken(source.other(), kind),
            Broken::Filter(kind) => Cause::Hook(kind),
        }
    }

    /// Whether this side is to see a reset, lest it takes what it got for all there was.
    #[must_use]
    pub fn resets(self, side: Side) -> bool {
        match self {
            Cause::Broken(broken, _) => side != broken,
            Cause::Hook(_) | Cause::NoRoom => true,
            _ => false,
        }
    }
}

/// Who: `client` or `upstream`.
impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Client => "client",
            Side::Upstream => "upstream",
        })
    }
}

/// For people to read: `client broke: connection reset`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Finished => f.write_str("finished"),
            Cause::ConnectFailed(kind) => write!(f, "upstream not reached: {kind}"),
            Cause::ConnectTimeout => f.write_str("upstream did not answer in time"),
            Cause::IdleTimeout => f.write_str("idle for too long"),
            Cause::Broken(side, kind) => write!(f, "{side} broke: {kind}"),
            Cause::Hook(kind) => write!(f, "broken off by a hook: {kind}"),
            Cause::NoRoom => f.write_str("no room left"),
            Cause::Stopped => f.write_str("stopped"),
        }
    }
}

/// What became of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Its key.
    pub key: Key,
    /// Why.
    pub cause: Cause,
    /// Bytes that the upstream was sent.
    pub bytes_up: u64,
    /// Bytes that the client was sent.
    pub bytes_down: u64,
}

/// Looks at what the clients send, and may change it: of a struct with `#[proxy(inspect(up))]`.
///
/// These bytes are copied through the process, where they would else be spliced if that pays.
///
/// ```
/// use std::io::ErrorKind;
/// use mio_core::{Key, Proxy, proxy::{Address, Client, Hooks, InspectUp}, relay::Chunk};
///
/// #[derive(Proxy)]
/// #[proxy(inspect(up))]
/// struct Louder {
///     upstream: Address,
/// }
///
/// impl InspectUp for Louder {
///     fn up(&mut self, _: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
///         chunk.bytes_mut().make_ascii_uppercase();
///         Ok(())
///     }
/// }
/// # impl Hooks for Louder {
/// #     fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
/// #         Some(self.upstream.clone())
/// #     }
/// # }
/// # fn main() {}
/// ```
pub trait InspectUp: SeesUp {
    /// For how many bytes that you add there is always room in a chunk.
    const ROOM_UP: usize = 0;

    /// The next bytes of this pair, each once and in order. An empty chunk is the end.
    ///
    /// # Errors
    ///
    /// Any closes the pair: [`Cause::Hook`].
    fn up(&mut self, pair: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind>;
}

/// Looks at what the upstream sends, and may change it: of a struct with `#[proxy(inspect(down))]`.
///
/// As [`InspectUp`], the other way.
pub trait InspectDown: SeesDown {
    /// For how many bytes that you add there is always room in a chunk.
    const ROOM_DOWN: usize = 0;

    /// The next bytes of this pair, each once and in order. An empty chunk is the end.
    ///
    /// # Errors
    ///
    /// Any closes the pair: [`Cause::Hook`].
    fn down(&mut self, pair: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind>;
}

/// A proxy that was declared to look at what the clients send.
#[diagnostic::on_unimplemented(
    message = "`{Self}` was not declared to look at what the clients send",
    label = "so this would never be called",
    note = "write `#[proxy(inspect(up))]` above the struct"
)]
pub trait SeesUp {}

/// A proxy that was declared to look at what the upstream sends.
#[diagnostic::on_unimplemented(
    message = "`{Self}` was not declared to look at what the upstream sends",
    label = "so this would never be called",
    note = "write `#[proxy(inspect(down))]` above the struct"
)]
pub trait SeesDown {}

/// Who sees the bytes of a way: nobody.
#[derive(Debug)]
pub struct Unseen<'a, H>(PhantomData<&'a mut H>);

/// Who sees the bytes on their way up.
#[derive(Debug)]
pub struct SeenUp<'a, H>(&'a mut H, Key);

/// Who sees the bytes on their way down.
#[derive(Debug)]
pub struct SeenDown<'a, H>(&'a mut H, Key);

impl<'a, H> Unseen<'a, H> {
    /// The filter of this pair: none.
    #[inline]
    pub fn new(_: &'a mut H, _: Key) -> Unseen<'a, H> {
        Unseen(PhantomData)
    }
}

impl<'a, H: InspectUp> SeenUp<'a, H> {
    /// The filter of this pair.
    #[inline]
    pub fn new(hooks: &'a mut H, pair: Key) -> SeenUp<'a, H> {
        SeenUp(hooks, pair)
    }
}

impl<'a, H: InspectDown> SeenDown<'a, H> {
    /// The filter of this pair.
    #[inline]
    pub fn new(hooks: &'a mut H, pair: Key) -> SeenDown<'a, H> {
        SeenDown(hooks, pair)
    }
}

impl<H> Filter for Unseen<'_, H> {
    #[inline]
    fn is_active(&self) -> bool {
        false
    }

    #[inline]
    fn pass(&mut self, _: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl<H: InspectUp> Filter for SeenUp<'_, H> {
    const ROOM: usize = H::ROOM_UP;

    #[inline]
    fn pass(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        self.0.up(self.1, chunk)
    }

    #[inline]
    fn end(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        self.0.up(self.1, chunk)
    }
}

impl<H: InspectDown> Filter for SeenDown<'_, H> {
    const ROOM: usize = H::ROOM_DOWN;

    #[inline]
    fn pass(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        self.0.down(self.1, chunk)
    }

    #[inline]
    fn end(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        self.0.down(self.1, chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_read_well() {
        let causes = [
            (Cause::ConnectFailed(ErrorKind::ConnectionRefused), "upstream not reached: "),
            (Cause::Broken(Side::Client, ErrorKind::ConnectionReset), "client broke: "),
            (Cause::Broken(Side::Upstream, ErrorKind::BrokenPipe), "upstream broke: "),
            (Cause::Hook(ErrorKind::InvalidData), "broken off by a hook: "),
            (Cause::Finished, "finished"),
        ];
        for (cause, text) in causes {
            assert!(cause.to_string().starts_with(text), "{cause}");
        }
    }

    #[test]
    fn the_side_that_is_left_sees_a_reset_and_the_one_that_broke_needs_none() {
        let (client, upstream) = (Side::Client, Side::Upstream);
        assert_eq!((client.other(), upstream.other()), (upstream, client));
        for (cause, resets) in [
            (Cause::Broken(client, ErrorKind::ConnectionReset), [false, true]),
            (Cause::Broken(upstream, ErrorKind::ConnectionReset), [true, false]),
            (Cause::Hook(ErrorKind::InvalidData), [true, true]),
            (Cause::NoRoom, [true, true]),
            (Cause::Finished, [false, false]),
            (Cause::IdleTimeout, [false, false]),
            (Cause::Stopped, [false, false]),
        ] {
            assert_eq!([client, upstream].map(|side| cause.resets(side)), resets, "{cause}");
        }
    }

    #[test]
    fn a_way_that_broke_names_the_side_that_did() {
        let kind = ErrorKind::ConnectionReset;
        let side = Side::Upstream;
        assert_eq!(Cause::broken(Broken::Source(kind), side), Cause::Broken(side, kind));
        assert_eq!(Cause::broken(Broken::Sink(kind), side), Cause::Broken(Side::Client, kind));
        assert_eq!(Cause::broken(Broken::Filter(kind), side), Cause::Hook(kind));
    }
}
