//! What the attributes say.

#[cfg(unix)]
use std::os::fd::AsFd;
use std::{
    io::{ErrorKind, Write},
    net::Shutdown,
    time::Duration,
};

#[cfg(unix)]
use mio_core::proxy::Connection;
use mio_core::{
    EventLoop, Key, Proxy,
    proxy::{
        Address, Client, Command, Hooks, InspectDown, InspectUp, ProxyConfig, ProxyProtocol,
        Sharing, run_workers,
    },
    relay::{Bounds, Chunk},
};
#[cfg(unix)]
use tests::peers::awaited;
use tests::peers::noise;

use crate::{Plain, PlainServer, accept, connect, listen, read_to_end, serving, upstream};

/// With a word on everything.
#[derive(Proxy)]
#[proxy(connect_timeout = "1s", idle_timeout = "2m", drain_timeout = "3h", accept_retry = "4ms")]
#[proxy(
    retries = 12,
    tick = "5us",
    spin = "6ns",
    capacity = 7,
    buffers = 8,
    pipes = 9,
    buffer = "10KiB"
)]
#[proxy(burst = 11, nodelay = false, proxy_protocol = v1, sharing = exclusive, inspect(up))]
#[proxy(server = Upper, sources = From)]
struct Particular(Address);

impl Hooks for Particular {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.0.clone())
    }
}

impl InspectUp for Particular {
    fn up(&mut self, _: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        chunk.bytes_mut().make_ascii_uppercase();
        Ok(())
    }
}

/// The other way.
#[derive(Proxy)]
#[proxy(inspect(down))]
struct Listening(Address);

impl Hooks for Listening {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.0.clone())
    }
}

impl InspectDown for Listening {
    fn down(&mut self, _: Key, _: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        Ok(())
    }
}

#[test]
fn each_is_a_default_of_the_config() {
    let config = Upper::config();
    let times = [
        config.connect_timeout,
        config.idle_timeout,
        config.drain_timeout,
        config.accept_retry,
        config.tick,
        config.spin,
    ];
    assert_eq!(
        times.map(|time| time.as_nanos()),
        [1_000_000_000, 120_000_000_000, 10_800_000_000_000, 4_000_000, 5_000, 6]
    );
    let Bounds { buffers, pipes, buffer_bytes, burst_bytes, .. } = config.relay;
    assert_eq!((config.capacity, buffers, pipes, buffer_bytes, burst_bytes), (7, 8, 9, 10_240, 11));
    assert_eq!((config.retries, config.nodelay), (12, false));
    assert_eq!(config.proxy_protocol, ProxyProtocol::V1);
    assert_eq!(config.sharing, Sharing::Exclusive);
    let _ = From::Drained;
}

#[test]
fn without_any_it_is_what_the_library_says() {
    let (derived, library) = (PlainServer::config(), ProxyConfig::default());
    assert_eq!(format!("{derived:?}"), format!("{library:?}"));
}

/// Which ways are spliced of bulk that goes both ways through a server of this type.
macro_rules! spliced {
    ($server:ident, $hooks:expr) => {{
        const BULK: usize = 8 << 20;
        let (far, address) = upstream();
        let config = ProxyConfig {
            proxy_protocol: ProxyProtocol::Off,
            relay: Bounds::default(),
            idle_timeout: Duration::from_secs(60),
            ..listen(&["127.0.0.1:0"], $server::config())
        };
        let (addresses, sender, thread) = serving!($server, $hooks(address), config);
        let client = connect(&addresses[0]);
        let server = accept(&far);
        let bytes = noise(BULK, 1);
        std::thread::scope(|scope| {
            for (mut from, to) in [(&client, &server), (&server, &client)] {
                let bytes = &bytes;
                scope.spawn(move || {
                    from.write_all(bytes).unwrap();
                    from.shutdown(Shutdown::Write).unwrap();
                });
                scope.spawn(move || assert_eq!(read_to_end(to).unwrap().len(), BULK));
            }
        });
        sender.send(Command::Drain).unwrap();
        thread.join().unwrap().counters().ways.map(|way| way.spliced > 0)
    }};
}

/// What reads bring decides: on a machine that has other things to do perhaps not every time.
fn at_times(spliced: impl Fn() -> [bool; 2], expected: [bool; 2]) {
    let mut ways = (0..20).map(|_| spliced());
    assert!(ways.any(|ways| {
        assert!(ways == expected || ways == [false; 2]);
        ways == expected
    }));
}

#[test]
fn only_what_nobody_looks_at_is_spliced() {
    let splices = tests::backend::SPLICES;
    at_times(|| spliced!(Upper, Particular), [false, splices]);
    at_times(|| spliced!(ListeningServer, Listening), [splices, false]);
}

#[test]
fn a_pool_has_the_bounds_of_the_config() {
    const BYTES: usize = 1 << 20;
    let relay =
        Bounds { buffer_bytes: 1024, burst_bytes: 2048, pipe_bytes: 4096, ..Bounds::default() };
    let ways = [0, 1].map(|pipes| {
        let (far, address) = upstream();
        let relay = Bounds { pipes, ..relay };
        let config = ProxyConfig { relay, ..listen(&["127.0.0.1:0"], PlainServer::config()) };
        let hooks = Plain { upstream: address };
        let (addresses, sender, thread) = serving!(PlainServer, hooks, config);
        let mut client = connect(&addresses[0]);
        let server = accept(&far);
        let reads = std::thread::spawn(move || read_to_end(server).unwrap().len());
        client.write_all(&noise(BYTES, 2)).unwrap();
        drop(client);
        assert_eq!(reads.join().unwrap(), BYTES);
        sender.send(Command::Drain).unwrap();
        let [up, _] = thread.join().unwrap().counters().ways;
        assert!(up.bytes <= up.reads * 1024 + up.fills * 4096, "{up:?}");
        up
    });
    assert!(ways[0].fills == 0 && ways[0].yields > 10, "{:?}", ways[0]);
}

/// Alone: the signals of a process belong to one loop of it.
#[test]
fn what_a_system_lacks_for_signals_and_for_listeners_is_done_without() {
    let (_far, upstream) = upstream();
    let config = listen(&["127.0.0.1:0"], PlainServer::config());
    let mut lists = config.shared_listeners(2).unwrap();
    assert_eq!(lists.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    let addresses: Vec<_> = lists.iter().map(|list| list[0].local_addr().unwrap().tcp()).collect();
    assert_eq!(addresses[0], addresses[1]);

    let mut event_loop: EventLoop<Command> = EventLoop::with_config(config.event_loop()).unwrap();
    let listeners = lists.pop().unwrap();
    let mut server =
        PlainServer::new(event_loop.scoped(), Plain { upstream }, config, listeners).unwrap();
    server.heed_signals(event_loop.scoped()).unwrap();
    drop((server, event_loop));
    let indices = run_workers(lists, |worker| Ok(worker.index())).unwrap();
    assert_eq!(indices, [0]);
}

/// Whether small writes go out at once, to the client and to the upstream that it tries first or the second one.
#[cfg(unix)]
#[derive(Proxy)]
#[proxy(server = Asking, sources = AskingOn, retries = 1)]
struct Asked([Address; 2], Vec<bool>);

#[cfg(unix)]
impl Hooks for Asked {
    fn upstream(&mut self, client: &Client<'_>) -> Option<Address> {
        self.1.push(at_once(client.connection));
        self.0.get(client.tries as usize).cloned()
    }

    fn connected(&mut self, _: Key, upstream: &Connection) {
        self.1.push(at_once(upstream));
    }
}

#[cfg(unix)]
fn at_once(connection: &Connection) -> bool {
    let socket = connection.as_fd().try_clone_to_owned().unwrap();
    std::net::TcpStream::from(socket).nodelay().unwrap()
}

#[cfg(unix)]
#[test]
fn small_writes_go_out_at_once_on_both_sides_unless_that_is_not_wanted() {
    for (nodelay, retried) in [(true, false), (false, false), (true, true), (false, true)] {
        let (far, address) = upstream();
        // Nobody else has this address, so that none takes the port over.
        let refuses =
            std::net::TcpListener::bind("127.0.0.7:0").unwrap().local_addr().unwrap().into();
        let first = if retried { refuses } else { address.clone() };
        let config = ProxyConfig { nodelay, ..listen(&["127.0.0.1:0"], Asking::config()) };
        let hooks = Asked([first, address], Vec::new());
        let (addresses, sender, thread) = serving!(Asking, hooks, config);
        for _ in 0..3 {
            drop((connect(&addresses[0]), accept(&far)));
        }
        sender.send(Command::Drain).unwrap();
        let told = thread.join().unwrap().gateway.1;
        assert_eq!(told, vec![nodelay; if retried { 9 } else { 6 }]);
    }
}

#[cfg(unix)]
#[test]
fn the_listeners_of_several_loops_hand_that_on_too() {
    use Sharing::{Exclusive, ReusePort};
    let ways = [(true, Exclusive), (false, Exclusive), (true, ReusePort), (false, ReusePort)];
    for (nodelay, sharing) in ways {
        let config = PlainServer::config();
        let config = ProxyConfig { nodelay, sharing, ..listen(&["127.0.0.1:0"], config) };
        let mut lists = config.shared_listeners(2).unwrap();
        let address = lists[0][0].local_addr().unwrap();
        let clients: Vec<_> = (0..32).map(|_| connect(&address)).collect();
        let mut told = Vec::new();
        let accepts = || {
            for listener in lists.iter_mut().flatten() {
                while let Ok((client, _)) = listener.accept() {
                    told.push(at_once(&client));
                }
            }
            (told.len() == clients.len()).then_some(())
        };
        awaited(|| (), accepts);
        assert_eq!(told, vec![nodelay; clients.len()], "{sharing:?}");
    }
}
