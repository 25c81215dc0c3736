//! kqueue(2).
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    ptr,
    time::Duration,
};

use libc::{kevent, timespec};

use super::registry::{CHANGES_MAX, kevent as plain, kevent::Kevent, system::System};
use crate::sys::unix::ffi::check;

/// `struct kevent` as this kernel writes it.
#[derive(Clone, Copy, Debug)]
pub(in crate::sys) struct Raw(kevent);

// SAFETY: plain data. The pointer in it is a number that we gave to the kernel, and is never followed.
unsafe impl Send for Raw {}
// SAFETY: as above.
unsafe impl Sync for Raw {}

impl Raw {
    pub(super) fn plain(&self) -> Kevent {
        Kevent {
            ident: self.0.ident,
            filter: self.0.filter as _,
            flags: self.0.flags as _,
            fflags: self.0.fflags,
            udata: self.0.udata as usize,
        }
    }
}

/// A kqueue, without close-on-exec.
pub(super) fn kqueue() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = check(unsafe { libc::kqueue() })?;
    // SAFETY: the kernel has just opened this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Makes one change, whose error is the call's. May be called from a signal handler.
pub(super) fn change(queue: BorrowedFd<'_>, change: &Kevent) -> io::Result<()> {
    let change = raw(change);
    let (none, now) = (ptr::null_mut(), ptr::null());
    // SAFETY: `change` is there until the call returns; no room for events is offered.
    check(unsafe { kevent(queue.as_raw_fd(), &raw const change, 1, none, 0, now) })?;
    Ok(())
}

/// Makes the changes in one call. `receipts` gets the error number of each, or 0.
pub(super) fn change_all(
    queue: BorrowedFd<'_>,
    changes: &[Kevent],
    receipts: &mut [i32],
) -> io::Result<()> {
    let mut list = [raw(&Kevent::default()); CHANGES_MAX];
    // It panics if there are more than fit.
    let list = &mut list[..changes.len()];
    for (place, change) in list.iter_mut().zip(changes) {
        *place = raw(change);
        place.flags |= libc::EV_RECEIPT;
    }
    let count = list.len() as _;
    let place = list.as_mut_ptr();
    let now = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `place` has `count` changes, and as much room for receipts, which kqueue(2) lets be the same; both it
    // and `now` are there until the call returns.
    let made = unsafe { kevent(queue.as_raw_fd(), place, count, place, count, &raw const now) };
    match check(made) {
        Ok(made) => {
            // One for each change, in their order.
            for (told, receipt) in list[..made as usize].iter().zip(receipts) {
                *receipt = if told.flags & libc::EV_ERROR == 0 { 0 } else { told.data as i32 };
            }
            Ok(())
        }
        // All changes were made before the signal was noticed (kqueue(2), ERRORS).
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        Err(error) => Err(error),
    }
}

/// Replaces the contents of `events` by what is ready, as far as there is room.
#[inline]
pub(super) fn wait(
    queue: BorrowedFd<'_>,
    events: &mut Vec<Raw>,
    timeout: Option<Duration>,
) -> io::Result<()> {
    events.clear();
    let timeout = timeout.map(|timeout| timespec {
        tv_sec: timeout.as_secs() as _,
        tv_nsec: timeout.subsec_nanos() as _,
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let room = events.capacity().min(ROOM_MAX) as _;
    let buffer = events.as_mut_ptr().cast::<kevent>();
    // SAFETY: `events` owns `room` places from `buffer` on, into which the kernel writes; `timeout` is there until
    // the call returns.
    let ready = unsafe { kevent(queue.as_raw_fd(), ptr::null(), 0, buffer, room, timeout) };
    let ready = check(ready)? as usize;
    // SAFETY: the kernel has filled in so many places, which are not more than there are.
    unsafe { events.set_len(ready) };
    Ok(())
}

/// Takes an event of a kqueue that has but one, if it is there.
pub(super) fn has_event(queue: BorrowedFd<'_>) -> io::Result<bool> {
    let mut event = raw(&Kevent::default());
    let now = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `event` has room for one event, into which the kernel writes; both it and `now` are there until the
    // call returns.
    let ready =
        unsafe { kevent(queue.as_raw_fd(), ptr::null(), 0, &raw mut event, 1, &raw const now) };
    Ok(check(ready)? == 1)
}

/// May be called from a signal handler.
pub(super) fn write_byte(fd: BorrowedFd<'_>) -> io::Result<()> {
    let byte = 1_u8;
    // SAFETY: `byte` has the one byte that is read from it.
    check(unsafe { libc::write(fd.as_raw_fd(), (&raw const byte).cast(), 1) } as i32)?;
    Ok(())
}

/// Reads and forgets what waits, up to 512 bytes; may be called from a signal handler.
pub(super) fn read_some(fd: BorrowedFd<'_>) -> io::Result<()> {
    let mut sink = [0_u8; 512];
    // SAFETY: `sink` has the bytes that are written to it.
    let read = unsafe { libc::read(fd.as_raw_fd(), sink.as_mut_ptr().cast(), sink.len()) };
    check(read as i32)?;
    Ok(())
}

/// What kind of file it is (`S_IFMT`), and how it was opened (`O_ACCMODE`), which is asked only of a pipe.
pub(super) fn file(descriptor: BorrowedFd<'_>) -> io::Result<(libc::mode_t, i32)> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `stat` has room for what is written to it.
    check(unsafe { libc::fstat(descriptor.as_raw_fd(), stat.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded, so it has filled in `stat`.
    let kind = unsafe { stat.assume_init() }.st_mode & libc::S_IFMT;
    if kind != libc::S_IFIFO {
        return Ok((kind, libc::O_RDWR));
    }
    // SAFETY: takes no pointer.
    let flags = check(unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_GETFL) })?;
    Ok((kind, flags & libc::O_ACCMODE))
}

/// Has a kqueue report the exit of a process.
pub(super) fn watch_process(queue: BorrowedFd<'_>, pid: u32) -> io::Result<()> {
    let mut list = raw(&Kevent { ident: pid as usize, ..Kevent::default() });
    list.filter = libc::EVFILT_PROC;
    list.flags = libc::EV_ADD;
    list.fflags = libc::NOTE_EXIT;
    let (none, now) = (ptr::null_mut(), ptr::null());
    // SAFETY: `list` is there until the call returns; no room for events is offered.
    check(unsafe { kevent(queue.as_raw_fd(), &raw const list, 1, none, 0, now) })?;
    Ok(())
}

/// More is of no use, and the number has to fit the kernels' `int`.
const ROOM_MAX: usize = 1 << 20;

fn raw(event: &Kevent) -> kevent {
    // SAFETY: integers and a pointer, for which zero is a value. Some systems have fields more than others.
    let mut raw: kevent = unsafe { std::mem::zeroed() };
    raw.ident = event.ident;
    raw.filter = event.filter as _;
    raw.flags = event.flags as _;
    raw.fflags = event.fflags;
    raw.udata = ptr::without_provenance_mut(event.udata);
    raw
}

/// That the numbers of the table are those of the C headers.
pub(super) fn fits(system: &System) -> bool {
    system.read == libc::EVFILT_READ as _
        && system.write == libc::EVFILT_WRITE as _
        && system.user == libc::EVFILT_USER as _
}

const _: () = {
    assert!(plain::EV_ADD == libc::EV_ADD as _);
    assert!(plain::EV_DELETE == libc::EV_DELETE as _);
    assert!(plain::EV_ENABLE == libc::EV_ENABLE as _);
    assert!(plain::EV_DISABLE == libc::EV_DISABLE as _);
    assert!(plain::EV_ONESHOT == libc::EV_ONESHOT as _);
    assert!(plain::EV_CLEAR == libc::EV_CLEAR as _);
    assert!(plain::EV_DISPATCH == libc::EV_DISPATCH as _);
    assert!(plain::EV_ERROR == libc::EV_ERROR as _);
    assert!(plain::EV_EOF == libc::EV_EOF as _);
    assert!(plain::NOTE_TRIGGER == libc::NOTE_TRIGGER);
};
