//! Ending a wait from another thread, by a packet.
#![allow(unsafe_code)]

use std::{io, os::windows::io::AsHandle, ptr, sync::Arc};

use super::{
    ffi::{self, Packet},
    port::{Kind, Port},
    selector::Selector,
};
use crate::sync::global::{AtomicBool, Ordering};

#[derive(Debug)]
pub(crate) struct Waker {
    port: Arc<Port>,
    alarm: Arc<Alarm>,
}

/// What a packet names. It lives until the packet is taken, even if its waker is gone by then.
#[derive(Debug)]
pub(super) struct Alarm {
    pub(super) token: u64,
    /// Whether a packet is under way: more wakes are the same one.
    posted: AtomicBool,
}

impl Waker {
    pub(crate) fn new(selector: &Selector, token: u64) -> io::Result<Waker> {
        let alarm = Alarm { token, posted: AtomicBool::new(false) };
        Ok(Waker { port: selector.port(), alarm: Arc::new(alarm) })
    }

    /// One system call, or none if an earlier wake has not been seen yet.
    #[inline]
    pub(crate) fn wake(&self) -> io::Result<()> {
        // AcqRel, here and where the packet is taken: who is merged with an earlier wake has published what
        // the loop is to find.
        if self.alarm.posted.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let value = Arc::into_raw(Arc::clone(&self.alarm));
        let posted = ffi::port_post(
            self.port.as_handle(),
            Kind::Alarm as usize,
            0,
            value.expose_provenance(),
        );
        if posted.is_err() {
            self.alarm.posted.store(false, Ordering::Release);
            // SAFETY: it came from `into_raw` above, and no packet has it.
            drop(unsafe { Arc::from_raw(value) });
        }
        posted
    }
}

impl Alarm {
    /// The alarm of a packet of [`Kind::Alarm`] that was just taken; further wakes need another.
    pub(super) fn taken(packet: &Packet) -> Arc<Alarm> {
        let value = ptr::with_exposed_provenance(packet.value());
        // SAFETY: packets of this kind are posted by `wake` alone, each with a count of its own, and a port
        // gives each packet out once.
        let alarm: Arc<Alarm> = unsafe { Arc::from_raw(value) };
        alarm.posted.swap(false, Ordering::AcqRel);
        alarm
    }
}
