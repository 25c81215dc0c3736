//! When descriptors run out.
#![cfg(target_os = "linux")]

use std::{fs::File, os::fd::AsRawFd, time::Duration};

use mio_core::{
    Config, EventLoop, Proxy,
    proxy::{Address, Cause, Client, Closed, Command, Hooks, ProxyConfig},
};
use tests::{Isolated, limit_descriptors, peers::awaited, test_name};

use crate::{Plain, PlainServer, accept, connect, listen, read_to_end, upstream};

/// Not the default.
const RETRY: Duration = Duration::from_millis(70);
const MOMENT: Duration = Duration::from_millis(1);

#[test]
fn accepting_waits_for_its_timer_and_no_listener_is_lost() {
    Isolated::new(test_name!()).run(|| {
        let (far, address) = upstream();
        let config = listen(&["127.0.0.1:0"; 2], PlainServer::config());
        let config = ProxyConfig { accept_retry: RETRY, ..config };
        let bounds = Config { virtual_time: Some(0), ..config.event_loop() };
        let mut event_loop = EventLoop::<Command>::with_config(bounds).unwrap();
        let listeners = config.listeners().unwrap();
        let hooks = Plain { upstream: address };
        let mut server = PlainServer::new(event_loop.scoped(), hooks, config, listeners).unwrap();
        let addresses: Vec<_> = server.addresses().map(Result::unwrap).collect();
        let clients: Vec<_> = addresses.iter().map(connect).collect();
        let mut turns = |server: &mut PlainServer, wait: Duration| {
            for _ in 0..10 {
                event_loop.run_once(server, Some(Duration::ZERO)).unwrap();
            }
            if !wait.is_zero() {
                event_loop.run_once(server, Some(wait)).unwrap();
            }
        };
        /// Turns in which no time passes.
        macro_rules! until {
            ($expected:expr, $counted:ident) => {
                let look = || {
                    turns(&mut server, Duration::ZERO);
                    (server.counters().$counted == $expected).then_some(())
                };
                awaited(|| (), look);
            };
        }

        // So many are open in any case. Not zero: poll(2) refuses to look at more than the limit.
        limit_descriptors(4).unwrap();
        until!(1, back_offs);
        turns(&mut server, Duration::ZERO);
        turns(&mut server, RETRY - MOMENT);
        assert_eq!(server.counters().back_offs, 1, "nothing is tried in between");
        turns(&mut server, MOMENT);
        turns(&mut server, Duration::ZERO);
        assert_eq!(server.counters().back_offs, 2);
        limit_descriptors(4096).unwrap();
        turns(&mut server, Duration::ZERO);
        assert_eq!(server.counters().accepted, 0, "only the timer tries again");
        turns(&mut server, RETRY);
        until!(2, open);
        drop([accept(&far), accept(&far)]);
        drop(clients);
        until!(0, open);
    });
}

/// Notes the ends of its pairs.
#[derive(Proxy)]
struct Noting {
    upstream: Address,
    ends: Vec<Cause>,
}

impl Hooks for Noting {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.upstream.clone())
    }

    fn closed(&mut self, closed: &Closed) {
        self.ends.push(closed.cause);
    }
}

#[test]
fn a_client_for_whose_upstream_no_descriptor_is_left_is_closed_and_told() {
    Isolated::new(test_name!()).run(|| {
        let (far, upstream) = upstream();
        let config = listen(&["127.0.0.1:0"], NotingServer::config());
        let mut event_loop = EventLoop::<Command>::with_config(config.event_loop()).unwrap();
        let listeners = config.listeners().unwrap();
        let hooks = Noting { upstream, ends: Vec::new() };
        let mut server = NotingServer::new(event_loop.scoped(), hooks, config, listeners).unwrap();
        let address = server.addresses().next().unwrap().unwrap();
        let mut client = connect(&address);
        let free = File::open("/dev/null").unwrap().as_raw_fd();
        // For the client alone.
        limit_descriptors(free as u64 + 1).unwrap();
        event_loop.run_once(&mut server, Some(Duration::from_secs(5))).unwrap();
        let counters = server.counters();
        assert_eq!((counters.accepted, counters.not_opened, counters.back_offs), (1, 1, 1));
        assert_eq!(server.gateway.ends, [Cause::NoRoom]);
        assert_eq!(read_to_end(&mut client).unwrap(), b"");
        limit_descriptors(4096).unwrap();
        let next = connect(&address);
        while server.counters().open == 0 {
            event_loop.run_once(&mut server, Some(Duration::from_secs(5))).unwrap();
        }
        drop((accept(&far), next));
        while server.counters().open > 0 {
            event_loop.run_once(&mut server, Some(Duration::from_secs(5))).unwrap();
        }
        assert_eq!(server.gateway.ends, [Cause::NoRoom, Cause::Finished]);
    });
}
