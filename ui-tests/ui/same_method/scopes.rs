use std::io;

use mio_core::{Any, EventLoop, Handler};

struct Raw;

impl<L> Handler<(), L> for Raw {}

struct Server {
    metrics: Raw,
    other: Raw,
    table: Raw,
}

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[nested(metrics)]
    Metrics(Any),
    #[nested(other, method = other)]
    METRICS(Any),
    #[nested(table)]
    Table(Any),
}

impl OnHandler for Server {
    fn metrics(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
