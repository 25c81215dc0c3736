use mio_core::{Any, Handler};

struct Raw;

impl<L> Handler<(), L> for Raw {}

struct Server {
    metrics: Raw,
}

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[nested(metric)]
    Metrics(Any),
}

impl OnHandler for Server {}

fn main() {}
