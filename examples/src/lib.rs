//! What the example programs share: servers that are worth reading.
//!
//! [`echo`] is the smallest server that is right, on the raw [`Handler`](mio_core::Handler) trait, and
//! [`echo_derived`] the same one by the derive; [`proxy`] is a proxy to use, by the derive, and
//! [`proxy_raw`] one by hand, and a [`service`] runs either in a thread. [`room`] is what both chat servers serve.

pub mod echo;
pub mod echo_derived;
mod interrupt;
pub mod proxy;
pub mod proxy_raw;
pub mod room;
pub mod service;

pub use interrupt::child_that_interrupts;
