//! Registration and waiting.

use std::{
    fmt, io,
    os::windows::io::{AsHandle, BorrowedSocket},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    descriptor::number,
    edges::slots::{Member, Slots},
    events::Events,
    ffi::{self, Packet, Packets},
    port::{Kind, Port},
    slot::Slot,
    table::Table,
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
    port: Arc<Port>,
    table: Mutex<Table>,
}

impl Selector {
    pub(crate) fn with_capacity(sources: usize) -> io::Result<Selector> {
        let port = Arc::new(Port::new()?);
        let table = Mutex::new(Table::with_capacity(Arc::clone(&port), sources)?);
        let shared = Arc::new(Shared { port, table });
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
        let enter = || self.member.enter(number, || self.shared.table().open(slot));
        match enter() {
            // Unless the socket that was registered is closed, and this one has its number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.forget_closed(number).map_err(|_| error)?;
                enter()
            }
            result => result,
        }
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
        loop {
            self.wait(events, &mut packets, &limit)?;
            let taken = packets.as_slice().len();
            let done = if events.len() == 0 {
                // What was taken led to nothing, or the kernel's clock runs ahead of ours.
                taken == 0 && limit.is_over()
            } else {
                taken < packets.room() || events.len() == events.capacity()
            };
            if done {
                return Ok(());
            }
        }
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the backends' contract")]
    #[inline]
    pub(crate) fn check_process(&self) -> io::Result<()> {
        Ok(())
    }

    /// Waits once, not at all if there are events already, and adds those that come of it.
    fn wait(&self, events: &mut Events, packets: &mut Packets, limit: &Limit) -> io::Result<()> {
        let room = events.capacity() - events.len();
        let mut patience_ms = 0;
        let mut table = self.shared.table();
        if events.len() == 0 {
            patience_ms = limit.left_ms();
            // Not after the first round: what is always ready would fill all the room by itself.
            if !table.arm() {
                patience_ms = patience_ms.min(RETRY_MS);
            }
        }
        table.waiting += 1;
        drop(table);
        let taken = packets.take(self.shared.port.as_handle(), room, patience_ms);
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
        Ok(())
    }

    /// Takes a socket that was closed, whose number another one has now, out of the table. Fails if it is the
    /// same socket.
    fn forget_closed(&self, number: u64) -> io::Result<()> {
        self.member.remove(number, |slot| {
            let mut table = self.shared.table();
            if !table.is_closed(slot) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            table.vacate(slot);
            Ok(())
        })
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

/// When a wait is to end.
enum Limit {
    Never,
    Now,
    At(Instant),
}

impl Limit {
    fn new(timeout: Option<Duration>) -> Limit {
        match timeout {
            None => Limit::Never,
            Some(Duration::ZERO) => Limit::Now,
            // What is beyond the clock's end is for ever.
            Some(timeout) => Instant::now().checked_add(timeout).map_or(Limit::Never, Limit::At),
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Limit::Never => false,
            Limit::Now => true,
            Limit::At(instant) => Instant::now() >= *instant,
        }
    }

    /// Rounded up, and 49 days at most, unless it is for ever.
    fn left_ms(&self) -> u32 {
        match self {
            Limit::Never => u32::MAX,
            Limit::Now => 0,
            Limit::At(instant) => milliseconds(instant.saturating_duration_since(Instant::now())),
        }
    }
}

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
        Kind::Child => u64::from(packet.bytes()) << 32 | packet.value() as u64,
    };
    Some(Event { token, readiness: Readiness::READABLE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_never_rounded_down_and_never_for_ever() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_nanos(1_000_001)), 2);
        assert_eq!(milliseconds(Duration::MAX), u32::MAX - 1);
    }
}
