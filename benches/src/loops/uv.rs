//! libuv: `uv_poll_t` for pipes, `uv_tcp_t` with `uv_try_write` for echo.

use std::ffi::{c_int, c_void};
use std::os::fd::AsRawFd;

use crate::chain::Chain;
use crate::echo::Echo;
use crate::measure::{Cost, measure};
use crate::uv_sys::{self, Buf, Handle, Uv, check};

/// What a handle's `data` points to.
struct Source<T> {
    run: *mut Run<T>,
    index: usize,
}

struct Run<T> {
    uv: &'static Uv,
    event_loop: *mut Handle,
    work: *mut T,
    buffer: [u8; 65536],
}

impl<T> Run<T> {
    fn new(work: &mut T) -> *mut Self {
        let uv = uv_sys::load().expect("libuv.so.1");
        Box::leak(Box::new(Self { uv, event_loop: uv.new_loop(), work, buffer: [0; 65536] }))
    }
}

pub fn pipes(chain: &mut Chain) -> Cost {
    let fds = chain.readers().to_vec();
    let run = Run::new(chain);
    // SAFETY: just made, and only used from this thread.
    let (uv, event_loop) = unsafe { ((*run).uv, (*run).event_loop) };
    let (first, size) = uv.handles(uv_sys::POLL, fds.len());
    for (index, fd) in fds.into_iter().enumerate() {
        let data = Box::leak(Box::new(Source { run, index }));
        // SAFETY: the handle is one of the zeroed ones and lives for ever, as its data does.
        unsafe {
            let handle = first.add(index * size).cast::<Handle>();
            check((uv.poll_init)(event_loop, handle, fd));
            (*handle).data = std::ptr::from_mut(data).cast::<c_void>();
            check((uv.poll_start)(handle, uv_sys::READABLE, pipe_readable));
        }
    }
    measure(|| {
        // SAFETY: the loop is initialized; its callbacks use the chain, which outlives the call.
        unsafe {
            (*(*run).work).start();
            check((uv.run)(event_loop, uv_sys::RUN_DEFAULT));
        }
    })
}

extern "C" fn pipe_readable(handle: *mut Handle, _status: c_int, _events: c_int) {
    // SAFETY: libuv calls back with the handle that was given this data, during `pipes`, which
    // lends the chain to nobody else meanwhile.
    unsafe {
        let source = &*(*handle).data.cast::<Source<Chain>>();
        let run = &*source.run;
        if (*run.work).readable(source.index) {
            (run.uv.stop)(run.event_loop);
        }
    }
}

pub fn echo(echo: &mut Echo) -> Cost {
    let fds: Vec<_> = echo.connections.iter().map(|c| c.stream.as_raw_fd()).collect();
    let run = Run::new(echo);
    // SAFETY: just made, and only used from this thread.
    let (uv, event_loop) = unsafe { ((*run).uv, (*run).event_loop) };
    let (first, size) = uv.handles(uv_sys::TCP, fds.len());
    for (index, fd) in fds.into_iter().enumerate() {
        let data = Box::leak(Box::new(Source { run, index }));
        // SAFETY: the handle is one of the zeroed ones and lives for ever, as its data does.
        unsafe {
            let handle = first.add(index * size).cast::<Handle>();
            check((uv.tcp_init)(event_loop, handle));
            check((uv.tcp_open)(handle, fd));
            (*handle).data = std::ptr::from_mut(data).cast::<c_void>();
            check((uv.read_start)(handle, lend_buffer, stream_read));
        }
    }
    // SAFETY: the loop is initialized; its callbacks use the echo, which outlives the call.
    measure(|| check(unsafe { (uv.run)(event_loop, uv_sys::RUN_DEFAULT) }))
}

extern "C" fn lend_buffer(handle: *mut Handle, _suggested: usize, buf: *mut Buf) {
    // SAFETY: as in `pipe_readable`; the buffer is used by one read at a time.
    unsafe {
        let source = &*(*handle).data.cast::<Source<Echo>>();
        let buffer = &raw mut (*source.run).buffer;
        *buf = Buf { base: buffer.cast(), len: 65536 };
    }
}

extern "C" fn stream_read(handle: *mut Handle, read: isize, buf: *const Buf) {
    if read == 0 {
        return; // Nothing there, in libuv's words.
    }
    assert!(read > 0, "closed before the last message: {read}");
    // SAFETY: as in `pipe_readable`; libuv filled in the first `read` bytes.
    unsafe {
        let source = &*(*handle).data.cast::<Source<Echo>>();
        let run = &*source.run;
        let back = Buf { base: (*buf).base, len: read as usize };
        let written = (run.uv.try_write)(handle, &back, 1);
        assert_eq!(written as isize, read, "64 bytes always fit");
        if (*run.work).count(read as usize) {
            (run.uv.stop)(run.event_loop);
        }
    }
}
