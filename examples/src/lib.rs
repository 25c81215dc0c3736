//! What the example programs share: two servers on the raw [`Handler`](mio_core::Handler) trait.
//!
//! [`echo`] is the smallest server that is right, and [`echo_derived`] the same one by the derive;
//! [`proxy`] is one to use.

pub mod echo;
pub mod echo_derived;
pub mod proxy;
