//! The peers on descriptors: the many-pipes chain and TCP echo, each written as its users write.

use crate::chain::Chain;
use crate::echo::Echo;
use crate::measure::Cost;
use crate::raw;

mod calloop;
mod mio;
mod mio_core;
mod mio_queue;
mod polling;
mod tokio;
mod uv;

pub use calloop::echo as calloop;
pub use tokio::runtime;

/// The one that has a queue of messages as we have, among those that have none.
pub const QUEUED: &str = "mio, queue";

/// A peer's chain.
pub type Pipes = fn(&mut Chain) -> Cost;
/// A peer's echo server.
pub type Serve = fn(&mut Echo) -> Cost;

pub const PIPES: &[(&str, Pipes)] = &[
    ("mio-core", mio_core::pipes),
    ("raw", raw::pipes),
    ("mio", mio::pipes),
    (QUEUED, mio_queue::pipes),
    ("polling", polling::pipes),
    ("calloop", calloop::pipes),
    ("tokio", tokio::pipes),
    ("libuv", uv::pipes),
];

pub const ECHO: &[(&str, Serve)] = &[
    ("mio-core", mio_core::echo),
    ("mio-core, idle timeouts", mio_core::echo_with_timeouts),
    ("raw", raw::echo),
    ("mio", mio::echo),
    ("polling", polling::echo),
    ("calloop", calloop::echo),
    ("tokio", tokio::echo),
    ("libuv", uv::echo),
];
