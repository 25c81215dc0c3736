//! The completion port, which the selector shares with whoever wakes it.

use std::{
    io,
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle},
};

use super::{
    ffi::{self, Packet, Packets},
    waker::Alarm,
};

/// What kind of packet it is, and what its value then means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Kind {
    /// A poll has ended; which one.
    Poll = 1,
    /// Somebody wakes the selector; an [`Alarm`], of which the packet holds a count.
    Alarm,
    /// A child has ended; the low and, in the count of bytes, the high half of its token.
    Child,
}

impl Kind {
    pub(super) fn of(packet: &Packet) -> Option<Kind> {
        [Kind::Poll, Kind::Alarm, Kind::Child]
            .into_iter()
            .find(|&kind| kind as usize == packet.key())
    }
}

#[derive(Debug)]
pub(super) struct Port(OwnedHandle);

impl Port {
    pub(super) fn new() -> io::Result<Port> {
        Ok(Port(ffi::port_create()?))
    }
}

impl AsHandle for Port {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

/// Nobody can post any more. What was posted and never taken holds counts of alarms.
impl Drop for Port {
    fn drop(&mut self) {
        let mut packets = Packets::new();
        while packets.take(self.0.as_handle(), usize::MAX, 0).is_ok()
            && !packets.as_slice().is_empty()
        {
            for packet in packets.as_slice() {
                if Kind::of(packet) == Some(Kind::Alarm) {
                    drop(Alarm::taken(packet));
                }
            }
        }
    }
}
