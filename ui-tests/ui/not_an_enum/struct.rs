use mio_core::Handler;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
struct On {
    listener: u8,
}

struct Server;

fn main() {}
