use std::io::ErrorKind;

use mio_core::{
    Key, Proxy,
    proxy::{Address, Client, Hooks, InspectUp},
    relay::Chunk,
};

#[derive(Proxy)]
struct Gateway {
    upstream: Address,
}

impl Hooks for Gateway {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some(self.upstream.clone())
    }
}

impl InspectUp for Gateway {
    fn up(&mut self, _: Key, _: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        Ok(())
    }
}

fn main() {}
