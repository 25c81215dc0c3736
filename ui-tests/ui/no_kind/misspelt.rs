use mio_core::Handler;

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[oi(readable)]
    Listener,
    #[timeout]
    Idle,
}

fn main() {}
