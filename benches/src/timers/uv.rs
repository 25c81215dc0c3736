//! libuv's timers: a pointer heap, milliseconds.

use std::ffi::c_void;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use super::{Fired, Timers};
use crate::os;
use crate::uv_sys::{self, Handle, Uv, check};

pub struct Loop {
    uv: &'static Uv,
    event_loop: *mut Handle,
    first: *mut u8,
    size: usize,
    initialized: usize,
    run: *mut Run,
    _ready: OwnedFd,
}

struct Run {
    uv: &'static Uv,
    event_loop: *mut Handle,
    fired: *mut Fired,
}

/// What a handle's `data` points to.
struct Source {
    run: *mut Run,
    slot: usize,
}

impl Timers for Loop {
    type Handle = *mut Handle;

    fn new(capacity: usize) -> Self {
        let uv = uv_sys::load().expect("libuv.so.1");
        let event_loop = uv.new_loop();
        let (first, size) = uv.handles(uv_sys::TIMER, capacity);
        let run = Box::leak(Box::new(Run { uv, event_loop, fired: std::ptr::null_mut() }));
        let ready = os::eventfd(1);
        let (poll, _) = uv.handles(uv_sys::POLL, 1);
        // SAFETY: the handle is zeroed and lives for ever.
        unsafe {
            check((uv.poll_init)(event_loop, poll.cast(), ready.as_raw_fd()));
            check((uv.poll_start)(poll.cast(), uv_sys::READABLE, ignore));
        }
        Self { uv, event_loop, first, size, initialized: 0, run, _ready: ready }
    }

    fn insert(&mut self, slot: usize, delay: Duration) {
        let handle = self.handle(slot);
        if slot == self.initialized {
            self.initialized += 1;
            let data = Box::leak(Box::new(Source { run: self.run, slot }));
            // SAFETY: the handle is zeroed and lives for ever, as its data does.
            unsafe {
                check((self.uv.timer_init)(self.event_loop, handle));
                (*handle).data = std::ptr::from_mut(data).cast::<c_void>();
            }
        }
        // SAFETY: the handle is initialized.
        check(unsafe { (self.uv.timer_start)(handle, on_timer, delay.as_millis() as u64, 0) });
    }

    fn cancel(&mut self, slot: usize) {
        // SAFETY: the handle is initialized.
        check(unsafe { (self.uv.timer_stop)(self.handle(slot)) });
    }

    #[inline(always)]
    fn handle(&self, slot: usize) -> *mut Handle {
        // SAFETY: there is a handle for every slot of the capacity.
        unsafe { self.first.add(slot * self.size).cast() }
    }

    fn push_back(&mut self, handle: *mut Handle, delay: Duration) {
        // SAFETY: the handle is initialized; starting it again stops it first.
        check(unsafe { (self.uv.timer_start)(handle, on_timer, delay.as_millis() as u64, 0) });
    }

    fn turn(&mut self) {
        // SAFETY: the loop is initialized.
        check(unsafe { (self.uv.run)(self.event_loop, uv_sys::RUN_ONCE) });
    }

    fn fire(&mut self, fired: &mut Fired) {
        // SAFETY: `run` lives for ever and only this thread uses it; `fired` outlives the call of
        // the loop, after which no timer is due.
        unsafe {
            (*self.run).fired = fired;
            check((self.uv.run)(self.event_loop, uv_sys::RUN_NOWAIT));
        }
        assert!(fired.is_over());
    }
}

extern "C" fn ignore(_handle: *mut Handle, _status: i32, _events: i32) {}

extern "C" fn on_timer(handle: *mut Handle) {
    // SAFETY: only `fire` lets timers come due, and it has lent its `fired`.
    unsafe {
        let source = &*(*handle).data.cast::<Source>();
        let run = &*source.run;
        if (*run.fired).on(source.slot) {
            (run.uv.stop)(run.event_loop);
        }
    }
}
