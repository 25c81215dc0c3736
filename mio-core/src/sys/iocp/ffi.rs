//! Completion ports and AFD: one function, one system call, its error as it comes.
#![allow(unsafe_code)]

use std::{
    ffi::c_void,
    io,
    mem::MaybeUninit,
    os::windows::io::{
        AsRawHandle, AsRawSocket, BorrowedHandle, BorrowedSocket, FromRawHandle, OwnedHandle,
    },
    ptr,
};

use windows_sys::{
    Wdk::{
        Foundation::OBJECT_ATTRIBUTES,
        Storage::FileSystem::{FILE_OPEN, NtCancelIoFileEx, NtCreateFile},
        System::IO::NtDeviceIoControlFile,
    },
    Win32::{
        Foundation::{
            ERROR_INVALID_HANDLE, HANDLE, INVALID_HANDLE_VALUE, NTSTATUS, RtlNtStatusToDosError,
            STATUS_CANCELLED, STATUS_NOT_FOUND, UNICODE_STRING, WAIT_TIMEOUT,
        },
        Networking::WinSock::{
            SIO_BASE_HANDLE, SIO_BSP_HANDLE, SIO_BSP_HANDLE_POLL, SIO_BSP_HANDLE_SELECT,
            SOCKET_ERROR, WSAGetLastError, WSAIoctl,
        },
        Storage::FileSystem::{FILE_SHARE_READ, FILE_SHARE_WRITE, SYNCHRONIZE},
        System::IO::{
            CreateIoCompletionPort, GetQueuedCompletionStatusEx, IO_STATUS_BLOCK, OVERLAPPED_ENTRY,
            PostQueuedCompletionStatus,
        },
    },
};

use super::{afd::Conditions, slot::Landing};

/// What comes out of a completion port.
#[repr(transparent)]
pub(super) struct Packet(OVERLAPPED_ENTRY);

// SAFETY: its pointers are numbers that somebody put into the port; nobody goes through them.
unsafe impl Send for Packet {}
// SAFETY: as above.
unsafe impl Sync for Packet {}

impl Packet {
    /// What kind of packet it is.
    pub(super) fn key(&self) -> usize {
        self.0.lpCompletionKey
    }

    /// The number that is a count of bytes for others.
    pub(super) fn bytes(&self) -> u32 {
        self.0.dwNumberOfBytesTransferred
    }

    /// What it is about.
    pub(super) fn value(&self) -> usize {
        self.0.lpOverlapped.addr()
    }
}

pub(super) fn port_create() -> io::Result<OwnedHandle> {
    // SAFETY: takes no pointer.
    let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, ptr::null_mut(), 0, 0) };
    if port.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened it for us alone.
    Ok(unsafe { OwnedHandle::from_raw_handle(port) })
}

/// Puts a packet into the port.
#[inline]
pub(super) fn port_post(
    port: BorrowedHandle<'_>,
    key: usize,
    bytes: u32,
    value: usize,
) -> io::Result<()> {
    let value = ptr::without_provenance(value);
    // SAFETY: the port passes `value` on and never looks behind it.
    let posted = unsafe { PostQueuedCompletionStatus(port.as_raw_handle(), bytes, key, value) };
    if posted == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Room for what comes out of a port at a time, on the stack.
pub(super) struct Packets {
    places: [MaybeUninit<Packet>; Packets::COUNT_MAX],
    room: usize,
    count: usize,
}

impl Packets {
    const COUNT_MAX: usize = 64;

    pub(super) fn new() -> Packets {
        Packets { places: [const { MaybeUninit::uninit() }; Packets::COUNT_MAX], room: 0, count: 0 }
    }

    /// Replaces its contents by what comes within the time, `room` at most; `u32::MAX` milliseconds are for ever.
    #[inline]
    pub(super) fn take(
        &mut self,
        port: BorrowedHandle<'_>,
        room: usize,
        timeout_ms: u32,
    ) -> io::Result<()> {
        self.room = room.min(Packets::COUNT_MAX);
        self.count = 0;
        let places = self.places.as_mut_ptr().cast();
        let (port, room) = (port.as_raw_handle(), self.room as u32);
        let mut count = 0;
        // SAFETY: there are at least `room` places, of the type that is written; no APC is let in.
        let taken = unsafe {
            GetQueuedCompletionStatusEx(port, places, room, &raw mut count, timeout_ms, 0)
        };
        if taken != 0 {
            self.count = count as usize;
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() == Some(WAIT_TIMEOUT as i32) { Ok(()) } else { Err(error) }
    }

    /// How many it could have taken.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    pub(super) fn as_slice(&self) -> &[Packet] {
        // SAFETY: the kernel has written the first `count` places.
        unsafe { std::slice::from_raw_parts(self.places.as_ptr().cast(), self.count) }
    }
}

/// A handle to the driver behind all sockets, through which any of them can be polled.
pub(super) fn afd_open(port: BorrowedHandle<'_>, key: usize) -> io::Result<OwnedHandle> {
    let name: [u16; NAME.len()] = std::array::from_fn(|i| u16::from(NAME[i]));
    let bytes = size_of_val(&name) as u16;
    let name =
        UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: name.as_ptr().cast_mut() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: ptr::null_mut(),
        ObjectName: &raw const name,
        Attributes: 0,
        SecurityDescriptor: ptr::null(),
        SecurityQualityOfService: ptr::null(),
    };
    let mut handle = ptr::null_mut();
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: every pointer is to something that lives until the call returns, which opens it at once; the
    // name is only read.
    let outcome = unsafe {
        NtCreateFile(
            &raw mut handle,
            SYNCHRONIZE,
            &raw const attributes,
            &raw mut status,
            ptr::null(),
            0,
            FILE_SHARE_READ | FILE_SHARE_WRITE,
            FILE_OPEN,
            0,
            ptr::null(),
            0,
        )
    };
    check(outcome)?;
    // SAFETY: the kernel has just opened it for us alone.
    let afd = unsafe { OwnedHandle::from_raw_handle(handle) };
    // SAFETY: takes no pointer.
    let same = unsafe { CreateIoCompletionPort(handle, port.as_raw_handle(), key, 0) };
    if same.is_null() { Err(io::Error::last_os_error()) } else { Ok(afd) }
}

/// The last part is ours to choose; it is seen in tools that list handles.
const NAME: &[u8] = br"\Device\Afd\MioCore";

/// The memory of one poll, which the kernel owns while it is under way.
#[repr(C)]
pub(super) struct Operation {
    status: IO_STATUS_BLOCK,
    poll: PollInfo,
}

/// `AFD_POLL_INFO` for one socket.
#[repr(C)]
struct PollInfo {
    /// In units of 100 ns.
    timeout: i64,
    count: u32,
    exclusive: u32,
    /// `AFD_POLL_HANDLE_INFO`.
    handle: HANDLE,
    events: u32,
    status: NTSTATUS,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<PollInfo>() == 32 && size_of::<Operation>() == 48);
#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<PollInfo>() == 32 && size_of::<Operation>() == 40);
const _: () = assert!(std::mem::offset_of!(PollInfo, handle) == 16);

impl Operation {
    /// How it ended.
    ///
    /// # Safety
    ///
    /// `operation` was submitted, and its packet was taken out of the port.
    pub(super) unsafe fn landing(operation: *const Operation) -> Landing {
        // SAFETY: the caller's promise: the kernel has filled it in and given it back.
        let operation = unsafe { &*operation };
        // SAFETY: the kernel has written a status.
        let status = unsafe { operation.status.Anonymous.Status };
        match status {
            STATUS_CANCELLED => Landing::Cancelled,
            // An answer about no socket is one to a poll whose time is up, which ours never is.
            0.. if operation.poll.count > 0 => {
                Landing::Held(Conditions::from_bits_retain(operation.poll.events))
            }
            _ => Landing::Failed,
        }
    }
}

/// Polls a socket. Unless it fails there will be one packet with `value` in the port of `afd`, also if the
/// poll ends at once.
///
/// # Safety
///
/// Nothing else uses `operation`, and it stays where it is, until that packet is taken out.
pub(super) unsafe fn afd_poll(
    afd: BorrowedHandle<'_>,
    operation: *mut Operation,
    base: usize,
    conditions: Conditions,
    value: usize,
) -> io::Result<()> {
    const IOCTL_AFD_POLL: u32 = 0x0001_2024;
    let poll = PollInfo {
        timeout: i64::MAX,
        count: 1,
        exclusive: 0,
        handle: ptr::without_provenance_mut(base),
        events: conditions.bits(),
        status: 0,
    };
    // SAFETY: the caller's promise: the memory is ours as yet.
    unsafe { operation.write(Operation { status: IO_STATUS_BLOCK::default(), poll }) };
    // SAFETY: the caller's promise: the memory is there and ours as yet.
    let status = unsafe { &raw mut (*operation).status };
    // SAFETY: as above.
    let poll: *mut c_void = unsafe { &raw mut (*operation).poll }.cast();
    let size = size_of::<PollInfo>() as u32;
    // SAFETY: the caller's promise: both live, unused by others, until the kernel is done with them. The
    // context is a number that the kernel passes on.
    let outcome = unsafe {
        NtDeviceIoControlFile(
            afd.as_raw_handle(),
            ptr::null_mut(),
            None,
            ptr::without_provenance(value),
            status,
            IOCTL_AFD_POLL,
            poll,
            size,
            poll,
            size,
        )
    };
    check(outcome)
}

/// Asks for the end of a poll. Its packet comes in any case; `false` if it was on its way already.
///
/// # Safety
///
/// `operation` was submitted to `afd`, and its packet was not taken out yet.
pub(super) unsafe fn afd_cancel(
    afd: BorrowedHandle<'_>,
    operation: *mut Operation,
) -> io::Result<bool> {
    let mut outcome = IO_STATUS_BLOCK::default();
    // SAFETY: the caller's promise: the memory is still there.
    let status = unsafe { &raw const (*operation).status };
    // SAFETY: `status` is looked at as an address only; `outcome` is written before the call returns.
    match unsafe { NtCancelIoFileEx(afd.as_raw_handle(), status, &raw mut outcome) } {
        STATUS_NOT_FOUND => Ok(false),
        status => check(status).map(|()| true),
    }
}

/// The number of the socket that the kernel knows, under whatever layers other vendors have put on it.
///
/// Some of these layers answer `SIO_BASE_HANDLE` with themselves, or not at all. Then each of the other
/// questions may lead one layer down.
pub(super) fn base_socket(socket: BorrowedSocket<'_>) -> io::Result<usize> {
    const LAYERS_MAX: usize = 8;
    let mut at = socket.as_raw_socket() as usize;
    for _ in 0..LAYERS_MAX {
        let error = match ask_base(at, SIO_BASE_HANDLE) {
            Ok(base) => return Ok(base),
            Err(error) => error,
        };
        let below = [SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL, SIO_BSP_HANDLE]
            .into_iter()
            .filter_map(|question| ask_base(at, question).ok())
            .find(|&below| below != at);
        at = below.ok_or(error)?;
    }
    Err(io::ErrorKind::Unsupported.into())
}

fn ask_base(socket: usize, question: u32) -> io::Result<usize> {
    let mut base = 0_usize;
    let mut written = 0;
    // SAFETY: `base` has the bytes that may be written to it; without an OVERLAPPED the call is done when it
    // returns.
    let outcome = unsafe {
        WSAIoctl(
            socket,
            question,
            ptr::null(),
            0,
            (&raw mut base).cast(),
            size_of::<usize>() as u32,
            &raw mut written,
            ptr::null_mut(),
            None,
        )
    };
    if outcome == SOCKET_ERROR { Err(last_socket_error()) } else { Ok(base) }
}

pub(super) fn last_socket_error() -> io::Error {
    // SAFETY: takes no pointer.
    io::Error::from_raw_os_error(unsafe { WSAGetLastError() })
}

/// Whether a number turned out to be that of no socket, and no other handle of its kind either.
pub(super) fn is_no_handle(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_INVALID_HANDLE as i32)
}

/// What has begun, or is done, if only with a warning, is no failure: its packet comes.
pub(super) fn check(status: NTSTATUS) -> io::Result<()> {
    const ERROR: u32 = 0xC000_0000;
    if (status as u32) < ERROR {
        return Ok(());
    }
    // SAFETY: takes no pointer.
    let code = unsafe { RtlNtStatusToDosError(status) };
    Err(io::Error::from_raw_os_error(code as i32))
}
