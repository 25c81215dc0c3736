//! What belongs to Windows rather than to its way of waiting.
//!
//! # Sockets
//!
//! Every socket is born non-inheritable, and made non-blocking in the call that follows; what a listener accepts
//! has its mode from the listener. Winsock is started by whoever comes first, `std` or this.
//!
//! There are no signals: console control events take their place, see [`signal`].

mod address;
pub(crate) mod child;
mod ffi;
#[path = "../names.rs"]
pub(crate) mod names;
pub(crate) mod pipe;
pub(crate) mod signal;
pub(crate) mod socket;

/// Whether a socket is as all of this crate's are, as far as Windows can be asked: not inheritable.
#[cfg(test)]
pub(crate) fn is_flagged(socket: &impl std::os::windows::io::AsSocket) -> bool {
    ffi::is_inherited(socket.as_socket()).is_ok_and(|inherited| !inherited)
}
