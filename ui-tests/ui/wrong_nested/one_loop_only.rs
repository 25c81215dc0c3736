//! A component that handles its events in loops of its own messages alone.
use std::io;

use mio_core::{EventLoop, Handler};

struct Ticker;

#[derive(Clone, Copy, Handler)]
#[handler(state = Ticker, message = u8)]
enum TickerOn {
    #[timer]
    Second,
}

impl TickerOnHandler for Ticker {
    fn second(&mut self, _: &mut EventLoop<u8, TickerOn>) -> io::Result<()> {
        Ok(())
    }
}

struct Server {
    inner: Inner,
}

struct Inner {
    ticker: Ticker,
}

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[nested(inner.ticker)]
    Ticker(TickerOn),
}

impl OnHandler for Server {}

fn main() {}
