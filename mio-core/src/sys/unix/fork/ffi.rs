//! pthread_atfork(3).
#![allow(unsafe_code)]

pub(super) fn at_child(hook: extern "C" fn()) -> Result<(), i32> {
    // SAFETY: `hook` is a function of this library, so it is there as long as the process is; the C
    // library takes it off its list if it unloads the library.
    match unsafe { libc::pthread_atfork(None, None, Some(hook)) } {
        0 => Ok(()),
        errno => Err(errno),
    }
}
