use mio_core::Handler;

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {}

impl OnHandler for Server {}

fn main() {}
