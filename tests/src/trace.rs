//! The system calls that a child makes, in order, as its tracer sees them.
//!
//! See ptrace(2). The thread of the test's body and those that it starts are followed; the test
//! harness's main thread and children of the child are not.

use std::{collections::HashSet, io};

use crate::ffi::{self, Stop};

/// Tells a child whether it is traced.
pub(crate) const VARIABLE: &str = "MIO_TESTS_TRACED";

/// A system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The thread that made it.
    pub thread: u32,
    /// Its number, as in `libc::SYS_read`.
    pub number: libc::c_long,
    /// Its arguments; those that it does not take are whatever was in the registers.
    pub arguments: [u64; 6],
}

/// The system calls of a child, in the order in which it entered them.
#[derive(Debug)]
pub struct Trace {
    calls: Vec<Call>,
}

impl Trace {
    /// The calls of one thread between two of its [marks](crate::mark), by name.
    ///
    /// # Panics
    /// If no thread made both marks, in this order.
    #[must_use]
    pub fn names(&self, from: u16, to: u16) -> Vec<&'static str> {
        let thread = self.calls[self.position(from, 0)].thread;
        self.between(from, to).iter().filter(|call| call.thread == thread).map(Call::name).collect()
    }

    /// Like [`names`](Trace::names), by what the calls do: every call that waits for events is
    /// `"wait"`, that reads or receives `"read"`, that writes or sends `"write"`. Readings of the
    /// clock, which are calls only where the machine's clock is out of a program's reach, are left out.
    ///
    /// # Panics
    /// As `names`.
    #[must_use]
    pub fn deeds(&self, from: u16, to: u16) -> Vec<&'static str> {
        let deed = |name| match name {
            "epoll_wait" | "epoll_pwait" | "epoll_pwait2" | "poll" | "ppoll" => "wait",
            "fstat" | "fstat64" | "newfstatat" | "statx" => "stat",
            "readv" | "recvfrom" | "recvmsg" => "read",
            "writev" | "sendto" | "sendmsg" => "write",
            other => other,
        };
        let names = self.names(from, to).into_iter().filter(|name| *name != "clock_gettime");
        names.map(deed).collect()
    }

    /// The calls of all threads between two [marks](crate::mark).
    ///
    /// # Panics
    /// If the marks are not there, in this order.
    #[must_use]
    pub fn between(&self, from: u16, to: u16) -> Vec<Call> {
        let start = self.position(from, 0) + 1;
        let calls = &self.calls[start..self.position(to, start)];
        calls.iter().filter(|call| call.mark().is_none()).copied().collect()
    }

    fn position(&self, mark: u16, start: usize) -> usize {
        let found = self.calls[start..].iter().position(|call| call.mark() == Some(mark));
        start + found.unwrap_or_else(|| panic!("no mark {mark} in {:?}", self.calls))
    }
}

impl Call {
    /// The name in the manual, or `"another"` for a call that no test speaks of yet.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if SOCKETCALL == Some(self.number) {
            let which = usize::try_from(self.arguments[0]).ok();
            let name = which.and_then(|which| SOCKET_CALLS.get(which.wrapping_sub(1)));
            return name.copied().unwrap_or("another");
        }
        NAMES.iter().find(|(number, _)| *number == self.number).map_or("another", |(_, name)| name)
    }

    fn mark(&self) -> Option<u16> {
        // The kernel takes an int, which is the low half of the register.
        (self.number == libc::SYS_close).then(|| ffi::mark_of(self.arguments[0] as i32)).flatten()
    }
}

macro_rules! names {
    ($($(#[$when:meta])? $name:ident: $number:ident),* $(,)?) => {
        &[$($(#[$when])? (libc::$number, stringify!($name))),*]
    };
}

#[rustfmt::skip]
const NAMES: &[(libc::c_long, &str)] = names![
    accept4: SYS_accept4, bind: SYS_bind, brk: SYS_brk,
    clock_gettime: SYS_clock_gettime, clock_nanosleep: SYS_clock_nanosleep, clone3: SYS_clone3,
    clone: SYS_clone, close: SYS_close, connect: SYS_connect, dup3: SYS_dup3, execve: SYS_execve,
    epoll_create1: SYS_epoll_create1, epoll_ctl: SYS_epoll_ctl, epoll_pwait2: SYS_epoll_pwait2,
    epoll_pwait: SYS_epoll_pwait, eventfd2: SYS_eventfd2, exit: SYS_exit,
    exit_group: SYS_exit_group, fcntl: SYS_fcntl, futex: SYS_futex, getpeername: SYS_getpeername, getpid: SYS_getpid,
    getrandom: SYS_getrandom, getsockopt: SYS_getsockopt, gettid: SYS_gettid, ioctl: SYS_ioctl,
    kill: SYS_kill, madvise: SYS_madvise, mprotect: SYS_mprotect,
    munmap: SYS_munmap, getcwd: SYS_getcwd, pidfd_open: SYS_pidfd_open, pipe2: SYS_pipe2, ppoll: SYS_ppoll,
    prctl: SYS_prctl, prlimit64: SYS_prlimit64, read: SYS_read, readv: SYS_readv,
    recvfrom: SYS_recvfrom, recvmsg: SYS_recvmsg, rt_sigaction: SYS_rt_sigaction,
    rt_sigprocmask: SYS_rt_sigprocmask, rt_sigreturn: SYS_rt_sigreturn,
    sched_yield: SYS_sched_yield, sendmsg: SYS_sendmsg, sendto: SYS_sendto,
    setsockopt: SYS_setsockopt, shutdown: SYS_shutdown, signalfd4: SYS_signalfd4,
    socket: SYS_socket, socketpair: SYS_socketpair, tgkill: SYS_tgkill, tkill: SYS_tkill,
    splice: SYS_splice, timerfd_settime: SYS_timerfd_settime, waitid: SYS_waitid, write: SYS_write,
    writev: SYS_writev,
    // The oldest have one number for all calls on sockets, and few of them got another for this one later.
    #[cfg(not(any(target_arch = "x86", target_arch = "s390x")))] accept: SYS_accept,
    // Only the older machines still have these under a number of their own.
    #[cfg(any(target_arch = "x86_64", target_arch = "x86", target_arch = "s390x"))] epoll_wait: SYS_epoll_wait,
    #[cfg(any(target_arch = "x86_64", target_arch = "x86", target_arch = "s390x"))] pipe: SYS_pipe,
    #[cfg(any(target_arch = "x86_64", target_arch = "x86", target_arch = "s390x"))] poll: SYS_poll,
    #[cfg(not(target_arch = "arm"))] mmap: SYS_mmap,
    // How fstat(3) is made differs too.
    fstat: SYS_fstat, statx: SYS_statx,
    #[cfg(target_arch = "x86_64")] newfstatat: SYS_newfstatat,
];

/// The one call that a C library for the oldest machines makes for all that it does to sockets.
#[cfg(any(target_arch = "x86", target_arch = "s390x"))]
pub(crate) const SOCKETCALL: Option<libc::c_long> = Some(libc::SYS_socketcall);
#[cfg(not(any(target_arch = "x86", target_arch = "s390x")))]
pub(crate) const SOCKETCALL: Option<libc::c_long> = None;

/// What its first argument says, from 1 on (linux/net.h). Sending and receiving are called as elsewhere.
#[rustfmt::skip]
const SOCKET_CALLS: [&str; 18] = [
    "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "sendto",
    "recvfrom", "sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4",
];

/// By which first argument of [`SOCKETCALL`] the same is done as by this call.
pub(crate) fn socket_call(call: libc::c_long) -> Option<u32> {
    let (_, name) = NAMES.iter().find(|(number, _)| *number == call)?;
    let index = SOCKET_CALLS.iter().position(|other| other == name)?;
    Some(index as u32 + 1)
}

/// Follows the child, which this thread started and which stops itself, to its end: its calls and
/// its exit code, none if a signal killed it.
pub(crate) fn follow(child: u32) -> io::Result<(Trace, Option<i32>)> {
    let mut calls = Vec::new();
    let mut threads = HashSet::new();
    loop {
        let (thread, stop) = ffi::wait_for_stop()?;
        let mut signal = 0;
        match stop {
            Stop::Exited(code) if thread == child => return Ok((Trace { calls }, Some(code))),
            Stop::Killed(_) if thread == child => return Ok((Trace { calls }, None)),
            Stop::Exited(_) | Stop::Killed(_) => continue,
            Stop::Call => {
                if let Some((number, arguments)) = ffi::call_entered(thread)? {
                    calls.push(Call { thread, number, arguments });
                }
            }
            Stop::Event => {}
            // The first stop of every thread is the tracer's, not for the thread.
            Stop::Signal(stopped) if !threads.contains(&thread) => {
                assert_eq!(stopped, libc::SIGSTOP, "a traced thread starts stopped");
                if threads.is_empty() {
                    ffi::follow_threads(thread)?;
                }
                threads.insert(thread);
            }
            Stop::Signal(received) => signal = received,
        }
        ffi::resume(thread, signal)?;
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{Read, Write},
        os::unix::net::UnixStream,
        thread,
    };

    use crate::{Isolated, ffi, mark, test_name};

    #[test]
    fn calls_between_marks_are_seen_in_order_with_their_arguments() {
        let trace = Isolated::new(test_name!()).trace(|| {
            let mut file = File::from(ffi::memory_file().unwrap());
            mark(1);
            mark(2);
            file.write_all(b"four").unwrap();
            assert_eq!(file.read(&mut [0; 8]).unwrap(), 0);
            mark(3);
        });
        assert!(trace.between(1, 2).is_empty());
        assert_eq!(trace.names(2, 3), ["write", "read"]);
        assert_eq!(trace.between(2, 3)[0].arguments[2], 4);
    }

    #[test]
    fn a_thread_is_followed_and_told_from_the_one_that_marks() {
        let trace = Isolated::new(test_name!()).trace(|| {
            let (mut one, _other) = UnixStream::pair().unwrap();
            mark(1);
            thread::spawn(move || {
                mark(10);
                one.write_all(b"four").unwrap();
                mark(11);
            })
            .join()
            .unwrap();
            mark(2);
        });
        assert!(!trace.names(1, 2).contains(&"sendto"));
        assert_eq!(trace.names(10, 11), ["sendto"]);
        assert_eq!(trace.between(1, 2).iter().filter(|call| call.name() == "sendto").count(), 1);
    }

    #[test]
    fn a_child_of_the_traced_process_is_left_alone() {
        let trace = Isolated::new(test_name!()).trace(|| {
            mark(1);
            let status = std::process::Command::new("true").status().unwrap();
            mark(2);
            assert!(status.success());
        });
        assert!(trace.between(1, 2).iter().all(|call| call.name() != "execve"));
    }

    #[test]
    #[should_panic = "in its own process"]
    fn a_panic_of_the_traced_child_is_one_in_the_parent() {
        let _ = Isolated::new(test_name!()).trace(|| panic!("on purpose"));
    }

    #[test]
    fn refused_calls_are_seen_too() {
        let trace =
            Isolated::new(test_name!()).refuse(&[libc::SYS_getcwd], libc::EPERM).trace(|| {
                mark(1);
                std::env::current_dir().unwrap_err();
                mark(2);
            });
        assert_eq!(trace.names(1, 2), ["getcwd"]);
    }
}
