//! Processes, and waiting for them in the system's thread pool.
#![allow(unsafe_code)]

use std::{
    ffi::c_void,
    io,
    os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    ptr,
};

use windows_sys::Win32::{
    Foundation::{ERROR_INVALID_PARAMETER, INVALID_HANDLE_VALUE, WAIT_OBJECT_0, WAIT_TIMEOUT},
    System::Threading::{
        GetExitCodeProcess, INFINITE, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION,
        PROCESS_SYNCHRONIZE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEINWAITTHREAD,
        WT_EXECUTEONLYONCE, WaitForSingleObject,
    },
};

use super::super::{ffi::port_post, port::Kind};

/// `NotFound`: there is no such process.
pub(super) fn open_process(pid: u32) -> io::Result<OwnedHandle> {
    let access = PROCESS_SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION;
    // SAFETY: takes no pointer.
    let process = unsafe { OpenProcess(access, 0, pid) };
    if process.is_null() {
        let error = io::Error::last_os_error();
        let none = error.raw_os_error() == Some(ERROR_INVALID_PARAMETER as i32);
        return Err(if none { io::ErrorKind::NotFound.into() } else { error });
    }
    // SAFETY: the kernel has just opened it for us alone.
    Ok(unsafe { OwnedHandle::from_raw_handle(process) })
}

/// `None` as long as the process runs.
pub(super) fn exit_code(process: BorrowedHandle<'_>) -> io::Result<Option<u32>> {
    // Not by the code alone: a process may end with that of one that runs.
    // SAFETY: takes no pointer.
    match unsafe { WaitForSingleObject(process.as_raw_handle(), 0) } {
        WAIT_OBJECT_0 => {}
        WAIT_TIMEOUT => return Ok(None),
        _ => return Err(io::Error::last_os_error()),
    }
    let mut code = 0;
    // SAFETY: `code` lives until the call returns.
    let told = unsafe { GetExitCodeProcess(process.as_raw_handle(), &raw mut code) };
    if told == 0 { Err(io::Error::last_os_error()) } else { Ok(Some(code)) }
}

/// A wait of the thread pool, until it is dropped.
#[derive(Debug)]
pub(super) struct Wait(usize);

impl Wait {
    /// Puts one packet of [`Kind::Child`] with `token` into the port when the process has ended. The port
    /// and the process are to stay open until the wait is dropped.
    pub(super) fn begin(
        process: BorrowedHandle<'_>,
        port: BorrowedHandle<'_>,
        token: u64,
    ) -> io::Result<Wait> {
        let context = pack(port.as_raw_handle().addr(), token).ok_or(io::ErrorKind::Unsupported)?;
        let mut wait = ptr::null_mut();
        // SAFETY: `wait` lives until the call returns; the context is a number, of which the pool knows nothing.
        let begun = unsafe {
            RegisterWaitForSingleObject(
                &raw mut wait,
                process.as_raw_handle(),
                Some(ended),
                ptr::without_provenance(context),
                INFINITE,
                WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD,
            )
        };
        if begun == 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(Wait(wait.expose_provenance()))
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let wait = ptr::with_exposed_provenance_mut(self.0);
        // Comes back when `ended` is not running and never will.
        // SAFETY: the wait was begun, and is ended here only.
        unsafe { UnregisterWaitEx(wait, INVALID_HANDLE_VALUE) };
    }
}

/// Runs in a thread of the pool.
unsafe extern "system" fn ended(context: *mut c_void, _timed_out: bool) {
    let (port, token) = unpack(context.addr());
    // SAFETY: whoever began the wait keeps the port open until it is over.
    let port = unsafe { BorrowedHandle::borrow_raw(ptr::without_provenance_mut(port)) };
    // There is nobody to tell if there is no memory for a packet.
    let _ = port_post(port, Kind::Child as usize, (token >> 32) as u32, token as u32 as usize);
}

/// How much of a token goes with the wait; the rest is ones, as in all that a loop keeps for itself.
const TOKEN_BITS: u32 = 16;

/// Port and token as one number, for which nobody has to allocate. Handles are multiples of four and, also where
/// pointers have 64 bits, not longer than 32. `None`: they do not fit; on 32-bit systems a port that is opened after
/// 65,536 other handles does not.
fn pack(port: usize, token: u64) -> Option<usize> {
    let fits = token >> TOKEN_BITS == u64::MAX >> TOKEN_BITS && port % 4 == 0;
    let room = usize::BITS - TOKEN_BITS;
    let number = port / 4;
    let low = token as usize & ((1 << TOKEN_BITS) - 1);
    (fits && number.leading_zeros() >= usize::BITS - room).then_some(number << TOKEN_BITS | low)
}

fn unpack(context: usize) -> (usize, u64) {
    let low = context as u64 & ((1 << TOKEN_BITS) - 1);
    ((context >> TOKEN_BITS) * 4, u64::MAX << TOKEN_BITS | low)
}

#[cfg(test)]
mod tests {
    use super::{pack, unpack};

    #[test]
    fn port_and_token_travel_as_one_number() {
        for (port, token) in [(4, u64::MAX), (0x3_FFFC, u64::MAX - 0xFFFF), (0x1234, u64::MAX - 7)]
        {
            let context = pack(port, token).unwrap();
            assert_eq!(unpack(context), (port, token));
        }
        assert_eq!(pack(4, 7), None);
        assert_eq!(pack(5, u64::MAX), None);
        assert_eq!(pack(usize::MAX - 3, u64::MAX), None);
    }
}
