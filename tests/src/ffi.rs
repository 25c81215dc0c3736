//! The harness's own calls into the kernel.
#![allow(unsafe_code)]

use std::{
    io,
    mem::{MaybeUninit, offset_of},
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
        unix::{ffi::OsStrExt, net::UnixStream},
    },
    path::Path,
    ptr,
};

use crate::trace;

/// Marks are closes of descriptors that cannot be: -1000 and below.
const MARK: i32 = -1000;

/// The room for a path in the address of a Unix socket.
const PATH_MAX: usize = 108;

/// Leaves a mark in the trace of this process; without a tracer, nothing.
pub fn mark(mark: u16) {
    // SAFETY: no descriptor is negative, so this closes nothing and fails with EBADF.
    unsafe { libc::close(MARK - i32::from(mark)) };
}

/// The mark that a close of this descriptor is, if any.
pub(crate) fn mark_of(descriptor: i32) -> Option<u16> {
    MARK.checked_sub(descriptor).and_then(|mark| u16::try_from(mark).ok())
}

/// Refuses this process, with `EMFILE`, every new descriptor of this number or above.
///
/// # Errors
/// `EPERM` where the limit was lowered before and this would raise it. See setrlimit(2).
pub fn limit_descriptors(limit: u64) -> io::Result<()> {
    let mut both = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `both` is writable and as large as the call takes it to be.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut both) })?;
    both.rlim_cur = limit as libc::rlim_t;
    // SAFETY: `both` is initialised and is only read.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const both) })
}

/// Gives `SIGPIPE` back the meaning that it has outside of Rust: death.
pub fn broken_pipes_kill() {
    // SAFETY: sets no handler.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// Whether a descriptor neither blocks nor survives an exec. See fcntl(2).
#[must_use]
pub fn is_nonblocking_and_cloexec(descriptor: impl AsFd) -> bool {
    let descriptor = descriptor.as_fd().as_raw_fd();
    // SAFETY: the descriptor is open, and this only asks.
    let status = unsafe { libc::fcntl(descriptor, libc::F_GETFL) };
    // SAFETY: as above.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
    status & libc::O_NONBLOCK != 0 && flags & libc::FD_CLOEXEC != 0
}

/// A Unix stream that is bound to a path with no zero at its end, for it fills all the room of an address, and then
/// connected to another one.
///
/// # Errors
/// See bind(2) and connect(2).
pub fn connect_from(path: &[u8; PATH_MAX], to: &Path) -> io::Result<UnixStream> {
    let address = |path: &[u8]| {
        let mut address = libc::sockaddr_un {
            sun_family: libc::AF_UNIX as libc::sa_family_t,
            sun_path: [0; PATH_MAX],
        };
        for (place, byte) in address.sun_path.iter_mut().zip(path) {
            *place = *byte as libc::c_char;
        }
        address
    };
    let (own, other) = (address(path), address(to.as_os_str().as_bytes()));
    let length = size_of::<libc::sockaddr_un>() as libc::socklen_t;
    // SAFETY: takes only integers.
    let socket = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    check(socket)?;
    // SAFETY: the kernel has just given us this descriptor, which nobody else knows.
    let stream = unsafe { UnixStream::from_raw_fd(socket) };
    // SAFETY: the address is as long as it is said to be, and only read.
    check(unsafe { libc::bind(socket, (&raw const own).cast(), length) })?;
    // SAFETY: as above.
    check(unsafe { libc::connect(socket, (&raw const other).cast(), length) })?;
    Ok(stream)
}

/// A file without a name that lives as long as its descriptors.
pub(crate) fn memory_file() -> io::Result<OwnedFd> {
    // SAFETY: the name is a C string and is only read.
    let descriptor = unsafe { libc::memfd_create(c"output".as_ptr(), libc::MFD_CLOEXEC) };
    check(descriptor)?;
    // SAFETY: the kernel has just given us this descriptor, which nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Has this process killed when the time is up. See alarm(2).
pub(crate) fn alarm(seconds: u32) {
    // SAFETY: takes and gives only integers.
    unsafe { libc::alarm(seconds) };
}

/// Makes these calls of this thread, and of the threads and processes it starts from now on, fail with
/// their errors. See seccomp(2).
pub(crate) fn refuse(calls: &[(libc::c_long, i32)]) -> io::Result<()> {
    if calls.is_empty() {
        return Ok(());
    }
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let number = offset_of!(libc::seccomp_data, nr) as u32;
    let mut filter = vec![step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, number)];
    for &(call, errno) in calls {
        filter.push(step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, call as u32));
        let failure = libc::SECCOMP_RET_ERRNO | errno as u32;
        filter.push(step(libc::BPF_RET | libc::BPF_K, 0, 0, failure));
    }
    let allow = step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW);
    if let Some(socketcall) = trace::SOCKETCALL {
        filter.push(step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, socketcall as u32));
        filter.push(allow);
        // The half of the argument that has its value.
        let half = if cfg!(target_endian = "big") { 4 } else { 0 };
        let which = offset_of!(libc::seccomp_data, args) as u32 + half;
        filter.push(step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, which));
        for &(call, errno) in calls {
            let Some(number) = trace::socket_call(call) else { continue };
            filter.push(step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, number));
            let failure = libc::SECCOMP_RET_ERRNO | errno as u32;
            filter.push(step(libc::BPF_RET | libc::BPF_K, 0, 0, failure));
        }
    }
    filter.push(allow);
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).expect("a few calls"),
        filter: filter.as_mut_ptr(),
    };
    let zero: libc::c_ulong = 0;
    let one: libc::c_ulong = 1;
    // SAFETY: takes only integers.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, one, zero, zero, zero) })?;
    let mode = libc::c_ulong::from(libc::SECCOMP_MODE_FILTER);
    // SAFETY: `program` names as many steps as `filter` has, and the kernel copies them.
    check(unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program, zero, zero) })
}

/// What happened to a traced thread.
pub(crate) enum Stop {
    /// It ended, with this exit code.
    Exited(i32),
    /// This signal killed it.
    #[expect(dead_code, reason = "for whoever prints it")]
    Killed(i32),
    /// It enters or leaves a system call.
    Call,
    /// It started a thread.
    Event,
    /// This signal is about to be delivered.
    Signal(i32),
}

/// Makes the thread that started this process its tracer, and stops.
pub(crate) fn trace_me() -> io::Result<()> {
    // SAFETY: this request ignores the other arguments.
    check(unsafe { libc::ptrace(libc::PTRACE_TRACEME) } as i32)?;
    crate::raise(libc::SIGSTOP);
    Ok(())
}

/// Waits until one of the threads that the current thread traces stops or ends.
pub(crate) fn wait_for_stop() -> io::Result<(u32, Stop)> {
    let mut status = 0;
    // Other threads of this process may be waiting for children of their own: those are theirs.
    let flags = libc::__WALL | libc::__WNOTHREAD;
    let thread = loop {
        // SAFETY: `status` is writable.
        let thread = unsafe { libc::waitpid(-1, &raw mut status, flags) };
        match check(thread) {
            Ok(()) => break thread,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    let stop = if libc::WIFEXITED(status) {
        Stop::Exited(libc::WEXITSTATUS(status))
    } else if libc::WIFSIGNALED(status) {
        Stop::Killed(libc::WTERMSIG(status))
    } else if status >> 16 != 0 {
        Stop::Event
    } else if libc::WSTOPSIG(status) == libc::SIGTRAP | 0x80 {
        Stop::Call
    } else {
        Stop::Signal(libc::WSTOPSIG(status))
    };
    Ok((thread.unsigned_abs(), stop))
}

/// Has the threads of a stopped process followed too, and all of it killed if its tracer ends.
pub(crate) fn follow_threads(thread: u32) -> io::Result<()> {
    let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACECLONE | libc::PTRACE_O_EXITKILL;
    ptrace(
        libc::PTRACE_SETOPTIONS as Request,
        thread,
        0,
        ptr::without_provenance_mut(options as usize),
    )?;
    Ok(())
}

/// Lets a stopped thread run to its next call's begin or end, with this signal delivered unless it is 0.
pub(crate) fn resume(thread: u32, signal: i32) -> io::Result<()> {
    match ptrace(
        libc::PTRACE_SYSCALL as Request,
        thread,
        0,
        ptr::without_provenance_mut(signal as usize),
    ) {
        // It was killed in the meantime; the next wait says so.
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        result => result.map(drop),
    }
}

/// The number and arguments of the call that a stopped thread enters; none if it leaves one.
pub(crate) fn call_entered(thread: u32) -> io::Result<Option<(libc::c_long, [u64; 6])>> {
    /// `struct ptrace_syscall_info`, its union as plain words: only that of an entry is of interest.
    #[repr(C)]
    struct Info {
        op: u8,
        _pad: [u8; 3],
        _arch: u32,
        _instruction_pointer: u64,
        _stack_pointer: u64,
        number: u64,
        arguments: [u64; 6],
    }
    const _: () = assert!(size_of::<Info>() == 80 && offset_of!(Info, number) == 24);
    const GET_SYSCALL_INFO: Request = 0x420e;
    const ENTRY: u8 = 1;

    let mut info = MaybeUninit::<Info>::zeroed();
    ptrace(GET_SYSCALL_INFO, thread, size_of::<Info>(), info.as_mut_ptr().cast())?;
    // SAFETY: every field is an integer, for which the zeroes were already good.
    let info = unsafe { info.assume_init() };
    Ok((info.op == ENTRY).then_some((info.number as libc::c_long, info.arguments)))
}

/// The C libraries' declarations differ in its sign.
type Request = libc::c_uint;

fn ptrace(
    request: Request,
    thread: u32,
    address: usize,
    data: *mut libc::c_void,
) -> io::Result<()> {
    let request = request as _;
    // SAFETY: the requests in this file take `data` as an integer, or write at most `address` bytes to it.
    let result = unsafe { libc::ptrace(request, thread as libc::pid_t, address, data) };
    check(if result < 0 { -1 } else { 0 })
}

fn check(result: i32) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
