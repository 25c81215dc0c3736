//! The derives of `mio-core`, which re-exports them: they are documented there by use.
//!
//! A derive parses to values (`attr`), makes a model of them and checks it (`model`, `check`), and
//! writes code only then (`layout`, `dispatch`). All mistakes are collected (`diag`) and reported
//! together; the code that goes with them is then a stub, so that nothing else is reported missing.
//!
//! # Compile time
//!
//! The derive of an enum of 100 sources adds 0.3 s of processor time to `cargo check`, to the 0.15 s that
//! the same enum and methods take without it. That was on a virtual machine with two cores, busy with
//! other things, with rustc 1.95.0; `cargo run -p ui-tests --release --bin compile-time` measures it. Of
//! `syn` the crate needs the parser of derive inputs alone, not that of whole files.

mod attr;
mod check;
mod diag;
mod dispatch;
mod layout;
mod method;
mod model;
mod proxy;
mod token_field;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod snapshots;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a handler of an enum of sources and a trait with one method for each of their events.
///
/// ```
/// use std::io;
/// use mio_core::{EventLoop, Handler, Key, Slab, SignalInfo, net};
///
/// struct Server {
///     listener: net::TcpListener,
///     clients: Slab<net::TcpStream>,
/// }
///
/// #[derive(Clone, Copy, Debug, Handler)]
/// #[handler(state = Server)]
/// enum On {
///     #[io(readable)]
///     Listener,
///     #[io(readable, writable)]
///     Client(Key),
///     #[timer]
///     Idle(Key),
///     #[signal(INT, TERM)]
///     Shutdown,
/// }
///
/// impl OnHandler for Server {
///     fn listener_readable(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
///         let (client, _) = self.listener.accept()?;
///         let entry = self.clients.vacant_entry()?;
///         event_loop.register(&client, On::Client(entry.key()))?;
///         entry.insert(client);
///         Ok(())
///     }
///
///     fn client_readable(&mut self, _: &mut EventLoop<(), On>, client: Key) -> io::Result<()> {
/// #       let _ = client;
///         // …
///         Ok(())
///     }
/// #   fn client_writable(&mut self, _: &mut EventLoop<(), On>, _: Key) -> io::Result<()> { Ok(()) }
/// #   fn idle(&mut self, _: &mut EventLoop<(), On>, _: Key) -> io::Result<()> { Ok(()) }
///
///     // … client_writable, idle …
///
///     fn shutdown(&mut self, event_loop: &mut EventLoop<(), On>, _: SignalInfo) -> io::Result<()> {
///         event_loop.shutdown();
///         Ok(())
///     }
/// }
///
/// # fn main() -> io::Result<()> {
/// let mut event_loop = EventLoop::new()?;
/// let listener = net::TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
/// event_loop.register(&listener, On::Listener)?;
/// event_loop.signals(On::Shutdown)?;
/// # event_loop.shutdown();
/// event_loop.run(Server { listener, clients: Slab::with_capacity(100) })?;
/// # Ok(())
/// # }
/// ```
///
/// # The sources
///
/// Each variant is a source, or as many of them as its payload has values, of the kind that its
/// attribute says. The payload, any number of fields up to eight, is of types that are
/// `TokenField`s, and is handed to its methods.
///
/// | attribute | methods | further argument |
/// |---|---|---|
/// | `#[io(readable, writable, priority, closed)]`, at least one of the first three | `client_readable`, `client_writable`, … | |
/// | `#[io(readable, writable, ready)]` | one for all: `client_ready` | `Readiness` |
/// | `#[timer]` | `idle` | with `#[timer(expiry)]` an `Expiry` |
/// | `#[signal(INT, TERM)]`: constants of `Signal` | `shutdown` | `SignalInfo` |
/// | `#[child]` | `worker` | `ChildExit` |
/// | `#[nested(admin)]`: a field of the state | `admin`, which does nothing by default | |
///
/// I/O is edge triggered, unless `level` or `oneshot` is among the words. A method is called what the
/// variant is, in snake case, or what you say: `#[io(readable = accept)]`, `#[timer(method = tired)]`.
/// With `ready` the words beside it say what is waited for, and one method gets the whole of each event.
///
/// # The methods
///
/// All take `&mut self`, the event loop in the scope of this enum, and the payload; all return
/// `io::Result`. An error goes to `error(event_loop, source, error)`, which by default makes the
/// loop `fail`; and the source gets no further call for that event, as if it
/// was deregistered. `message` and `tick` have no source: their errors make the loop fail.
///
/// If one is missing, the compiler names it and points to its variant. It prints no signature for a trait of
/// the same crate, but hands it to editors, whose quick fix writes all of them out; rustdoc shows them too.
///
/// An error or a hang-up of a source is for both `readable` and `writable`; for `priority`, if it is
/// declared with neither.
///
/// # The enum
///
/// It has to be `Copy`, and becomes a `Token` whose low bits are the variant's number, in the order of
/// the declaration, and whose other bits are the payload, first field lowest. What does not fit into
/// 64 bits does not compile. It gets:
///
/// - `On::TABLE`, what its tokens look like, for `describe` and your own diagnosis;
/// - `On::unpack(token)`, the source that a token names, if it names one;
/// - for a nested `Admin`, its `Scope`: a constant `On::ADMIN`, or a function `On::admin(key)`.
///
/// A token that names no source, which can be registered only where plain integers are accepted, is passed over.
///
/// # Options
///
/// `#[handler(state = Server, …)]`:
///
/// - `state`: the type that gets to implement the trait, and by that `Handler`;
/// - `message`: of its messages; `()` by default;
/// - `trait`: the name of the trait, `OnHandler` by default. It is as visible as the enum;
/// - `generics(<'a, T: Bound> where …)`: the parameters of `state`. In its bounds, `L` is the type of messages
///   of the loop that it runs in;
/// - `crate`: the path of `mio_core`, if it was renamed or re-exported.
///
/// # Components
///
/// A component is a derived handler as above that says nothing of the loop it runs in: it implements
/// its trait for every type of messages `L` of the loop.
///
/// ```
/// # use std::{io, time::Duration};
/// # use mio_core::{EventLoop, Handler};
/// mod ticker {
///     # use std::{io, time::Duration};
///     # use mio_core::{EventLoop, Handler};
///     pub struct Ticker {
///         pub ticks: u64,
///     }
///
///     #[derive(Clone, Copy, Debug, Handler)]
///     #[handler(state = Ticker)]
///     pub enum On {
///         /// Another second is over.
///         #[timer]
///         Second,
///     }
///
///     impl Ticker {
///         pub fn new<L>(event_loop: &mut EventLoop<L, On>) -> io::Result<Ticker> {
///             event_loop.interval(On::Second, Duration::from_secs(1))?;
///             Ok(Ticker { ticks: 0 })
///         }
///     }
///
///     impl<L> OnHandler<L> for Ticker {
///         fn second(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
///             self.ticks += 1;
///             Ok(())
///         }
///     }
/// }
///
/// struct Server {
///     ticker: ticker::Ticker,
/// }
///
/// #[derive(Clone, Copy, Debug, Handler)]
/// #[handler(state = Server)]
/// enum On {
///     #[io(readable)]
///     Listener,
///     #[nested(ticker)]
///     Ticker(ticker::On),
/// }
///
/// impl OnHandler for Server {
///     # fn listener_readable(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> { Ok(()) }
///     fn ticker(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
///         if self.ticker.ticks == 3 {
///             event_loop.shutdown();
///         }
///         Ok(())
///     }
///     // … listener_readable …
/// }
///
/// # fn main() -> io::Result<()> {
/// # let config = mio_core::Config { virtual_time: Some(0), ..Default::default() };
/// # let mut event_loop = EventLoop::<()>::with_config(config)?;
/// let ticker = ticker::Ticker::new(&mut event_loop.nested(On::TICKER))?;
/// event_loop.run(Server { ticker })?;
/// # Ok(())
/// # }
/// ```
///
/// A keyed component, of which there are as many as keys, stands in a table with `get_mut(key)`:
/// `#[nested(clients)] Client(Key, client::On)`; an event for a key that is gone is dropped. A handler that is
/// written by hand is nested as `Metrics(Any)`, if it implements `Handler<N, L>` for one `N` and every `L`.
///
/// After each event of a component, the parent's method of that name is called, to take what it produced;
/// then an error that the component did not deal with goes to the parent's `error`. A message of a
/// component arrives in one of the parent's, which hands it on with
/// `event_loop.deliver_message(On::TICKER, &mut self.ticker, message)`. The end of a turn is told to all
/// components that have no key.
#[proc_macro_derive(Handler, attributes(handler, io, timer, signal, child, nested))]
pub fn derive_handler(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    check::handler(&input).into()
}

/// Makes a payload of an enum without fields: its variants are numbered in the order of the
/// declaration, in as few bits as they need.
///
/// ```
/// use mio_core::TokenField;
///
/// #[derive(Clone, Copy, Debug, PartialEq, TokenField)]
/// enum Side {
///     Client,
///     Server,
/// }
///
/// assert_eq!(Side::BITS, 1);
/// assert_eq!(Side::unpack(Side::Server.pack()), Some(Side::Server));
/// assert_eq!(Side::unpack(2), None);
/// ```
///
/// `#[token_field(crate = path)]` names `mio_core`, if it was renamed or re-exported.
#[proc_macro_derive(TokenField, attributes(token_field))]
pub fn derive_token_field(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    token_field::token_field(&input).into()
}

/// Makes the server of a TCP proxy of a struct that says which upstream a client gets.
///
/// ```
/// use std::{io::{self, Read, Write}, net, thread};
/// use mio_core::{EventLoop, Proxy, proxy::{Address, Client, Command, Hooks}};
///
/// #[derive(Proxy)]
/// #[proxy(connect_timeout = "2s", idle_timeout = "5m")]
/// struct Gateway {
///     upstream: Address,
/// }
///
/// impl Hooks for Gateway {
///     fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
///         Some(self.upstream.clone())
///     }
/// }
///
/// # fn main() -> io::Result<()> {
/// let upstream = net::TcpListener::bind("127.0.0.1:0")?;
/// let gateway = Gateway { upstream: upstream.local_addr()?.into() };
///
/// let mut config = GatewayServer::config();
/// config.listen.push("127.0.0.1:0".parse()?);
/// let listeners = config.listeners()?;
/// let Some(address) = listeners[0].local_addr()?.tcp() else { unreachable!() };
/// let mut event_loop = EventLoop::with_config(config.event_loop())?;
/// let server = GatewayServer::new(event_loop.scoped(), gateway, config, listeners)?;
/// let commands = event_loop.sender();
/// let serving = thread::spawn(move || server.run(event_loop));
///
/// let mut client = net::TcpStream::connect(address)?;
/// client.write_all(b"hello")?;
/// let mut bytes = [0; 5];
/// upstream.accept()?.0.read_exact(&mut bytes)?;
/// assert_eq!(&bytes, b"hello");
///
/// drop(client);
/// commands.send(Command::Drain).unwrap();
/// let server = serving.join().unwrap()?;
/// assert_eq!(server.counters().accepted, 1);
/// # Ok(())
/// # }
/// ```
///
/// A program that does nothing else is `GatewayServer::serve(gateway, config, listeners)`, which also heeds the
/// signals: INT and TERM drain, a second one ends, USR1 reports the counters. `serve_in_threads` runs several
/// loops.
///
/// # What it makes
///
/// Beside the struct, and as visible as it:
///
/// - `GatewayServer`, which owns the struct. It accepts, connects each client to the upstream that the struct
///   chooses, and carries bytes both ways by `mio_core::relay`; an error of one pair is the end of that pair alone.
/// - `GatewayOn`, its sources. With them it nests in a larger program, as every derived handler does:
///   `#[nested(gateway)] Gateway(GatewayOn)`; its messages are `mio_core::proxy::Command`s. It takes no signal
///   there unless told to by `heed_signals`, and does not shut the loop down: `is_done` says when it has drained.
///
/// The code is written out as a new crate by `cargo run -p new-proxy`, for whoever wants to change it.
///
/// # Parameters
///
/// A struct may have parameters of any kind, with bounds and defaults. Its server has the same ones:
///
/// ```
/// use std::io;
/// use mio_core::{Proxy, proxy::{Address, Client, Counters, Hooks}};
///
/// trait Router {
///     fn route(&mut self, client: &Client<'_>) -> Option<Address>;
/// }
///
/// #[derive(Proxy)]
/// struct Gate<R: Router> {
///     router: R,
/// }
///
/// impl<R: Router> Hooks for Gate<R> {
///     fn upstream(&mut self, client: &Client<'_>) -> Option<Address> {
///         self.router.route(client)
///     }
/// }
///
/// fn serve<R: Router>(router: R, at: Address) -> io::Result<Counters> {
///     let mut config = GateServer::<R>::config();
///     config.listen.push(at);
///     let listeners = config.listeners()?;
///     Ok(GateServer::serve(Gate { router }, config, listeners)?.counters())
/// }
/// # fn main() {}
/// ```
///
/// `Hooks` may ask for more of them than the struct does: the server has its methods for those arguments for which the
/// struct has its hooks. Nothing has to be `Send` or `'static`, also with several loops: each makes the struct in its
/// thread, and the caller waits for all of them.
///
/// # What the user writes
///
/// `mio_core::proxy::Hooks`, of which `upstream` is required. For a struct with `#[proxy(inspect(up))]` also
/// `InspectUp`, which sees what the clients send and may change it, and with `inspect(down)` `InspectDown`; one
/// without the other does not compile. Only what nobody looks at is spliced.
///
/// # Clients that were accepted elsewhere
///
/// `adopt` takes in a client that somebody else has accepted: who has waited until it said whom it wants to talk to, by the
/// name in its TLS hello, say. What was looked at and not read goes to the upstream like the rest, and the hook can look at it
/// again. A client is handed back if the server is full, or does not serve any more. Its options stay as they are: a
/// `proxy::Listener` accepts with `TCP_NODELAY`, one of `std` or `net` without. Whoever waits for more than is there looks
/// again by a timer, after a few milliseconds, and registers the client as `oneshot`: where edges are emulated, bytes that
/// were looked at and left are reported again at once.
///
/// ```
/// use std::{io::{self, Read, Write}, net, thread};
/// use mio_core::{
///     EventLoop, Proxy, net::TcpStream,
///     proxy::{Address, Client, Command, Connection, Hooks}, relay::Stream,
/// };
///
/// #[derive(Proxy)]
/// struct ByFirstByte {
///     upstreams: [Address; 2],
/// }
///
/// impl Hooks for ByFirstByte {
///     fn upstream(&mut self, client: &Client<'_>) -> Option<Address> {
///         let mut first = [0];
///         client.connection.peek(&mut first).ok()?;
///         Some(self.upstreams[usize::from(first[0] % 2)].clone())
///     }
/// }
///
/// # fn main() -> io::Result<()> {
/// let [even, odd] = [net::TcpListener::bind("127.0.0.1:0")?, net::TcpListener::bind("127.0.0.1:0")?];
/// let hooks = ByFirstByte { upstreams: [even.local_addr()?.into(), odd.local_addr()?.into()] };
/// let config = ByFirstByteServer::config();
/// let mut event_loop = EventLoop::<Command>::with_config(config.event_loop())?;
/// let mut server = ByFirstByteServer::new(event_loop.scoped(), hooks, config, vec![])?;
///
/// // Here it waits; a program that serves others in the meantime has a source of its own for each that it waits for.
/// let front = net::TcpListener::bind("127.0.0.1:0")?;
/// net::TcpStream::connect(front.local_addr()?)?.write_all(b"a is odd")?;
/// let (client, _) = front.accept()?;
/// client.peek(&mut [0])?;
/// client.set_nonblocking(true)?;
/// let client = Connection::from(TcpStream::from(client));
/// server.adopt(event_loop.scoped(), 0, client).expect("there is room");
///
/// let commands = event_loop.sender();
/// let serving = thread::spawn(move || server.run(event_loop));
/// let mut said = String::new();
/// odd.accept()?.0.read_to_string(&mut said)?;
/// assert_eq!(said, "a is odd");
/// # commands.send(Command::Drain).unwrap();
/// # assert_eq!(serving.join().unwrap()?.counters().finished, 1);
/// # Ok(())
/// # }
/// ```
///
/// # Options
///
/// Each is a default, which a `mio_core::proxy::ProxyConfig` overrides at run time; its fields say more of them.
///
/// | option | for example | if it is not given |
/// |---|---|---|
/// | `connect_timeout`, `idle_timeout`, `drain_timeout`, `accept_retry` | `"5s"`, `"250ms"`, `"2m"` | 5 s, 60 s, 30 s, 100 ms |
/// | `tick`: how often `Hooks::tick` is called | `"1s"` | never |
/// | `spin` | `"50us"` | not at all |
/// | `retries`: how often `Hooks::upstream` is asked for another one after one that was not reached | `2` | 0 |
/// | `capacity`: pairs at a time | `10000` | 4,096 |
/// | `buffer`, `burst` | `"16KiB"`, `4096` | 512 KiB, 256 KiB |
/// | `buffers`, `pipes` | `64` | 128, 64 |
/// | `nodelay` | `false` | `true` |
/// | `proxy_protocol` | `v1`, `v2`, `off` | `off` |
/// | `sharing`, between threads | `reuse_port`, `exclusive` | `reuse_port` |
///
/// And of the derive itself: `inspect(up, down)`; `server` and `sources`, other names for the two types;
/// `crate`, the path of `mio_core`, if it was renamed or re-exported.
#[proc_macro_derive(Proxy, attributes(proxy))]
pub fn derive_proxy(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    proxy::proxy(&input).into()
}
