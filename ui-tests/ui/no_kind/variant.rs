use mio_core::Handler;

struct Server;

/// Sources.
#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    /// Documented, but of no kind.
    Listener,
    #[allow(dead_code)]
    Client(u8),
}

fn main() {}
