//! mio-core
#![deny(unsafe_code)]

mod full;
mod interest;

pub use full::Full;
pub use interest::{Interest, Readiness, Trigger};
