//! Ctrl-C, pressed by the program itself.
#![allow(unsafe_code)]

use std::{ffi::c_void, io};

/// Has the system tell this process that Ctrl-C was pressed.
///
/// Windows tells all processes of a console, so that this one first gets a console of its own. What it prints goes
/// where it went before.
///
/// # Errors
///
/// The system's.
pub(super) fn interrupt() -> io::Result<()> {
    const CTRL_C_EVENT: u32 = 0;
    const OUTPUT: u32 = -11_i32 as u32;
    // SAFETY: takes no pointer.
    let output = unsafe { GetStdHandle(OUTPUT) };
    // SAFETY: takes no pointer. It fails if there is no console, and then there is none to leave.
    unsafe { FreeConsole() };
    // SAFETY: takes no pointer.
    check(unsafe { AllocConsole() })?;
    // SAFETY: the handle is the process's own, and stays open.
    check(unsafe { SetStdHandle(OUTPUT, output) })?;
    // SAFETY: takes no pointer.
    check(unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) })
}

fn check(done: i32) -> io::Result<()> {
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetStdHandle(which: u32) -> *mut c_void;
    fn SetStdHandle(which: u32, handle: *mut c_void) -> i32;
    fn FreeConsole() -> i32;
    fn AllocConsole() -> i32;
    fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> i32;
}
