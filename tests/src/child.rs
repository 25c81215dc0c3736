//! Programs that every platform has, and whose turn it is to watch them.

use std::{
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// For tests that share a process: where SIGCHLD tells of children, one loop at a time can watch some.
pub fn sole_watcher() -> MutexGuard<'static, ()> {
    static WATCHER: Mutex<()> = Mutex::new(());
    WATCHER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program that ends with `code`.
#[must_use]
pub fn exits(code: u8) -> Command {
    let script = format!("exit {code}");
    let mut command = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    command.arg(if cfg!(windows) { "/c" } else { "-c" }).arg(script).stdin(Stdio::null());
    command
}

/// A program that ends with 0 when its standard input, a pipe, ends.
#[must_use]
pub fn waits_for_its_input() -> Command {
    let mut command = if cfg!(windows) {
        let mut command = Command::new("cmd");
        command.args(["/c", "set /p line= & exit 0"]).stdout(Stdio::null());
        command
    } else {
        Command::new("cat")
    };
    command.stdin(Stdio::piped());
    command
}
