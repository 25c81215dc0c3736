//! What `#[derive(Proxy)]` builds on, and what can be used without it.
//!
//! [`Proxy`](derive@crate::Proxy) makes a server of a struct that implements [`Hooks`]. What is in here is the part of
//! such a server that is the same for all: its bounds, what it counts, when it accepts, how several loops
//! share the work. The bytes themselves are moved by [`relay`](crate::relay).

mod accepting;
mod address;
mod command;
mod config;
mod connection;
mod counters;
mod header;
mod hooks;
mod workers;

pub use accepting::Accepting;
pub use address::Address;
pub use command::Command;
pub use config::{ProxyConfig, Sharing};
pub use connection::{Connection, Listener};
pub use counters::Counters;
pub use header::{ProxyHeader, ProxyProtocol};
pub use hooks::{
    Cause, Client, Closed, Hooks, InspectDown, InspectUp, SeenDown, SeenUp, SeesDown, SeesUp, Side,
    Unseen,
};
pub use workers::{Worker, run_workers};
