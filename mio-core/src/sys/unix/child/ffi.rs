//! waitid(2).
#![allow(unsafe_code)]

use std::{io, mem, os::unix::process::ExitStatusExt, process::ExitStatus};

use libc::{id_t, idtype_t, siginfo_t};

/// How the child that `kind` and `id` name has ended, if it has ended.
pub(in crate::sys) fn peek_by(kind: idtype_t, id: id_t) -> io::Result<Option<ExitStatus>> {
    // SAFETY: for a `siginfo_t`, all zeroes is a value; it stays so if no child has ended.
    let mut info: siginfo_t = unsafe { mem::zeroed() };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    loop {
        // SAFETY: `info` has room for what is written to it.
        if unsafe { libc::waitid(kind, id, &raw mut info, options) } == 0 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    // SAFETY: zero, or filled in by waitid(2), which always fills this field.
    if unsafe { info.si_pid() } == 0 {
        return Ok(None);
    }
    // SAFETY: as above.
    let status = unsafe { info.si_status() };
    // As wait(2) encodes it.
    Ok(Some(ExitStatus::from_raw(match info.si_code {
        libc::CLD_EXITED => (status & 0xFF) << 8,
        libc::CLD_DUMPED => status | 0x80,
        _ => status,
    })))
}
