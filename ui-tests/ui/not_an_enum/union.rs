use mio_core::Handler;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
union On {
    listener: u8,
}

struct Server;

fn main() {}
