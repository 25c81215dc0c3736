//! In quotes, as other derives want it.
use mio_core::Handler;

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = "Server", message = "Vec<u8>", trait = "Events", crate = "mio_core")]
enum On {
    #[timer]
    Idle,
}

fn main() {}
