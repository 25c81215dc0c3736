//! The example's proxy in a process of its own.

use std::{
    env,
    fs::File,
    io::{BufRead, BufReader},
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
};

use mio_core::proxy::Address;
use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, openpt, ptsname, unlockpt},
};
use tests::peers::PATIENCE;

use super::program;

/// What makes a process of this test program the proxy: its arguments, a line each.
const ARGUMENTS: &str = "PROXY_ARGUMENTS";

/// The program of the example as it is now, whatever cargo has built.
#[test]
fn is_the_proxy_if_that_is_asked_for() {
    if let Ok(arguments) = env::var(ARGUMENTS) {
        let arguments = ["proxy"].into_iter().chain(arguments.lines());
        program::run(lexopt::Parser::from_iter(arguments)).unwrap();
    }
}

pub(crate) struct Process {
    child: Child,
    /// The lines that it prints.
    output: Receiver<String>,
    /// Where it listens.
    pub(crate) addresses: Vec<Address>,
}

impl Process {
    /// Starts it by this line of a shell, of which `"$@"` is the proxy. It listens when this returns.
    pub(crate) fn start(shell: &str, arguments: &[&str]) -> Process {
        Process::begin(shell, arguments, Stdio::piped(), None)
    }

    /// The same, and it prints to a terminal.
    pub(crate) fn start_in_terminal(shell: &str, arguments: &[&str]) -> Process {
        let output =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        unlockpt(&output).unwrap();
        let name = ptsname(&output, Vec::new()).unwrap();
        let side = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let side = rustix::fs::open(name, side, Mode::empty()).unwrap();
        Process::begin(shell, arguments, side.into(), Some(output))
    }

    /// What it prints is read from the terminal, if there is one.
    fn begin(shell: &str, arguments: &[&str], stdout: Stdio, terminal: Option<OwnedFd>) -> Process {
        let mut child = Command::new("sh")
            .args(["-c", shell, "sh"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "process::is_the_proxy_if_that_is_asked_for", "--nocapture"])
            .env(ARGUMENTS, arguments.join("\n"))
            .stdin(Stdio::null())
            .stdout(stdout)
            .spawn()
            .unwrap();
        let output = terminal.unwrap_or_else(|| child.stdout.take().unwrap().into());
        // A terminal that nobody has open any more is an error to read, which is as good an end.
        let lines = BufReader::new(File::from(output)).lines();
        let (printed, output) = mpsc::channel();
        // Of its own, so that nobody waits for ever.
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| printed.send(line)));
        let mut process = Process { child, output, addresses: Vec::new() };
        let said = process.line_with("from ");
        let (_, said) = said.split_once("from ").unwrap();
        let (from, _) = said.split_once(" to ").unwrap();
        process.addresses = from.split(", ").map(|address| address.parse().unwrap()).collect();
        process
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints with this in it.
    pub(crate) fn line_with(&mut self, word: &str) -> String {
        loop {
            let line = self.output.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("no {word:?}: {error}"));
            if line.contains(word) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end: how it went, and what it has printed by then.
    pub(crate) fn ends(&mut self) -> (ExitStatus, String) {
        let mut rest = Vec::new();
        let over = loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(line) => rest.push(line),
                Err(error) => break error,
            }
        };
        assert_eq!(over, RecvTimeoutError::Disconnected, "it goes on");
        (self.child.wait().unwrap(), rest.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is of no use any more, whatever it does.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
