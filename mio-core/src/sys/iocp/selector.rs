//! Registration and waiting.

use std::{
    fmt, io,
    os::windows::io::{AsHandle, BorrowedSocket},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    descriptor::number,
    edges::slots::{Member, Slots},
    events::Events,
    ffi::{self, Packet, Packets},
    limit::Limit,
    port::{Kind, Port},
    slot::Slot,
    table::Table,
    wait::{Calls, Timer},
    waker::Alarm,
};
use crate::{
    event::Event,
    interest::{Interest, Readiness, Trigger},
};

#[derive(Debug)]
pub(crate) struct Selector {
    shared: Arc<Shared>,
    /// Dropped first, since it drops what refers to `shared`; then nobody else does.
    member: Member,
}

/// What the table of sockets has of a selector. Its lock is taken before ours.
struct Shared {
    /// Dropped first: it puts packets into the port.
    timer: Option<Mutex<Timer>>,
    port: Arc<Port>,
    table: Mutex<Table>,
}

impl Selector {
    pub(crate) fn with_capacity(sources: usize) -> io::Result<Selector> {
        Selector::with_waits(sources, Calls::find())
    }

    fn with_waits(sources: usize, waits: Option<Calls>) -> io::Result<Selector> {
        let port = Arc::new(Port::new(waits)?);
        let timer = Timer::new(waits).map(Mutex::new);
        let table = Mutex::new(Table::with_capacity(Arc::clone(&port), sources)?);
        let shared = Arc::new(Shared { timer, port, table });
        let member = Member::join(Arc::clone(&shared) as Arc<dyn Slots>, sources)?;
        Ok(Selector { shared, member })
    }

    pub(crate) fn register(
        &self,
        source: BorrowedSocket<'_>,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        let interest = not_empty(interest)?;
        let number = number(&source);
        let base = ffi::base_socket(source)?;
        let slot = Slot::new(number as usize, base, token, interest, trigger);
        // What another socket of this number left behind, which was closed without a word.
        let vacate = |slot| {
            let mut table = self.shared.table();
            let closed = table.is_closed(slot);
            if closed {
                table.vacate(slot);
            }
            closed
        };
        self.member.enter(number, vacate, || self.shared.table().open(slot))
    }

    #[expect(clippy::unused_self, reason = "the backends' contract")]
    pub(crate) fn register_exclusive(
        &self,
        _source: BorrowedSocket<'_>,
        _token: u64,
        _interest: Interest,
        _trigger: Trigger,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn reregister(
        &self,
        source: BorrowedSocket<'_>,
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        let interest = not_empty(interest)?;
        let change = |slot| self.shared.table().change(slot, token, interest, trigger);
        self.member.with(number(&source), change)
    }

    pub(crate) fn deregister(&self, source: BorrowedSocket<'_>) -> io::Result<()> {
        let vacate = |slot| Ok(self.shared.table().vacate(slot));
        let was_live = self.member.remove(number(&source), vacate)?;
        if was_live { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    pub(crate) fn would_block(
        &self,
        source: BorrowedSocket<'_>,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.member.with(number(&source), |slot| {
            self.shared.table().would_block(slot, Some(token), interest);
            Ok(())
        })
    }

    pub(crate) fn select(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        let limit = Limit::new(timeout);
        let mut packets = Packets::new();
        // A socket that was closed without a word has left a packet, which is to be seen before its number is polled.
        let mut queued = self.shared.table().queued();
        while queued > 0 && self.take(events, &mut packets, 0, None)? {}
        while events.len() < events.capacity() {
            let idle = events.len() == 0;
            let arm = if idle { usize::MAX } else { queued };
            let more = self.take(events, &mut packets, arm, idle.then_some(&limit))?;
            // What was taken may have led to nothing, or the kernel's clock runs ahead of ours.
            let over = packets.as_slice().is_empty() && limit.left() == Some(Duration::ZERO);
            if !more && (events.len() > 0 || over) {
                break;
            }
            // What is always ready would fill all the room by itself.
            queued = 0;
        }
        // Another thread that waits does not come by to arm what this one leaves.
        let mut table = self.shared.table();
        if table.waiting > 0 {
            table.arm(usize::MAX);
        }
        Ok(())
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the backends' contract")]
    #[inline]
    pub(crate) fn check_process(&self) -> io::Result<()> {
        Ok(())
    }

    /// Arms the first `arm` of what is to be armed, takes packets out of the port, waiting for them if there is a
    /// limit, and adds the events that come of them. Answers whether there may be more at once, and room for them.
    fn take(
        &self,
        events: &mut Events,
        packets: &mut Packets,
        arm: usize,
        limit: Option<&Limit>,
    ) -> io::Result<bool> {
        let room = events.capacity() - events.len();
        let mut table = self.shared.table();
        let armed = table.arm(arm);
        // Under the same lock: from here on others arm by themselves.
        table.waiting += 1;
        drop(table);
        let left = limit.map_or(Some(Duration::ZERO), Limit::left);
        let patience_ms = left.map_or(u32::MAX, milliseconds);
        let patience_ms = patience_ms.min(if armed { u32::MAX } else { RETRY_MS });
        let taken = match (&self.shared.timer, left) {
            (Some(timer), Some(delay)) if patience_ms > 0 && delay < NEAR => {
                self.take_on_time(packets, room, patience_ms, timer, delay)
            }
            _ => packets.take(self.shared.port.as_handle(), room, patience_ms),
        };
        let mut table = self.shared.table();
        table.waiting -= 1;
        taken?;
        for packet in packets.as_slice() {
            translate_end(&mut table, packet);
        }
        for packet in packets.as_slice() {
            if let Some(event) = translate(&mut table, packet) {
                events.push(event);
            }
        }
        let closed = table.has_closed();
        drop(table);
        if closed {
            self.forget_all_closed();
        }
        let full = events.len() == events.capacity();
        Ok(!full && packets.as_slice().len() == packets.room())
    }

    /// Takes packets, and waits for them until the timer puts its own into the port; for `patience_ms` if it does not, or
    /// another thread takes that packet. The timer is only set if there is nothing in the port.
    fn take_on_time(
        &self,
        packets: &mut Packets,
        room: usize,
        patience_ms: u32,
        timer: &Mutex<Timer>,
        delay: Duration,
    ) -> io::Result<()> {
        let port = self.shared.port.as_handle();
        packets.take(port, room, 0)?;
        if !packets.as_slice().is_empty() {
            return Ok(());
        }
        // Whoever comes while another thread has it waits as if there were none.
        let timer = timer.try_lock();
        let over = timer.as_ref().is_ok_and(|timer| timer.set(port, delay).unwrap_or(false));
        packets.take(port, room, if over { 0 } else { patience_ms })
    }

    /// Takes those out of the table of which the kernel has said that they are closed.
    #[cold]
    fn forget_all_closed(&self) {
        loop {
            let Some((number, closed)) = self.shared.table().next_closed() else { return };
            // Between the two locks it may have been taken out, and the number and the slot given to others.
            let _ = self.member.remove(number as u64, |slot| {
                let mut table = self.shared.table();
                if slot != closed || !table.is_leftover(slot) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                table.vacate(slot);
                Ok(())
            });
        }
    }

    pub(super) fn port(&self) -> Arc<Port> {
        Arc::clone(&self.shared.port)
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        // No panic in there leaves it between two states.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots for Shared {
    fn arm(&self, slot: usize, interest: Interest) {
        self.table().would_block(slot, None, interest);
    }

    fn vacate(&self, slot: usize) {
        self.table().vacate(slot);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("port", &self.port).finish_non_exhaustive()
    }
}

/// After so long polls are tried again for which the kernel had no memory.
const RETRY_MS: u32 = 10;

/// From a second on the system's tick is less than 2 % of the wait.
const NEAR: Duration = Duration::from_secs(1);

/// Rounded up, and 49 days at most, which is less than for ever.
fn milliseconds(duration: Duration) -> u32 {
    let milliseconds = duration.as_nanos().div_ceil(1_000_000);
    u32::try_from(milliseconds).unwrap_or(u32::MAX).min(u32::MAX - 1)
}

fn not_empty(interest: Interest) -> io::Result<Interest> {
    if interest.is_empty() { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(interest) }
}

/// First of all, so that nothing is reported of a socket that is closed.
fn translate_end(table: &mut Table, packet: &Packet) {
    if Kind::of(packet) == Some(Kind::Poll) && Table::is_guard(packet.value()) {
        table.land(packet.value());
    }
}

fn translate(table: &mut Table, packet: &Packet) -> Option<Event> {
    let token = match Kind::of(packet)? {
        Kind::Poll if Table::is_guard(packet.value()) => return None,
        Kind::Poll => return table.land(packet.value()),
        Kind::Alarm => Alarm::taken(packet).token,
        Kind::Timer => return None,
        Kind::Child => u64::from(packet.bytes()) << 32 | packet.value() as u64,
    };
    Some(Event { token, readiness: Readiness::READABLE })
}

#[cfg(test)]
mod tests;
