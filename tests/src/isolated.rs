//! A test that runs alone in a process of its own.

use std::{
    env,
    fs::File,
    io::{self, Read, Seek, Write},
    process::{self, Command, Stdio},
};

use crate::{
    ffi,
    trace::{self, Trace},
};

/// Tells a child which test it is there for.
const VARIABLE: &str = "MIO_TESTS_ISOLATED";
/// What runs a program that this machine cannot run by itself: a command, its words parted by spaces.
const RUNNER: &str = "MIO_TESTS_RUNNER";
/// Unlike 0 and 101, the harness's own codes, this one proves that the body ran to its end.
const DONE: i32 = 43;
/// A child that runs for longer is stuck, however busy the machine is, and is killed by SIGALRM.
const SECONDS_MAX: u32 = 300;

/// The rest of the current test, in a process of its own.
///
/// [`run`](Isolated::run) starts the current executable again with the name of this one test, and
/// there, with no other test running, runs the body. A test has only one such
/// body, and what stands before it runs in both processes. A fork would be quicker, but with the
/// threads of the test harness around it could do hardly anything.
///
/// ```no_run
/// # use tests::{Isolated, test_name};
/// #[test]
/// fn works_without_eventfd() {
///     Isolated::new(test_name!()).refuse(&[libc::SYS_eventfd2], libc::ENOSYS).run(|| {
///         // Here eventfd fails.
///     });
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing runs before `run` or `trace`"]
pub struct Isolated {
    test: &'static str,
    refused: Vec<(libc::c_long, i32)>,
    descriptors: Option<u64>,
}

impl Isolated {
    /// A child for the test of this name, which [`test_name!`](crate::test_name) knows.
    pub fn new(test: &'static str) -> Isolated {
        Isolated { test, refused: Vec::new(), descriptors: None }
    }

    /// Makes these system calls fail with `errno` while the body runs, in every thread it starts.
    ///
    /// See seccomp(2).
    pub fn refuse(mut self, calls: &[libc::c_long], errno: i32) -> Isolated {
        self.refused.extend(calls.iter().map(|&call| (call, errno)));
        self
    }

    /// Refuses the body a descriptor of this number or above, with `EMFILE`.
    pub fn descriptors(mut self, limit: u64) -> Isolated {
        self.descriptors = Some(limit);
        self
    }

    /// Runs `body` in the child and gives back what it printed.
    ///
    /// # Panics
    /// In the parent, with the child's output, if the body panicked, was killed or took a minute.
    pub fn run(self, body: impl FnOnce()) -> String {
        if self.is_the_child() {
            self.run_here(body);
        }
        let (mut command, mut output) = self.command(false);
        let status = command.status().expect("the test binary starts again");
        let output = text(&mut output);
        assert_eq!(
            status.code(),
            Some(DONE),
            "{} in its own process: {status}\n{output}",
            self.test
        );
        output
    }

    /// Runs `body` in the child under a tracer and gives back the system calls it made.
    ///
    /// # Panics
    /// In the parent, with the child's output, if the body panicked, was killed or took a minute.
    #[must_use]
    pub fn trace(self, body: impl FnOnce()) -> Trace {
        if self.is_the_child() {
            self.run_here(body);
        }
        let (mut command, mut output) = self.command(true);
        // Not waited for with `wait`: the tracer reaps it.
        #[expect(clippy::zombie_processes, reason = "the tracer reaps it")]
        let child = command.spawn().expect("the test binary starts again");
        let (trace, code) = trace::follow(child.id()).expect("ptrace works");
        let output = text(&mut output);
        assert_eq!(code, Some(DONE), "{} in its own process\n{output}", self.test);
        trace
    }

    fn is_the_child(&self) -> bool {
        env::var_os(VARIABLE).is_some_and(|test| test.to_str() == Some(self.test))
    }

    fn command(&self, traced: bool) -> (Command, File) {
        let output = File::from(ffi::memory_file().expect("a file in memory"));
        let end = || Stdio::from(output.try_clone().expect("a descriptor"));
        let program = env::current_exe().expect("the test binary's own path");
        let mut command = match env::var(RUNNER) {
            Ok(runner) => {
                let mut words = runner.split(' ');
                let mut command = Command::new(words.next().expect("a program"));
                command.args(words).arg(program);
                command
            }
            Err(_) => Command::new(program),
        };
        command
            .args(["--exact", self.test, "--include-ignored", "--nocapture", "--test-threads=1"])
            .env(VARIABLE, self.test)
            .env(trace::VARIABLE, if traced { "1" } else { "0" })
            .stdin(Stdio::null())
            .stdout(end())
            .stderr(end());
        (command, output)
    }

    fn run_here(&self, body: impl FnOnce()) -> ! {
        ffi::alarm(SECONDS_MAX);
        if env::var_os(trace::VARIABLE).is_some_and(|traced| traced == "1") {
            ffi::trace_me().expect("nobody else traces this process");
        }
        if let Some(limit) = self.descriptors {
            ffi::limit_descriptors(limit).expect("the limit is only lowered");
        }
        ffi::refuse(&self.refused).expect("the kernel has seccomp filters");
        body();
        // A body that refuses write(2) loses what it printed, and nothing else.
        let _ = io::stdout().flush();
        process::exit(DONE);
    }
}

/// The name under which the test harness knows the function that this stands in.
#[macro_export]
macro_rules! test_name {
    () => {{
        fn here() {}
        $crate::isolated::test_of(std::any::type_name_of_val(&here))
    }};
}

/// For [`test_name!`](crate::test_name): the path of a function in a test, without crate and function.
#[doc(hidden)]
#[must_use]
pub fn test_of(path: &'static str) -> &'static str {
    let path = path.strip_suffix("::here").unwrap_or(path);
    path.split_once("::").map_or(path, |(_, test)| test)
}

fn text(output: &mut File) -> String {
    let mut bytes = Vec::new();
    output.rewind().and_then(|()| output.read_to_end(&mut bytes)).expect("a file in memory");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_call_fails_with_the_error_asked_for() {
        let output = Isolated::new(test_name!())
            .refuse(&[libc::SYS_memfd_create], libc::ENOSYS)
            .refuse(&[libc::SYS_chdir, libc::SYS_getcwd], libc::EPERM)
            .run(|| {
                let error = ffi::memory_file().unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::ENOSYS));
                let error = env::set_current_dir("/").unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::EPERM));
                let error = std::thread::spawn(env::current_dir).join();
                assert_eq!(error.unwrap().unwrap_err().raw_os_error(), Some(libc::EPERM));
                File::open("/dev/null").unwrap();
                println!("as refused");
            });
        assert!(output.contains("as refused"));
    }

    #[test]
    fn a_descriptor_above_the_limit_is_refused() {
        Isolated::new(test_name!()).descriptors(16).run(|| {
            let mut files = Vec::new();
            let error = loop {
                match File::open("/dev/null") {
                    Ok(file) => files.push(file),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
            assert!(files.len() <= 16);
        });
    }

    #[test]
    #[should_panic = "the child's own words"]
    fn a_panic_in_the_child_is_one_in_the_parent_with_its_words() {
        // In the child the harness takes this panic for the one expected, and ends with 0, not DONE.
        Isolated::new(test_name!()).run(|| panic!("the child's {} words", "own"));
    }

    #[test]
    #[should_panic = "in its own process"]
    fn a_name_that_is_no_test_is_noticed() {
        Isolated::new("no such test").run(|| {});
    }

    #[test]
    fn a_child_killed_by_a_signal_is_noticed() {
        let parent = env::var_os(VARIABLE).is_none();
        let result = std::panic::catch_unwind(|| {
            Isolated::new(test_name!()).run(|| process::abort());
        });
        assert!(parent && result.is_err());
    }
}
