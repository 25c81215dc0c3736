//! Sockets, as the table of slots knows them.

pub(in crate::sys) use std::os::windows::io::AsSocket as AsDescriptor;
use std::os::windows::io::{AsRawSocket, RawSocket};

/// No longer than a pointer.
pub(in crate::sys) fn number(socket: &impl AsDescriptor) -> u64 {
    let number: RawSocket = socket.as_socket().as_raw_socket();
    #[cfg(target_pointer_width = "32")]
    let number = u64::from(number);
    number
}
