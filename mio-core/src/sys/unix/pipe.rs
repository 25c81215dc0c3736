//! Pipes.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
};

use super::{ffi, flag_late, refused};
use crate::sys::pipe2;

/// What both ends are to `std`.
pub(crate) type End = File;

/// Reading and writing end, non-blocking and close-on-exec: `pipe2`, or `pipe` and `fcntl` where it
/// is refused.
///
/// Several C libraries build `pipe` on the system call `pipe2`, without flags. A sandbox that refuses
/// the call whatever its flags then refuses both, and its error is returned.
pub(crate) fn new() -> io::Result<(End, End)> {
    let (reader, writer) = open()?;
    Ok((reader.into(), writer.into()))
}

/// As [`new`], as descriptors.
pub(in crate::sys) fn open() -> io::Result<(OwnedFd, OwnedFd)> {
    match pipe2::pipe2() {
        Err(error) if refused(&error) => flagged_late(),
        outcome => outcome,
    }
}

fn flagged_late() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = ffi::pipe()?;
    Ok((flag_late(reader)?, flag_late(writer)?))
}

/// Makes an open file non-blocking, for all who share it.
pub(crate) fn set_nonblocking(fd: &impl AsFd) -> io::Result<()> {
    ffi::set_nonblocking(fd.as_fd())
}

#[cfg(test)]
mod tests {
    use super::flagged_late;
    use crate::sys::unix::is_flagged;

    #[test]
    fn without_pipe2_both_ends_get_their_flags_late() {
        let (reader, writer) = flagged_late().unwrap();
        assert!(is_flagged(&reader) && is_flagged(&writer));
    }
}
