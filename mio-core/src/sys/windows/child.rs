//! What is told of a child's end. How it is waited for, the backend knows.

use std::{io, process::ExitStatus};

/// Never called: what watches a child has its handle.
pub(crate) fn peek(_pid: u32) -> io::Result<Option<ExitStatus>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// No signal ends a process.
pub(crate) fn signal(_status: ExitStatus) -> Option<i32> {
    None
}

/// There are no core files.
pub(crate) fn core_dumped(_status: ExitStatus) -> bool {
    false
}
