//! Counts of a whole proxy: user instructions by callgrind and system calls by strace, each what a long
//! run has over a short one divided by the units it has more; allocations while it works.
//!
//! In bulk who waits for whom varies, and with it how often a proxy finds less than a buffer full: there the calls vary
//! by some percent, more under strace, which slows the proxy down so that it mostly finds a buffer full.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use super::load::{Load, Upstream};
use super::peers::{Peer, Programs, runs};
use super::{Plan, Workload};

/// Counts for each unit of work, of bulk for each GB; `None` where a tool is missing or failed.
#[derive(Clone, Debug, Default)]
pub struct Count {
    pub instructions: Option<f64>,
    pub allocations: Option<f64>,
    /// Each system call that is made, by its name.
    pub calls: BTreeMap<String, f64>,
}

pub type Counts = BTreeMap<(Workload, Peer), Count>;

impl Count {
    pub fn all_calls(&self) -> Option<f64> {
        (!self.calls.is_empty()).then(|| self.calls.values().sum())
    }
}

pub fn take(plan: &Plan, programs: &Programs, missing: &mut Vec<String>) -> Counts {
    let mut counts = Counts::new();
    let tools =
        [("valgrind", "user instructions"), ("strace", "system calls"), ("cc", "allocations")];
    let [valgrind, strace, compiler] = tools.map(|(tool, lost)| {
        let present = runs(tool, "--version");
        if !present {
            missing.push(format!("{lost}: no {tool} here"));
        }
        present
    });
    let preload = compiler.then(|| compile_counter(programs.scratch())).and_then(Result::ok);
    for workload in plan.counted() {
        for &peer in plan.peers.iter().filter(|&&peer| workload.is_for(peer)) {
            let job = Job { programs, workload, peer };
            let mut count = Count::default();
            if valgrind {
                count.instructions = job.told("instructions", job.instructions());
            }
            if strace {
                count.calls = job.told("system calls", job.calls()).unwrap_or_default();
            }
            if let Some(preload) = &preload {
                count.allocations = job.told("allocations", job.allocations(preload));
            }
            eprintln!("counted {}, {}", workload.name(), peer.name());
            counts.insert((workload, peer), count);
        }
    }
    counts
}

struct Job<'a> {
    programs: &'a Programs,
    workload: Workload,
    peer: Peer,
}

impl Job<'_> {
    fn told<T>(&self, what: &str, result: io::Result<T>) -> Option<T> {
        let name = self.peer.name();
        result.inspect_err(|error| eprintln!("FAILED: {what}, {name}: {error}")).ok()
    }

    /// Starts the proxy, has it work and ends it.
    fn run(
        &self,
        units: u64,
        under: &[&OsStr],
        adjust: impl FnOnce(&mut Command),
    ) -> io::Result<()> {
        let upstream = Upstream::new()?;
        let (process, address) =
            self.programs.start(self.peer, under, adjust, upstream.address())?;
        let mut load = Load::new(self.workload, address, &upstream)?;
        load.run(units)?;
        drop(load);
        process.finish();
        Ok(())
    }

    fn instructions(&self) -> io::Result<f64> {
        let each = |units| {
            let log = self.programs.scratch().join("callgrind.log");
            let mut to_log = OsStr::new("--log-file=").to_owned();
            to_log.push(&log);
            let quiet = OsStr::new("--callgrind-out-file=/dev/null");
            let under = ["valgrind".as_ref(), "--tool=callgrind".as_ref(), quiet, &to_log];
            self.run(units, &under, |_| {})?;
            let text = fs::read_to_string(log)?;
            let collected = text.lines().find_map(|line| line.split_once("Collected : "));
            let count = collected.and_then(|(_, count)| count.trim().parse::<f64>().ok());
            count.ok_or_else(|| io::Error::other("callgrind has no count"))
        };
        let (few, many) = self.workload.units_counted();
        Ok(self.for_each_told(each(many)? - each(few)?, many - few))
    }

    fn calls(&self) -> io::Result<BTreeMap<String, f64>> {
        let each = |units| {
            let log = self.programs.scratch().join("strace.log");
            let words = ["strace", "-f", "-c", "-U", "calls,name", "-o"].map(OsStr::new);
            // A tracer that is killed would leave the proxy behind.
            let bound = ["setpriv", "--pdeathsig", "KILL"].map(OsStr::new);
            let under = [&words[..], &[log.as_os_str()], &bound[..]].concat();
            self.run(units, &under, |_| {})?;
            Ok::<_, io::Error>(call_table(&fs::read_to_string(log)?))
        };
        let (few, many) = self.workload.units_counted();
        let (base, mut calls) = (each(few)?, each(many)?);
        for (name, count) in &mut calls {
            let more = *count - base.get(name).copied().unwrap_or(0.0);
            *count = self.for_each_told(more, many - few);
        }
        calls.retain(|_, count| *count > 0.0005);
        Ok(calls)
    }

    fn allocations(&self, preload: &Path) -> io::Result<f64> {
        let file = self.programs.scratch().join("mallocs");
        fs::write(&file, [0; 8])?;
        let count = || {
            let bytes = fs::read(&file)?;
            let bytes = bytes.try_into().map_err(|_| io::Error::other("no count of mallocs"))?;
            Ok::<_, io::Error>(u64::from_ne_bytes(bytes))
        };
        let upstream = Upstream::new()?;
        let counting = |command: &mut Command| {
            command.env("LD_PRELOAD", preload).env("PROXIES_MALLOCS", &file);
        };
        let (process, address) =
            self.programs.start(self.peer, &[], counting, upstream.address())?;
        let mut load = Load::new(self.workload, address, &upstream)?;
        let (few, many) = self.workload.units_counted();
        load.run(few)?;
        let before = count()?;
        load.run(many)?;
        let more = count()? - before;
        drop(load);
        process.finish();
        Ok(self.for_each_told(more as f64, many))
    }

    fn for_each_told(&self, count: f64, units: u64) -> f64 {
        count / units as f64 * self.workload.units_told()
    }
}

/// What `strace -c` says, by name.
fn call_table(text: &str) -> BTreeMap<String, f64> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let count = words.next()?.parse().ok()?;
        let name = words.next()?;
        (name != "total").then(|| (name.to_owned(), count))
    };
    text.lines().filter_map(row).collect()
}

fn compile_counter(folder: &Path) -> io::Result<PathBuf> {
    let (source, library) = (folder.join("count_mallocs.c"), folder.join("count_mallocs.so"));
    fs::write(&source, include_str!("count_mallocs.c"))?;
    let mut command = Command::new("cc");
    command.args(["-O2", "-shared", "-fPIC", "-fno-builtin", "-o"]).args([&library, &source]);
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        eprintln!("FAILED: the counter of allocations does not compile: {text}");
        return Err(io::Error::other(text));
    }
    Ok(library)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_calls_is_read_by_name_and_without_its_total() {
        let text = "    calls syscall\n--------- ----------------\n       12 recvfrom\n        3 close\n\
                    --------- ----------------\n       15 total\n";
        let expected = [("close".to_owned(), 3.0), ("recvfrom".to_owned(), 12.0)];
        assert_eq!(call_table(text), expected.into());
    }
}
