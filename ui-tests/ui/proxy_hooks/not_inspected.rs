use mio_core::{
    Proxy,
    proxy::{Address, Client, Hooks},
};

#[derive(Proxy)]
#[proxy(inspect(down))]
struct Gateway {
    upstream: Address,
}

impl Hooks for Gateway {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.upstream.clone())
    }
}

fn main() {}
