//! A table whose keys have other widths than those in the tokens.
use mio_core::{Any, EventLoop, Handler, Key, Slab};

struct Raw;

impl<L> Handler<(), L> for Raw {}

struct Server {
    clients: Slab<Raw, 8, 8>,
}

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[nested(clients)]
    Client(Key, Any),
}

impl OnHandler for Server {
    fn client(&mut self, _: &mut EventLoop<(), On>, _: Key) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {}
