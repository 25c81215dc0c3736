//! When descriptors run out.
#![cfg(target_os = "linux")]

use std::time::Duration;

use mio_core::{
    Config, EventLoop,
    proxy::{Command, ProxyConfig},
};
use tests::{Isolated, limit_descriptors, test_name};

use crate::{Plain, PlainServer, accept, connect, listen, upstream};

const RETRY: Duration = Duration::from_millis(100);

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

        // So many are open in any case. Not zero: poll(2) refuses to look at more than the limit.
        limit_descriptors(4).unwrap();
        turns(&mut server, Duration::ZERO);
        assert_eq!(server.counters().back_offs, 1, "nothing is tried in between");
        turns(&mut server, RETRY);
        assert_eq!(server.counters().back_offs, 2);
        limit_descriptors(4096).unwrap();
        turns(&mut server, Duration::ZERO);
        assert_eq!(server.counters().accepted, 0, "only the timer tries again");
        turns(&mut server, RETRY);
        turns(&mut server, Duration::ZERO);
        assert_eq!((server.counters().accepted, server.counters().open), (2, 2));
        drop([accept(&far), accept(&far)]);
        drop(clients);
        turns(&mut server, Duration::ZERO);
        assert_eq!(server.counters().open, 0);
    });
}
