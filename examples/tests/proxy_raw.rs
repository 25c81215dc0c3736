//! The handwritten proxy.
#![cfg(any(unix, windows))]

#[path = "proxies/behaviour.rs"]
mod behaviour;
#[path = "proxies/isolated.rs"]
mod isolated;

#[global_allocator]
static ALLOCATOR: tests::alloc::Counting = tests::alloc::Counting;

mod subject {
    use std::{io, net::SocketAddr};

    pub(crate) use examples::proxy_raw::{Config, Proxy, start};
    use mio_core::{EventLoop, proxy::Command};

    pub(crate) fn proxy(event_loop: &mut EventLoop<Command>, config: Config) -> io::Result<Proxy> {
        Proxy::new(event_loop, config)
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn heed_signals(
        _: &mut Proxy,
        event_loop: &mut EventLoop<Command>,
    ) -> io::Result<()> {
        event_loop.signals_with(mio_core::Signal::TERM.into(), 0u64)
    }

    pub(crate) fn address(proxy: &Proxy) -> io::Result<SocketAddr> {
        proxy.local_addr()
    }
}
