//! What belongs to WebAssembly rather than to a way of waiting there: the Web's, and WASI's.
//!
//! WASI has descriptors, but few that a program can open by itself: the standard streams, and the sockets that the
//! host hands over, listeners and connections. They are `std`'s types, made from their numbers. No pipes, no signals, no
//! processes, and nothing to bind or to connect: what asks for those is `Unsupported`. On the Web there is nothing of
//! all that, which `std` knows.

pub(crate) mod child;
#[path = "../names.rs"]
pub(crate) mod names;
pub(crate) mod pipe;
pub(crate) mod signal;
pub(crate) mod socket;

crate::sys::if_descriptors! {
    mod ffi;

    /// No other program is executed that could inherit a descriptor.
    #[expect(clippy::unnecessary_wraps, reason = "the platforms' contract")]
    pub(crate) fn set_cloexec(_fd: &impl std::os::fd::AsFd) -> std::io::Result<()> {
        Ok(())
    }
}
