//! Wait completion packets and timers: one function, one system call.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, c_void},
    io,
    os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    ptr,
};

use windows_sys::{
    Win32::{
        Foundation::{FARPROC, GENERIC_ALL, HANDLE, NTSTATUS, STATUS_CANCELLED, STATUS_PENDING},
        Storage::FileSystem::SYNCHRONIZE,
        System::{
            LibraryLoader::{GetModuleHandleW, GetProcAddress},
            Threading::{
                CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, CREATE_WAITABLE_TIMER_MANUAL_RESET,
                CreateWaitableTimerExW, SetWaitableTimer, TIMER_MODIFY_STATE,
            },
        },
    },
    w,
};

use super::super::{ffi::check, port::Kind};

/// The calls of the system that make, tie and untie wait completion packets.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Calls {
    pub(super) create: Create,
    pub(super) tie: Tie,
    pub(super) untie: Untie,
}

/// `NtCreateWaitCompletionPacket`: where its handle goes, access, attributes.
pub(super) type Create = unsafe extern "system" fn(*mut HANDLE, u32, *const c_void) -> NTSTATUS;
/// `NtAssociateWaitCompletionPacket`: packet, port, object, then what comes out of the port: key, value, status and
/// bytes; last, where it is said whether the object is signalled already.
pub(super) type Tie = unsafe extern "system" fn(
    HANDLE,
    HANDLE,
    HANDLE,
    *const c_void,
    *const c_void,
    NTSTATUS,
    usize,
    *mut u8,
) -> NTSTATUS;
/// `NtCancelWaitCompletionPacket`: packet, whether to take it out of the port too.
pub(super) type Untie = unsafe extern "system" fn(HANDLE, u8) -> NTSTATUS;

impl Calls {
    /// `None`: this system has no such packets.
    pub(in super::super) fn find() -> Option<Calls> {
        let (create, tie, untie) = (
            find(c"NtCreateWaitCompletionPacket"),
            find(c"NtAssociateWaitCompletionPacket"),
            find(c"NtCancelWaitCompletionPacket"),
        );
        Some(Calls {
            // SAFETY: this is the function's type, by its documentation.
            create: unsafe { std::mem::transmute::<Call, Create>(create?) },
            // SAFETY: as above.
            tie: unsafe { std::mem::transmute::<Call, Tie>(tie?) },
            // SAFETY: as above.
            untie: unsafe { std::mem::transmute::<Call, Untie>(untie?) },
        })
    }
}

type Call = unsafe extern "system" fn() -> isize;

fn find(name: &CStr) -> FARPROC {
    // SAFETY: the name ends with a zero; this library is in every process, and stays.
    let library = unsafe { GetModuleHandleW(w!("ntdll.dll")) };
    // SAFETY: as above.
    unsafe { GetProcAddress(library, name.as_ptr().cast()) }
}

/// A wait completion packet.
#[derive(Debug)]
pub(in super::super) struct WaitPacket {
    handle: OwnedHandle,
    calls: Calls,
}

impl WaitPacket {
    pub(in super::super) fn new(calls: Calls) -> io::Result<WaitPacket> {
        let mut handle = ptr::null_mut();
        // SAFETY: `handle` lives until the call returns; no attributes.
        check(unsafe { (calls.create)(&raw mut handle, GENERIC_ALL, ptr::null()) })?;
        // SAFETY: the kernel has just opened it for us alone.
        Ok(WaitPacket { handle: unsafe { OwnedHandle::from_raw_handle(handle) }, calls })
    }

    /// Comes out of the port, once, with `token`, when the object is signalled. Answers whether it is
    /// already. It must not be tied.
    pub(in super::super) fn tie(
        &self,
        object: BorrowedHandle<'_>,
        port: BorrowedHandle<'_>,
        kind: Kind,
        token: u64,
    ) -> io::Result<bool> {
        let mut signalled = 0;
        // SAFETY: `signalled` lives until the call returns; key and value are numbers that the port passes on. The
        // kernel holds the objects themselves.
        check(unsafe {
            (self.calls.tie)(
                self.handle.as_raw_handle(),
                port.as_raw_handle(),
                object.as_raw_handle(),
                ptr::without_provenance(kind as usize),
                ptr::without_provenance(token as u32 as usize),
                0,
                (token >> 32) as usize,
                &raw mut signalled,
            )
        })?;
        Ok(signalled != 0)
    }

    /// It comes no more, also out of the port. Answers whether it can be tied again.
    pub(in super::super) fn cancel(&self) -> io::Result<bool> {
        // SAFETY: takes no pointer but a handle, which is open.
        match unsafe { (self.calls.untie)(self.handle.as_raw_handle(), 1) } {
            STATUS_PENDING => Ok(false),
            // It was taken out of the port, or never tied.
            STATUS_CANCELLED => Ok(true),
            status => check(status).map(|()| true),
        }
    }
}

impl Drop for WaitPacket {
    fn drop(&mut self) {
        // If it is on its way into the port, whoever takes it finds nobody.
        let _ = self.cancel();
    }
}

/// Of high resolution; it stays signalled until it is set again.
pub(super) fn timer_create() -> io::Result<OwnedHandle> {
    let flags = CREATE_WAITABLE_TIMER_HIGH_RESOLUTION | CREATE_WAITABLE_TIMER_MANUAL_RESET;
    let access = TIMER_MODIFY_STATE | SYNCHRONIZE;
    // SAFETY: neither attributes nor a name.
    let timer = unsafe { CreateWaitableTimerExW(ptr::null(), ptr::null(), flags, access) };
    if timer.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened it for us alone.
    Ok(unsafe { OwnedHandle::from_raw_handle(timer) })
}

/// Not signalled any more, until so many 100 ns have passed.
pub(super) fn timer_set(timer: BorrowedHandle<'_>, delay: i64) -> io::Result<()> {
    // What is negative counts from now.
    let due = -delay;
    // SAFETY: `due` lives until the call returns, which only reads it; nothing is to be called.
    let set =
        unsafe { SetWaitableTimer(timer.as_raw_handle(), &raw const due, 0, None, ptr::null(), 0) };
    if set == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
