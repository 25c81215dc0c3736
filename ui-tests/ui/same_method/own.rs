use mio_core::Handler;

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[timer]
    Tick,
    #[io(readable = message)]
    Client,
}

impl OnHandler for Server {}

fn main() {}
