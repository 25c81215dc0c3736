use mio_core::{Any, Handler};

struct Raw;

struct Server {
    metrics: Raw,
}

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[nested(metrics)]
    Metrics(Any),
}

impl OnHandler for Server {}

fn main() {}
