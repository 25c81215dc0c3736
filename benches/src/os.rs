//! The few calls of the kernel that the workloads share.

use std::env;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

/// A descriptor by its number, for loops which want to own what they watch. It closes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Fd(pub RawFd);

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the workload keeps its descriptors open until every loop over them is gone.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

impl AsRawFd for Fd {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// Where a driver tells its runs what program to start.
pub const PROGRAM: &str = "BENCHES_PROGRAM";

/// This very program, even if its file is replaced during the minutes that everything takes.
pub fn running_program() -> PathBuf {
    format!("/proc/{}/exe", process::id()).into()
}

/// The program to start for the other half of a run.
pub fn program() -> PathBuf {
    // Not `/proc/self/exe`: under valgrind that is valgrind.
    let program = env::var_os(PROGRAM).map(PathBuf::from);
    program.unwrap_or_else(|| env::current_exe().expect("own path"))
}

/// Calls of the read and write families so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Io {
    /// By the calling thread.
    pub reads: u64,
    /// By the whole process.
    pub writes: u64,
}

/// What the kernel has counted; zeros where it keeps no such account.
pub fn io() -> Io {
    let [reads, writes] = ["/proc/thread-self/io", "/proc/self/io"].map(Path::new);
    Io { reads: field(reads, "syscr:"), writes: field(writes, "syscw:") }
}

/// How often the calling thread has slept.
pub fn sleeps() -> u64 {
    sleeps_of(Path::new("/proc/thread-self"))
}

/// How often a thread has, by its folder under `/proc`.
pub fn sleeps_of(task: &Path) -> u64 {
    field(&task.join("status"), "voluntary_ctxt_switches:")
}

/// A number that a file of the kernel's has under this name.
fn field(file: &Path, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

/// Waits until what was written to files is on the disk.
pub fn sync() {
    // SAFETY: the call has no conditions.
    unsafe { libc::sync() }
}

/// The calling thread's number, for `is_asleep`.
pub fn thread_id() -> i32 {
    // SAFETY: the call has no conditions.
    unsafe { libc::gettid() }
}

/// Whether a thread of this process waits in the kernel.
pub fn is_asleep(thread: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap_or_default();
    // The state comes after the name, which is in parentheses.
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('S'))
}

/// Processor time of the calling thread.
pub fn thread_cpu() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `time` is room for one timespec, which is all that the call writes.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) };
    assert_eq!(result, 0, "clock_gettime: {}", io::Error::last_os_error());
    // SAFETY: the call succeeded, so it has filled `time` in.
    let time = unsafe { time.assume_init() };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Binds the calling thread, and what it starts, to one processor; without effect where there is no
/// such processor.
pub fn pin(processor: usize) {
    if env::var_os("BENCHES_NO_PIN").is_some() {
        return;
    }
    // SAFETY: a cpu_set_t is a plain bit set, for which all zeros is a value.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `processor` is far below the 1,024 bits of the set.
    unsafe { libc::CPU_SET(processor, &mut set) };
    // SAFETY: the set lives across the call; a refusal is harmless.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) };
}

/// Ends this process after so many seconds, whatever it waits for.
pub fn give_up_after(seconds: u32) {
    // SAFETY: the call has no conditions; the signal's default is to end the process.
    unsafe { libc::alarm(seconds) };
}

/// Raises the soft limit of open files to the hard one.
pub fn raise_file_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is an rlimit that the call may fill in.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0 {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: `limit` is initialized and lives across the call.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    }
}

/// A non-blocking pipe: the end to read and the end to write.
pub fn pipe() -> (OwnedFd, OwnedFd) {
    let mut ends = [-1; 2];
    // SAFETY: the call writes two integers into the array.
    let result = unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_NONBLOCK | libc::O_CLOEXEC) };
    assert_eq!(result, 0, "pipe2: {}", io::Error::last_os_error());
    // SAFETY: the call succeeded: both are new descriptors that nobody else owns.
    unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) }
}

/// A non-blocking eventfd that counts from `value`.
pub fn eventfd(value: u32) -> OwnedFd {
    // SAFETY: the call takes no memory.
    let fd = unsafe { libc::eventfd(value, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
    assert!(fd >= 0, "eventfd: {}", io::Error::last_os_error());
    // SAFETY: a new descriptor that nobody else owns.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Has the kernel end the calling process when the thread that started it ends.
pub fn end_with_parent() {
    // SAFETY: this option takes a signal's number and no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Asks a process to end.
pub fn terminate(process: u32) {
    // SAFETY: the call takes no memory; that the process is gone already is harmless.
    unsafe { libc::kill(process as i32, libc::SIGTERM) };
}
