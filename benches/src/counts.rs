//! Counts: user instructions from callgrind, system calls from strace, allocations from the
//! allocator. Each is what a long run has over a short one, divided by the units it has more; what
//! comes before and after the work cancels out.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use crate::os;
use crate::plan::Plan;
use crate::timers::Operation;
use crate::unit::{NOTHING, Workload};

/// Counts for each unit of work; `None` where the tool is missing or cannot tell.
#[derive(Clone, Debug, Default)]
pub struct Count {
    pub instructions: Option<f64>,
    pub calls: Option<f64>,
    /// Those of the calls that wait: the turns of the loop.
    pub waits: Option<f64>,
    pub allocations: Option<f64>,
}

/// What was counted: the workload, the timers' operation, the peer.
pub type Key = (Workload, Option<&'static str>, &'static str);
pub type Counts = BTreeMap<Key, Count>;

#[derive(Clone, Copy)]
struct Job {
    workload: Workload,
    operation: Option<Operation>,
    peer: &'static str,
}

/// Takes all counts of the plan, on as many processors as there are: a count is not disturbed.
pub fn take(plan: &Plan) -> Counts {
    let (valgrind, strace) = (is_installed("valgrind"), is_installed("strace"));
    if !plan.counts.is_empty() {
        for (tool, present, lost) in
            [("valgrind", valgrind, "instructions"), ("strace", strace, "system calls")]
        {
            if !present {
                eprintln!("SKIPPED: {tool} is not installed, so no {lost} are counted");
            }
        }
    }
    let jobs = Mutex::new(jobs(plan));
    let counts = Mutex::new(Counts::new());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(job) = jobs.lock().expect("jobs").pop() else { return };
                    let count = job.count(valgrind, strace);
                    let key = (job.workload, job.operation.map(Operation::name), job.peer);
                    eprintln!("counted {} {:?}", job.workload.name(), key.2);
                    counts.lock().expect("counts").insert(key, count);
                }
            });
        }
    });
    let mut counts = counts.into_inner().expect("counts");
    subtract_nothing(&mut counts);
    counts
}

fn jobs(plan: &Plan) -> Vec<Job> {
    let mut jobs = Vec::new();
    for &workload in &plan.counts {
        for operation in workload.operations() {
            let nothing = operation.map(|_| NOTHING);
            for peer in workload.peers().into_iter().chain(nothing) {
                jobs.push(Job { workload, operation, peer });
            }
        }
    }
    jobs.reverse();
    jobs
}

/// Takes off what the timers' workload costs without timers.
fn subtract_nothing(counts: &mut Counts) {
    let (nothing, mut peers): (Counts, Counts) =
        std::mem::take(counts).into_iter().partition(|(key, _)| key.2 == NOTHING);
    for ((workload, operation, _), base) in nothing {
        for (key, count) in &mut peers {
            if (key.0, key.1) == (workload, operation) {
                let less = |value: Option<f64>, base: Option<f64>| Some(value? - base?);
                count.instructions = less(count.instructions, base.instructions);
                count.allocations = less(count.allocations, base.allocations);
            }
        }
    }
    *counts = peers;
}

impl Job {
    fn count(self, valgrind: bool, strace: bool) -> Count {
        let (few, many) = self.workload.units_counted();
        let each = |count: &dyn Fn(u64) -> Option<f64>| {
            Some((count(many)? - count(few)?) / (many - few) as f64)
        };
        let mut count = Count::default();
        if valgrind {
            count.instructions = each(&|units| {
                let all = self.instructions(units)?;
                // A run with more timers to fire has more to arm, too.
                let Some(Operation::Fire) = self.operation else { return Some(all) };
                let arm = Self { operation: Some(Operation::Arm), ..self };
                Some(all - arm.instructions(units)?)
            });
        }
        // A timer's operation makes no call of its own, and strace would take its time.
        if strace && self.operation.is_none() && self.workload != Workload::Queue {
            let (few_calls, many_calls) = (self.calls(few), self.calls(many));
            count.calls = each(&|units| {
                Some(if units == few { few_calls.as_ref()?.0 } else { many_calls.as_ref()?.0 })
            });
            count.waits = each(&|units| {
                Some(if units == few { few_calls.as_ref()?.1 } else { many_calls.as_ref()?.1 })
            });
        }
        // What libuv's C allocates does not come by our allocator.
        if self.peer != "libuv" {
            count.allocations = each(&|units| self.allocations(units));
        }
        count
    }

    fn command(self, under: &[&str], units: u64) -> Command {
        let own = os::running_program();
        let mut command = match under {
            [] => Command::new(&own),
            [tool, options @ ..] => {
                let mut command = Command::new(tool);
                command.args(options).arg(&own);
                command
            }
        };
        command.env(os::PROGRAM, own).env("BENCHES_NO_PIN", "1").stdin(Stdio::null());
        command.args(["unit", "--lockstep", "--peer", self.peer]);
        command.args(["--workload", &self.workload.name(), "--n", &units.to_string()]);
        if let Some(operation) = self.operation {
            command.args(["--operation", operation.name()]);
        }
        command
    }

    fn instructions(self, units: u64) -> Option<f64> {
        let under = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
        let output = self.command(&under, units).output().ok()?;
        let text = String::from_utf8_lossy(&output.stderr);
        let collected = text.lines().find_map(|line| line.split_once("Collected : "));
        let Some((_, count)) = collected.filter(|_| output.status.success()) else {
            eprintln!(
                "FAILED under callgrind: {} {}\n{}",
                self.workload.name(),
                self.peer,
                last_lines(&text)
            );
            return None;
        };
        count.trim().parse().ok()
    }

    /// All calls of the main thread, and those that wait.
    fn calls(self, units: u64) -> Option<(f64, f64)> {
        let output = self.command(&["strace", "-c", "-U", "calls,name"], units).output().ok()?;
        let text = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            eprintln!(
                "FAILED under strace: {} {}\n{}",
                self.workload.name(),
                self.peer,
                last_lines(&text)
            );
            return None;
        }
        let (mut all, mut waits) = (0.0, 0.0);
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(calls), Some(name)) = (words.next(), words.next()) else { continue };
            let Ok(calls) = calls.parse::<f64>() else { continue };
            if name == "total" {
                all = calls;
            } else if name.starts_with("epoll_wait") || name.starts_with("epoll_pwait") {
                waits += calls;
            }
        }
        Some((all, waits))
    }

    fn allocations(self, units: u64) -> Option<f64> {
        let output = self.command(&[], units).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines().find_map(|line| line.strip_prefix("allocations="))?.parse().ok()
    }
}

/// What a failed run has to say, less what the tool adds.
fn last_lines(text: &str) -> String {
    text.lines().filter(|line| line.contains("panicked") || line.contains("rror")).collect()
}

fn is_installed(tool: &str) -> bool {
    let mut command = Command::new(tool);
    let quiet = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
