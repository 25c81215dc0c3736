use mio_core::{Any, Handler, Key};

struct Raw;

impl<L> Handler<(), L> for Raw {}

struct Server {
    metrics: Raw,
}

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[nested]
    Metrics(Any),
    #[nested(method = metered)]
    Other(Any),
    #[nested(metrics)]
    Sources,
    #[nested(metrics)]
    Keys(u8, Key<8, 8>, Any),
    #[nested("metrics")]
    Quoted(Any),
}

impl OnHandler for Server {}

fn main() {}
