//! The completion port, which the selector shares with whoever wakes it.

use std::{
    io,
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle},
};

use super::{
    ffi::{self, Packet, Packets},
    wait::Calls,
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
    /// A deadline is there: whoever waits for it looks at the clock.
    Timer,
}

impl Kind {
    pub(super) fn of(packet: &Packet) -> Option<Kind> {
        [Kind::Poll, Kind::Alarm, Kind::Child, Kind::Timer]
            .into_iter()
            .find(|&kind| kind as usize == packet.key())
    }
}

#[derive(Debug)]
pub(super) struct Port {
    handle: OwnedHandle,
    /// How other handles are waited for, where the system can.
    pub(super) waits: Option<Calls>,
}

impl Port {
    pub(super) fn new(waits: Option<Calls>) -> io::Result<Port> {
        Ok(Port { handle: ffi::port_create()?, waits })
    }
}

impl AsHandle for Port {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

/// Nobody can post any more. What was posted and never taken holds counts of alarms.
impl Drop for Port {
    fn drop(&mut self) {
        let mut packets = Packets::new();
        while packets.take(self.handle.as_handle(), usize::MAX, 0).is_ok()
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
