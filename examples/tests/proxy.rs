//! The derived proxy: it keeps the promises of the handwritten one.
#![cfg(any(unix, windows))]

#[path = "proxies/behaviour.rs"]
mod behaviour;
#[path = "proxies/isolated.rs"]
mod isolated;

#[global_allocator]
static ALLOCATOR: tests::alloc::Counting = tests::alloc::Counting;

mod subject {
    use std::{io, net::SocketAddr, time::Duration};

    use examples::{
        proxy::{self, Gateway, GatewayServer},
        service::Service,
    };
    use mio_core::{
        EventLoop,
        proxy::{Command, ProxyConfig},
        relay::Bounds,
    };

    /// What a test may change.
    pub(crate) struct Config {
        pub(crate) listen: SocketAddr,
        pub(crate) upstream: SocketAddr,
        pub(crate) pairs: usize,
        pub(crate) relay: Bounds,
        pub(crate) connect_timeout: Duration,
        pub(crate) idle_timeout: Duration,
        pub(crate) drain_timeout: Duration,
        pub(crate) accept_retry: Duration,
    }

    impl Config {
        pub(crate) fn new(listen: SocketAddr, upstream: SocketAddr) -> Config {
            let defaults = GatewayServer::config();
            Config {
                listen,
                upstream,
                pairs: defaults.capacity,
                relay: defaults.relay,
                connect_timeout: defaults.connect_timeout,
                idle_timeout: defaults.idle_timeout,
                drain_timeout: defaults.drain_timeout,
                accept_retry: defaults.accept_retry,
            }
        }

        pub(crate) fn event_loop(&self) -> mio_core::Config {
            self.config().event_loop()
        }

        fn config(&self) -> ProxyConfig {
            ProxyConfig {
                listen: vec![self.listen.into()],
                capacity: self.pairs,
                relay: self.relay,
                connect_timeout: self.connect_timeout,
                idle_timeout: self.idle_timeout,
                drain_timeout: self.drain_timeout,
                accept_retry: self.accept_retry,
                ..GatewayServer::config()
            }
        }

        fn gateway(&self) -> Gateway {
            Gateway::new(vec![self.upstream.into()], None)
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "as the other one takes it")]
    pub(crate) fn start(config: Config) -> io::Result<Service> {
        proxy::start(config.gateway(), config.config())
    }

    #[expect(clippy::needless_pass_by_value, reason = "as the other one takes it")]
    pub(crate) fn proxy(
        event_loop: &mut EventLoop<Command>,
        config: Config,
    ) -> io::Result<GatewayServer> {
        let (gateway, config) = (config.gateway(), config.config());
        let listeners = config.listeners()?;
        let server = GatewayServer::new(event_loop.scoped(), gateway, config, listeners)?;
        Ok(server.alone())
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn heed_signals(
        server: &mut GatewayServer,
        event_loop: &mut EventLoop<Command>,
    ) -> io::Result<()> {
        server.heed_signals(event_loop.scoped())
    }

    pub(crate) fn address(server: &GatewayServer) -> io::Result<SocketAddr> {
        let address = server.addresses().next().ok_or(io::ErrorKind::NotConnected)??;
        address.tcp().ok_or(io::ErrorKind::NotConnected.into())
    }
}
