use mio_core::{Handler, Key};

struct Raw;

impl<L> Handler<(), L> for Raw {}

struct Server {
    client: Raw,
}

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[nested(client)]
    Client(Key),
}

impl OnHandler for Server {}

fn main() {}
