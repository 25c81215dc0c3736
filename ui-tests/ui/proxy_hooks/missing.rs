use mio_core::Proxy;

#[derive(Proxy)]
struct Gateway;

fn main() {}
