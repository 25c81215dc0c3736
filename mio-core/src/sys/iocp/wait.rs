//! Waiting for a handle without a thread: its end is a packet in the port.
//!
//! A port waits for its own packets only. Since Windows 8 a "wait completion packet" can be tied to another object, a
//! process or a timer: when that is signalled, the packet is put into the port, once; then it has to be tied anew. The
//! calls are documented, but are in no library to link with, so that they are looked up. A timer of high resolution,
//! which is there since Windows 10 (1803), ends waits between two ticks of the system, at one of which the port's own
//! timeout ends.
//!
//! Wine 10.0 has none of it: the tests put a stand-in for the three calls in place, so that what is above them is run.
//! The calls themselves were not.

mod ffi;
#[cfg(test)]
mod stand_in;

use std::{
    io,
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle},
    time::Duration,
};

pub(super) use ffi::{Calls, WaitPacket};
#[cfg(test)]
pub(super) use stand_in::{STAND_IN, tied_by_this_thread};

use super::port::Kind;

/// What ends a wait on time. One thread has it at a time.
#[derive(Debug)]
pub(super) struct Timer {
    packet: WaitPacket,
    timer: OwnedHandle,
}

impl Timer {
    /// `None`: there is nothing of the kind here.
    pub(super) fn new(calls: Option<Calls>) -> Option<Timer> {
        Some(Timer { packet: WaitPacket::new(calls?).ok()?, timer: ffi::timer_create().ok()? })
    }

    /// Puts a packet of [`Kind::Timer`] into the port after `delay`, if nothing goes wrong. What was set before is
    /// forgotten. Answers whether the delay is over already.
    pub(super) fn set(&self, port: BorrowedHandle<'_>, delay: Duration) -> io::Result<bool> {
        // If it is on its way into the port just now, it cannot be used for another.
        if !self.packet.cancel()? {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        ffi::timer_set(self.timer.as_handle(), hundreds_of_nanoseconds(delay))?;
        self.packet.tie(self.timer.as_handle(), port, Kind::Timer, 0)
    }
}

/// Rounded up: the wait must not be shorter.
fn hundreds_of_nanoseconds(delay: Duration) -> i64 {
    i64::try_from(delay.as_nanos().div_ceil(100)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_rounded_up() {
        for (nanoseconds, expected) in [(0, 0), (1, 1), (100, 1), (101, 2), (1_000_000, 10_000)] {
            assert_eq!(hundreds_of_nanoseconds(Duration::from_nanos(nanoseconds)), expected);
        }
        assert_eq!(hundreds_of_nanoseconds(Duration::MAX), i64::MAX);
    }
}
