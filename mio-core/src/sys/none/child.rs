//! What is told of a child's end: never asked.

use std::{io, process::ExitStatus};

pub(crate) fn peek(_pid: u32) -> io::Result<Option<ExitStatus>> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn signal(_status: ExitStatus) -> Option<i32> {
    None
}

pub(crate) fn core_dumped(_status: ExitStatus) -> bool {
    false
}
