use mio_core::{
    Proxy,
    proxy::{Address, Client, Hooks},
};

#[derive(Proxy)]
#[proxy(idle_timeout = 60, connect_timeout = "0s", tick = "1 sec", buffer = "64kb")]
#[proxy(capacity = "many", nodelay = yes, proxy_protocol = v3, sharing = "exclusive")]
#[proxy(idel_timeout = "1s", inspect, burst = "2GiB", colour = red)]
struct Gateway {
    upstream: Address,
}

impl Hooks for Gateway {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.upstream.clone())
    }
}

fn main() {
    let _ = GatewayServer;
}
