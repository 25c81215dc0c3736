//! The few entries of libuv that the workloads need, looked up when the program runs.
//!
//! libuv-sys2 would generate its bindings with libclang, which few machines have; the symbols of
//! `libuv.so.1` are all that is needed here, since libuv says itself how large its handles are and
//! promises that `data` is their first field. Where there is no such library, the peer is left out
//! and the table says so.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::mem;
use std::sync::OnceLock;

/// A loop or a handle: what the caller may touch is its first field.
#[repr(C)]
#[derive(Debug)]
pub struct Handle {
    pub data: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Buf {
    pub base: *mut c_char,
    pub len: usize,
}

/// Handle types, for `handle_size`.
pub const POLL: c_int = 8;
pub const TCP: c_int = 12;
pub const TIMER: c_int = 13;

pub const RUN_DEFAULT: c_int = 0;
pub const RUN_ONCE: c_int = 1;
pub const RUN_NOWAIT: c_int = 2;
pub const READABLE: c_int = 1;

pub type PollCb = extern "C" fn(*mut Handle, c_int, c_int);
pub type TimerCb = extern "C" fn(*mut Handle);
pub type AllocCb = extern "C" fn(*mut Handle, usize, *mut Buf);
pub type ReadCb = extern "C" fn(*mut Handle, isize, *const Buf);

macro_rules! entries {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// libuv's entries by their names less `uv_`.
        #[derive(Debug)]
        pub struct Uv {
            $(pub $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Uv {
            fn load(library: *mut c_void) -> Option<Self> {
                Some(Self { $($name: {
                    let name = concat!("uv_", stringify!($name), "\0");
                    // SAFETY: the library was opened and never is closed; the name ends in a zero.
                    let entry = unsafe { libc::dlsym(library, name.as_ptr().cast()) };
                    if entry.is_null() {
                        return None;
                    }
                    // SAFETY: the signature is that of uv.h 1.x, whose ABI is stable.
                    unsafe {
                        mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>(entry)
                    }
                },)* })
            }
        }
    };
}

entries! {
    version_string: fn() -> *const c_char;
    loop_size: fn() -> usize;
    handle_size: fn(c_int) -> usize;
    loop_init: fn(*mut Handle) -> c_int;
    run: fn(*mut Handle, c_int) -> c_int;
    stop: fn(*mut Handle);
    poll_init: fn(*mut Handle, *mut Handle, c_int) -> c_int;
    poll_start: fn(*mut Handle, c_int, PollCb) -> c_int;
    tcp_init: fn(*mut Handle, *mut Handle) -> c_int;
    tcp_open: fn(*mut Handle, c_int) -> c_int;
    read_start: fn(*mut Handle, AllocCb, ReadCb) -> c_int;
    try_write: fn(*mut Handle, *const Buf, c_uint) -> c_int;
    timer_init: fn(*mut Handle, *mut Handle) -> c_int;
    timer_start: fn(*mut Handle, TimerCb, u64, u64) -> c_int;
    timer_stop: fn(*mut Handle) -> c_int;
}

/// libuv, if this machine has it.
pub fn load() -> Option<&'static Uv> {
    static UV: OnceLock<Option<Uv>> = OnceLock::new();
    UV.get_or_init(|| {
        // SAFETY: loading libuv runs no code that asks anything of us.
        let library = unsafe { libc::dlopen(c"libuv.so.1".as_ptr(), libc::RTLD_NOW) };
        if library.is_null() { None } else { Uv::load(library) }
    })
    .as_ref()
}

impl Uv {
    pub fn version(&self) -> String {
        // SAFETY: libuv returns a static string.
        let version = unsafe { CStr::from_ptr((self.version_string)()) };
        version.to_string_lossy().into_owned()
    }

    /// A new loop. It and its handles are never freed: a run is a process.
    pub fn new_loop(&self) -> *mut Handle {
        // SAFETY: the call has no conditions.
        let event_loop = zeroed(unsafe { (self.loop_size)() }).cast::<Handle>();
        // SAFETY: there is as much room as libuv asked for.
        check(unsafe { (self.loop_init)(event_loop) });
        event_loop
    }

    /// Room for `count` handles of a type, side by side: where they begin, and the distance.
    pub fn handles(&self, handle_type: c_int, count: usize) -> (*mut u8, usize) {
        // SAFETY: the call has no conditions.
        let size = unsafe { (self.handle_size)(handle_type) }.next_multiple_of(16);
        (zeroed(size * count), size)
    }
}

/// Panics if a call of libuv failed.
pub fn check(result: c_int) {
    assert!(result >= 0, "libuv: error {result}");
}

fn zeroed(bytes: usize) -> *mut u8 {
    Box::leak(vec![0u128; bytes.div_ceil(16)].into_boxed_slice()).as_mut_ptr().cast()
}
