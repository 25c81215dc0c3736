//! Signals and child exits: what is a process's, not a loop's. Each test has a process of its own.
#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

mod children;

use std::{
    fs,
    io::{self, Read, Write},
    mem::MaybeUninit,
    os::unix::{
        net::UnixStream,
        process::{CommandExt, ExitStatusExt},
        thread::JoinHandleExt,
    },
    process::{self, Child, Command, ExitStatus},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use mio_core::{ChildExit, Config, EventLoop, Handler, Signal, SignalInfo, SignalSet};
use tests::{Isolated, signal_process, test_name};

/// Keeps all that it is told.
#[derive(Default)]
struct Log {
    signals: Vec<(u64, SignalInfo)>,
    exits: Vec<(u64, ChildExit)>,
}

impl Handler for Log {
    fn signal(&mut self, _event_loop: &mut EventLoop, token: u64, info: SignalInfo) {
        self.signals.push((token, info));
    }

    fn child(&mut self, _event_loop: &mut EventLoop, token: u64, exit: ChildExit) {
        self.exits.push((token, exit));
    }
}

impl Log {
    /// Takes turns until `done`, ten seconds at most.
    fn turn_until(&mut self, event_loop: &mut EventLoop, done: impl Fn(&Log) -> bool) {
        let begin = Instant::now();
        while !done(self) {
            assert!(begin.elapsed() < Duration::from_secs(10), "it is told in time");
            event_loop.run_once(self, Some(Duration::from_millis(100))).unwrap();
        }
    }

    /// Takes a turn or two in which nothing more should be told.
    fn turn(&mut self, event_loop: &mut EventLoop) {
        for _ in 0..2 {
            event_loop.run_once(self, Some(Duration::from_millis(10))).unwrap();
        }
    }

    fn signals(&self) -> Vec<(u64, Signal)> {
        self.signals.iter().map(|(token, info)| (*token, info.signal)).collect()
    }
}

fn shell(script: &str) -> Child {
    Command::new("sh").args(["-c", script]).spawn().unwrap()
}

fn raise(signal: Signal) {
    // SAFETY: takes no pointer.
    assert_eq!(unsafe { libc::raise(signal.as_raw()) }, 0);
}

fn kill(pid: u32, signal: Signal) {
    // SAFETY: takes no pointer.
    assert_eq!(unsafe { libc::kill(pid as i32, signal.as_raw()) }, 0);
}

fn queue(pid: u32, signal: Signal) {
    let value = libc::sigval { sival_ptr: std::ptr::null_mut() };
    // SAFETY: the kernel only passes the value on.
    assert_eq!(unsafe { libc::sigqueue(pid as i32, signal.as_raw(), value) }, 0);
}

fn wait_without_reaping(child: &Child) {
    let mut info = MaybeUninit::uninit();
    let options = libc::WEXITED | libc::WNOWAIT;
    // SAFETY: `info` has room for what is written to it.
    assert_eq!(unsafe { libc::waitid(libc::P_PID, child.id(), info.as_mut_ptr(), options) }, 0);
}

/// Blocks or unblocks signals in the calling thread, all at once.
fn mask(how: i32, signals: impl Into<SignalSet>) {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `set` has room for what is written to it.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals.into().iter() {
        // SAFETY: `set` was filled by the call before.
        unsafe { libc::sigaddset(set.as_mut_ptr(), signal.as_raw()) };
    }
    // SAFETY: as above.
    unsafe { libc::pthread_sigmask(how, set.as_ptr(), std::ptr::null_mut()) };
}

/// What the process does on a signal: `SIG_DFL`, `SIG_IGN` or the address of a handler.
fn disposition(signal: Signal) -> usize {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: `action` has room for what is written to it.
    unsafe { libc::sigaction(signal.as_raw(), std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: zero or filled by the call before.
    unsafe { action.assume_init() }.sa_sigaction
}

/// Runs `body` in a child made by fork(2), or by a bare clone(2) if `bare`, and waits for its end.
/// `body` must make do with what a signal handler may do.
fn forked(bare: bool, body: impl FnOnce()) -> ExitStatus {
    let pid = if bare {
        // Flags and stack, or the other way round.
        let (first, second) =
            if cfg!(target_arch = "s390x") { (0, libc::SIGCHLD) } else { (libc::SIGCHLD, 0) };
        // SAFETY: with no flags but the signal to send at the end, and no stack, it is a fork.
        unsafe { libc::syscall(libc::SYS_clone, first, second, 0, 0, 0) as i32 }
    } else {
        // SAFETY: the child goes on in `body`, whose author knows what is left of the process.
        unsafe { libc::fork() }
    };
    if pid == 0 {
        body();
        // SAFETY: ends the child without running what belongs to the parent.
        unsafe { libc::_exit(0) };
    }
    assert!(pid > 0);
    let mut status = 0;
    // SAFETY: `status` has room for what is written to it.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    ExitStatus::from_raw(status)
}

#[test]
fn a_kill_is_told_with_the_process_and_the_user_it_comes_from() {
    Isolated::new(test_name!()).run(|| {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        event_loop.signals_with([Signal::INT, Signal::TERM].into(), 1u64).unwrap();
        event_loop.signals_with(Signal::USR1.into(), 2u64).unwrap();
        let mut log = Log::default();
        for (signal, name, token) in
            [(Signal::INT, "INT", 1), (Signal::TERM, "TERM", 1), (Signal::USR1, "USR1", 2)]
        {
            let mut child = shell(&format!("kill -{name} $PPID"));
            log.turn_until(&mut event_loop, |log| !log.signals.is_empty());
            let (told, info) = log.signals.remove(0);
            assert_eq!((told, info.signal, info.code), (token, signal, libc::SI_USER));
            assert_eq!(info.pid, Some(child.id()));
            // SAFETY: takes no pointer and cannot fail.
            assert_eq!(info.uid, Some(unsafe { libc::getuid() }));
            child.wait().unwrap();
        }
        log.turn(&mut event_loop);
        assert!(log.signals.is_empty());
    });
}

#[test]
fn real_time_signals_queue_and_say_that_they_did() {
    Isolated::new(test_name!()).run(|| {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        let signal = Signal::real_time(1).unwrap();
        event_loop.signals_with(signal.into(), 5u64).unwrap();
        mask(libc::SIG_BLOCK, signal);
        for _ in 0..3 {
            queue(process::id(), signal);
        }
        mask(libc::SIG_UNBLOCK, signal);
        let mut log = Log::default();
        log.turn_until(&mut event_loop, |log| log.signals.len() == 3);
        for (_, info) in log.signals {
            assert_eq!((info.code, info.pid), (libc::SI_QUEUE, Some(process::id())));
        }
    });
}

#[test]
fn of_real_time_signals_that_wait_the_lower_numbers_come_first() {
    Isolated::new(test_name!()).run(|| {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        let all = [1, 2, 3].map(|index| Signal::real_time(index).unwrap());
        event_loop.signals_with(all.into(), 1u64).unwrap();
        mask(libc::SIG_BLOCK, all);
        let [first, second, third] = all;
        [third, first, second, first].into_iter().for_each(raise);
        mask(libc::SIG_UNBLOCK, all);
        let mut log = Log::default();
        log.turn_until(&mut event_loop, |log| log.signals.len() == 4);
        assert_eq!(log.signals(), [first, first, second, third].map(|signal| (1, signal)));
    });
}

#[test]
fn a_standard_signal_that_waits_for_delivery_is_one_however_often_it_was_sent() {
    Isolated::new(test_name!()).run(|| {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        event_loop.signals_with(Signal::USR1.into(), 1u64).unwrap();
        mask(libc::SIG_BLOCK, Signal::USR1);
        for _ in 0..3 {
            raise(Signal::USR1);
        }
        mask(libc::SIG_UNBLOCK, Signal::USR1);
        let mut log = Log::default();
        log.turn(&mut event_loop);
        assert_eq!(log.signals(), [(1, Signal::USR1)]);
    });
}

#[test]
fn what_a_late_loop_has_no_room_for_is_told_once_each() {
    Isolated::new(test_name!()).run(|| {
        let config = Config { signals: 4, ..Config::default() };
        let mut event_loop = EventLoop::with_config(config).unwrap();
        event_loop.signals_with([Signal::USR1, Signal::USR2].into(), 1u64).unwrap();
        (0..10).for_each(|_| raise(Signal::USR1));
        (0..10).for_each(|_| raise(Signal::USR2));
        let mut log = Log::default();
        event_loop.run_once(&mut log, Some(Duration::ZERO)).unwrap();
        assert_eq!(log.signals.len(), 4, "as many in a turn as there is room for");
        log.turn(&mut event_loop);
        let told: Vec<_> = log
            .signals
            .iter()
            .map(|(_, info)| (info.signal, info.pid, info.uid.is_some(), info.code))
            .collect();
        let known = (Signal::USR1, Some(process::id()), true, libc::SI_TKILL);
        let unknown = [Signal::USR1, Signal::USR2].map(|signal| (signal, None, false, 0));
        assert_eq!(told, [&[known; 4][..], &unknown].concat());
    });
}

#[test]
fn threads_that_have_the_signal_unblocked_do_not_get_the_process_killed() {
    Isolated::new(test_name!()).run(|| {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        event_loop.signals_with(Signal::TERM.into(), 1u64).unwrap();
        let stop = AtomicBool::new(false);
        let mut log = Log::default();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        thread::sleep(Duration::from_millis(1));
                    }
                });
            }
            for sent in 1..=100 {
                kill(process::id(), Signal::TERM);
                log.turn_until(&mut event_loop, |log| log.signals.len() >= sent);
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(log.signals.len(), 100);
    });
}

#[test]
fn a_sleeping_loop_is_woken_whichever_thread_gets_the_signal() {
    struct Stop;
    impl Handler for Stop {
        fn signal(&mut self, event_loop: &mut EventLoop, _token: u64, _info: SignalInfo) {
            event_loop.shutdown();
        }
    }
    Isolated::new(test_name!()).run(|| {
        for own_thread in [false, true] {
            let sleeper = thread::spawn(|| {
                let mut event_loop: EventLoop = EventLoop::new().unwrap();
                event_loop.signals_with(Signal::USR1.into(), 1u64).unwrap();
                event_loop.run(Stop).map(|_| ())
            });
            while disposition(Signal::USR1) == libc::SIG_DFL {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(50));
            if own_thread {
                // SAFETY: the thread has not been joined.
                unsafe { libc::pthread_kill(sleeper.as_pthread_t() as _, libc::SIGUSR1) };
            } else {
                raise(Signal::USR1);
            }
            sleeper.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_call_that_blocks_in_another_thread_goes_on_after_the_handler() {
    Isolated::new(test_name!()).run(|| {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        event_loop.signals_with(Signal::USR1.into(), 1u64).unwrap();
        let (mut reader, mut writer) = UnixStream::pair().unwrap();
        // `Read::read` does not hide an interruption, as `read_exact` would.
        let reader = thread::spawn(move || reader.read(&mut [0; 8]));
        let mut log = Log::default();
        for count in 1..=5 {
            thread::sleep(Duration::from_millis(5));
            // SAFETY: the thread has not been joined.
            unsafe { libc::pthread_kill(reader.as_pthread_t() as _, libc::SIGUSR1) };
            // One at a time: two that wait to be delivered are one.
            log.turn_until(&mut event_loop, |log| log.signals.len() == count);
        }
        writer.write_all(b"x").unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), 1);
    });
}

#[test]
fn children_and_threads_inherit_no_mask_and_no_disposition() {
    /// What is blocked, ignored and caught: signal `n` is bit `n - 1`.
    fn masks(status: &str) -> [u64; 3] {
        ["SigBlk:", "SigIgn:", "SigCgt:"].map(|name| {
            let mask = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(mask.trim(), 16).unwrap()
        })
    }
    fn of_child(forks: bool) -> [u64; 3] {
        let mut command = Command::new("cat");
        command.arg("/proc/self/status");
        if forks {
            // SAFETY: does nothing. That it is there makes std fork instead of spawn.
            unsafe { command.pre_exec(|| Ok(())) };
        }
        masks(&String::from_utf8(command.output().unwrap().stdout).unwrap())
    }
    /// What the thread blocks; dispositions are the process's.
    fn of_thread() -> u64 {
        let status = || fs::read_to_string("/proc/thread-self/status").unwrap();
        masks(&thread::spawn(status).join().unwrap())[0]
    }
    Isolated::new(test_name!()).run(|| {
        let mut set: SignalSet = (1..=31).filter_map(Signal::from_raw).collect();
        set = set.difference(SignalSet::REFUSED).without(Signal::PIPE);
        let bits = set.iter().fold(0, |bits, signal| bits | 1 << (signal.as_raw() - 1));
        for former in [libc::SIG_DFL, libc::SIG_IGN] {
            // Whatever this process has inherited, from a shell or nohup(1). Who ignores SIGCHLD cannot wait for
            // children.
            for signal in set.without(Signal::CHLD).iter() {
                // SAFETY: not a handler.
                unsafe { libc::signal(signal.as_raw(), former) };
            }
            let (spawned, forked, thread) = (of_child(false), of_child(true), of_thread());
            assert_eq!([spawned[2], forked[2]], [0; 2]);
            let mut event_loop: EventLoop = EventLoop::new().unwrap();
            event_loop.signals_with(set, 1u64).unwrap();
            assert_eq!((of_child(true), of_thread()), (forked, thread));
            // No handler outlives execve(2), so that what was ignored is at its default.
            let [blocked, ignored, _] = spawned;
            assert_eq!(of_child(false), [blocked, ignored & !bits, 0]);
        }
    });
}

#[test]
fn a_second_loop_is_refused_a_signal_and_has_others_of_its_own() {
    Isolated::new(test_name!()).run(|| {
        let mut one = EventLoop::new().unwrap();
        let mut two = EventLoop::new().unwrap();
        let kind = |result: io::Result<()>| result.unwrap_err().kind();
        one.signals_with([Signal::INT, Signal::HUP].into(), 1u64).unwrap();
        let result = two.signals_with([Signal::TERM, Signal::INT].into(), 2u64);
        assert_eq!(kind(result), io::ErrorKind::ResourceBusy);
        let result = one.signals_with([Signal::TERM, Signal::INT].into(), 2u64);
        assert_eq!(kind(result), io::ErrorKind::AlreadyExists);
        assert_eq!(disposition(Signal::TERM), libc::SIG_DFL);
        two.signals_with(Signal::TERM.into(), 2u64).unwrap();
        let (mut first, mut second) = (Log::default(), Log::default());
        raise(Signal::TERM);
        raise(Signal::INT);
        second.turn(&mut two);
        first.turn(&mut one);
        assert_eq!(first.signals(), [(1, Signal::INT)]);
        assert_eq!(second.signals(), [(2, Signal::TERM)]);
        drop(one);
        two.signals_with(Signal::INT.into(), 3u64).unwrap();
        raise(Signal::INT);
        second.turn(&mut two);
        assert_eq!(second.signals()[1..], [(3, Signal::INT)]);
    });
}

#[test]
fn a_loop_that_goes_leaves_the_dispositions_it_found() {
    extern "C" fn mine(_: i32) {}
    Isolated::new(test_name!()).run(|| {
        let handler = mine as extern "C" fn(i32) as usize;
        // SAFETY: `mine` does nothing.
        unsafe { libc::signal(libc::SIGUSR1, handler) };
        // SAFETY: not a handler.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
        // A shell has it ignored in what it starts in the background.
        // SAFETY: not a handler.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
        let signals = [Signal::USR1, Signal::HUP, Signal::INT, Signal::USR2];
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        event_loop.signals_with(signals.into(), 1u64).unwrap();
        // What somebody else has put there since is left there.
        // SAFETY: `mine` does nothing.
        unsafe { libc::signal(libc::SIGUSR2, handler) };
        drop(event_loop);
        let expected = [handler, libc::SIG_IGN, libc::SIG_DFL, handler];
        assert_eq!(signals.map(disposition), expected);
    });
}

#[test]
fn a_forked_child_has_the_dispositions_from_before_the_loop() {
    Isolated::new(test_name!()).run(|| {
        // SAFETY: not a handler.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        event_loop.signals_with([Signal::TERM, Signal::HUP].into(), 1u64).unwrap();
        // The second way, without the C library's hooks, is also what a signal meets that comes before
        // the hooks have run.
        for bare in [false, true] {
            // To the process: musl's raise(3) knows nothing of a bare clone(2).
            let status = forked(bare, || {
                signal_process(libc::SIGHUP);
                signal_process(libc::SIGTERM);
            });
            assert_eq!(status.signal(), Some(libc::SIGTERM), "bare: {bare}");
        }
        let mut log = Log::default();
        log.turn(&mut event_loop);
        assert!(log.signals.is_empty(), "the parent's loop hears nothing of its child's signals");
        raise(Signal::TERM);
        log.turn(&mut event_loop);
        assert_eq!(log.signals(), [(1, Signal::TERM)]);
    });
}

#[test]
fn a_forked_child_can_have_a_loop_of_its_own_for_the_same_signals() {
    Isolated::new(test_name!()).run(|| {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        event_loop.signals_with(Signal::TERM.into(), 1u64).unwrap();
        // More than a forked child of many threads may do by the book, but not with this C library.
        let status = forked(false, || {
            let mut mine = EventLoop::new().unwrap();
            mine.signals_with(Signal::TERM.into(), 2u64).unwrap();
            raise(Signal::TERM);
            let mut log = Log::default();
            // The parent's going does not take the child's signal away.
            drop(event_loop);
            raise(Signal::TERM);
            log.turn(&mut mine);
            drop(mine);
            let told = log.signals() == [(2, Signal::TERM); 2];
            // SAFETY: takes no pointer.
            unsafe { libc::_exit(if told { 7 } else { 8 }) };
        });
        assert_eq!(status.code(), Some(7));
    });
}
