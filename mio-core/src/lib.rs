//! mio-core
#![deny(unsafe_code)]

mod interest;

pub use interest::{Interest, Readiness, Trigger};
