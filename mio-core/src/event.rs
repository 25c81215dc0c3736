//! One report of one source, by value.

use crate::interest::Readiness;

/// One report: which source, and what it is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The token that the source is registered under.
    pub token: u64,
    /// What the source is ready for.
    pub readiness: Readiness,
}
