//! What `#[derive(Handler)]` and `#[derive(TokenField)]` promise, by behaviour.

mod exchange;
mod kinds;
mod lending;
mod nesting;
mod payloads;
mod shapes;
mod watching;

use std::time::Duration;

use mio_core::{Config, EventLoop};

/// A loop whose timers fire at once, one after the other.
fn virtual_loop<M>() -> EventLoop<M> {
    EventLoop::with_config(Config { virtual_time: Some(0), ..Config::default() }).unwrap()
}

const SECOND: Duration = Duration::from_secs(1);
