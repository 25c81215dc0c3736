//! What is told of a child's end: never asked, since there are no processes.

use std::{io, process::ExitStatus};

pub(crate) fn peek(_pid: u32) -> io::Result<Option<ExitStatus>> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(in crate::sys) fn check(_pid: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn signal(_status: ExitStatus) -> Option<i32> {
    None
}

pub(crate) fn core_dumped(_status: ExitStatus) -> bool {
    false
}
