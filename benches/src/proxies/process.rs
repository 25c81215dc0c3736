//! A process that is measured, and that never outlives its measurer.

use std::fs;
use std::io;
use std::net::SocketAddrV4;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::os;

/// A started program. It is ended when this goes, or when the process that started it does.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts it on one processor; what it prints is left out.
    pub fn start(command: &mut Command, processor: usize) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // SAFETY: between fork and exec only two system calls are made, which allocate nothing.
        unsafe {
            command.pre_exec(move || {
                os::end_with_parent();
                os::pin(processor);
                Ok(())
            });
        }
        Ok(Self { child: command.spawn()? })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it, or what it runs, listens.
    pub fn listens_soon(&mut self, at: SocketAddrV4) -> io::Result<()> {
        let began = Instant::now();
        while !is_listening(at) {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("it ended at once: {status}")));
            }
            if began.elapsed() > Duration::from_secs(20) {
                return Err(io::Error::other(format!("nobody listens on {at}")));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Processor time of all its threads, in nanoseconds.
    pub fn cpu_ns(&self) -> u64 {
        let spent = self.tasks().filter_map(|task| {
            let text = fs::read_to_string(task.join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        spent.sum()
    }

    /// How often its threads have slept.
    pub fn sleeps(&self) -> u64 {
        self.tasks().map(|task| os::sleeps_of(&task)).sum()
    }

    fn tasks(&self) -> impl Iterator<Item = PathBuf> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).into_iter().flatten();
        tasks.flatten().map(|task| task.path())
    }

    /// User memory that is this process's alone, written by it.
    pub fn private_bytes(&self) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.id())).ok()?;
        let kib = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:"))?;
        Some(kib.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
    }

    /// Asks it, or what it runs as a tracer, to end, waits, and ends it if it does not.
    pub fn finish(mut self) {
        let own = self.id();
        let path = format!("/proc/{own}/task/{own}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        let traced = children.split_whitespace().next().and_then(|id| id.parse().ok());
        // Again and again: some only look for a signal before they sleep.
        for attempt in 0..2_000 {
            if attempt % 100 == 10 {
                os::terminate(traced.unwrap_or(own));
            }
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the kernel lists a listener there.
fn is_listening(at: SocketAddrV4) -> bool {
    const LISTEN: &str = "0A";
    let address = u32::from_ne_bytes(at.ip().octets());
    let wanted = format!("{address:08X}:{:04X}", at.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    table.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next() == Some(&wanted) && words.nth(1) == Some(LISTEN)
    })
}
