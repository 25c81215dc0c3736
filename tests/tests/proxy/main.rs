//! What `#[derive(Proxy)]` makes, seen from both of its sides.
#![cfg(unix)]

mod single;

use std::time::Duration;

/// Longer than anything here takes, so that a failure is no hang.
const PATIENCE: Duration = Duration::from_secs(20);
