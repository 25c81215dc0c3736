//! The error of a bounded table.

use std::{error, fmt, io};

/// A table that was sized when it was built has no room left.
///
/// As an [`io::Error`] it has the kind [`QuotaExceeded`](io::ErrorKind::QuotaExceeded).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no room left in a table of fixed size")
    }
}

impl error::Error for Full {}

impl From<Full> for io::Error {
    fn from(_: Full) -> io::Error {
        io::ErrorKind::QuotaExceeded.into()
    }
}
