use mio_core::Handler;

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[io]
    Listener,
    #[io()]
    Client,
    #[io(level)]
    Upstream,
    #[io(closed)]
    Peer,
}

fn main() {}
