use mio_core::{Any, Handler, Key};

struct Raw;

impl<L> Handler<(), L> for Raw {}

struct Server {
    client: Raw,
}

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[nested(client)]
    Client(Key<8, 8>, Any),
}

impl OnHandler for Server {}

fn main() {}
