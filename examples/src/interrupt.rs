//! A child that interrupts its parent, as the key Ctrl-C does, and exits.

use std::{
    io,
    process::{Child, Command},
};

#[cfg(windows)]
mod ffi;

/// Starts a child after which this process has been sent an interrupt; it exits with 3.
///
/// Portability: on Windows no process can do that to its parent; there this process does it to itself.
///
/// # Errors
///
/// The system's.
pub fn child_that_interrupts() -> io::Result<Child> {
    #[cfg(unix)]
    let mut command = {
        let this = std::process::id().to_string();
        let mut command = Command::new("sh");
        command.args(["-c", "kill -INT $0; exit 3", &this]);
        command
    };
    #[cfg(windows)]
    let mut command = {
        ffi::interrupt()?;
        let mut command = Command::new("cmd");
        command.args(["/c", "exit 3"]);
        command
    };
    command.spawn()
}
