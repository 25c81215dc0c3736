//! What the three calls do by their documentation, by means of the thread pool. It differs in one thing: a packet that
//! is in the port is not taken out of it.
#![allow(unsafe_code)]

use std::{
    cell::Cell,
    collections::HashMap,
    ffi::c_void,
    ptr,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use windows_sys::Win32::{
    Foundation::{
        HANDLE, INVALID_HANDLE_VALUE, NTSTATUS, STATUS_CANCELLED, STATUS_INVALID_PARAMETER,
        STATUS_SUCCESS, WAIT_OBJECT_0,
    },
    System::{
        IO::PostQueuedCompletionStatus,
        Threading::{
            CreateEventW, INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx,
            WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE, WaitForSingleObject,
        },
    },
};

use super::ffi::Calls;
use crate::sync::global::{AtomicBool, Ordering};

pub(in super::super) const STAND_IN: Calls = Calls { create, tie, untie };

thread_local! {
    static TIED: Cell<usize> = const { Cell::new(0) };
}

/// How often this thread has tied anything.
pub(in super::super) fn tied_by_this_thread() -> usize {
    TIED.get()
}

/// What a packet is tied to.
struct Tied {
    /// Of the thread pool; none if the object was signalled already.
    wait: Option<usize>,
    delivery: Box<Delivery>,
}

struct Delivery {
    port: usize,
    key: usize,
    value: usize,
    bytes: u32,
    done: AtomicBool,
}

impl Delivery {
    fn deliver(&self) {
        let (port, value) = (self.port as HANDLE, self.value as *const _);
        // SAFETY: who tied the packet unties it before the port is closed; the value is passed on.
        unsafe { PostQueuedCompletionStatus(port, self.bytes, self.key, value) };
        self.done.store(true, Ordering::SeqCst);
    }
}

fn all() -> MutexGuard<'static, HashMap<usize, Tied>> {
    static ALL: LazyLock<Mutex<HashMap<usize, Tied>>> = LazyLock::new(Mutex::default);
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "system" fn create(
    packet: *mut HANDLE,
    _access: u32,
    _attributes: *const c_void,
) -> NTSTATUS {
    // SAFETY: takes no pointer. Any handle will do that can be closed.
    let event = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
    // SAFETY: the caller's.
    unsafe { *packet = event };
    if event.is_null() { STATUS_INVALID_PARAMETER } else { STATUS_SUCCESS }
}

unsafe extern "system" fn tie(
    packet: HANDLE,
    port: HANDLE,
    object: HANDLE,
    key: *const c_void,
    value: *const c_void,
    _status: NTSTATUS,
    bytes: usize,
    signalled: *mut u8,
) -> NTSTATUS {
    let mut all = all();
    if all.get(&packet.addr()).is_some_and(|tied| !tied.delivery.done.load(Ordering::SeqCst)) {
        return STATUS_INVALID_PARAMETER;
    }
    let (port, key, value, bytes) = (port as usize, key.addr(), value.addr(), bytes as u32);
    let delivery = Box::new(Delivery { port, key, value, bytes, done: AtomicBool::new(false) });
    // SAFETY: takes no pointer but a handle, which is open.
    let already = unsafe { WaitForSingleObject(object, 0) } == WAIT_OBJECT_0;
    // SAFETY: the caller's.
    unsafe { *signalled = u8::from(already) };
    let mut wait = ptr::null_mut();
    if already {
        delivery.deliver();
    } else {
        // SAFETY: `wait` lives until the call returns, and `delivery` until the wait is over.
        let begun = unsafe {
            RegisterWaitForSingleObject(
                &raw mut wait,
                object,
                Some(over),
                (&raw const *delivery).cast(),
                INFINITE,
                WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD,
            )
        };
        assert!(begun != 0, "there is memory");
    }
    TIED.set(TIED.get() + 1);
    let wait = (!already).then(|| wait.expose_provenance());
    let before = all.insert(packet.addr(), Tied { wait, delivery });
    drop(all);
    drop(before);
    STATUS_SUCCESS
}

unsafe extern "system" fn untie(packet: HANDLE, _remove: u8) -> NTSTATUS {
    let tied = all().remove(&packet.addr());
    let Some(mut tied) = tied else { return STATUS_CANCELLED };
    tied.end();
    if tied.delivery.done.load(Ordering::SeqCst) { STATUS_CANCELLED } else { STATUS_SUCCESS }
}

impl Tied {
    fn end(&mut self) {
        if let Some(wait) = self.wait.take() {
            let wait = ptr::with_exposed_provenance_mut(wait);
            // SAFETY: the wait was begun, and is ended here only; `over` is not running when this comes back.
            unsafe { UnregisterWaitEx(wait, INVALID_HANDLE_VALUE) };
        }
    }
}

impl Drop for Tied {
    fn drop(&mut self) {
        self.end();
    }
}

unsafe extern "system" fn over(delivery: *mut c_void, _timed_out: bool) {
    // SAFETY: it is there until the wait is over, and nobody changes it.
    unsafe { &*delivery.cast::<Delivery>() }.deliver();
}
