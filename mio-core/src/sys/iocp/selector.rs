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
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        os::windows::io::{AsRawSocket, AsSocket},
        process::{Command, Stdio},
        time::Instant,
    };

    use super::{
        super::{
            child::ChildWatch,
            wait::{STAND_IN, tied_by_this_thread},
        },
        *,
    };

    const READ: Interest = Interest::READABLE;
    const WRITE: Interest = Interest::WRITABLE;

    /// Of the types of `std`, which do not say when they are dropped.
    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (one, listener.accept().unwrap().0)
    }

    /// The tokens of what comes within the time.
    fn look(selector: &Selector, timeout_ms: u64) -> Vec<u64> {
        select(selector, Duration::from_millis(timeout_ms))
    }

    /// As [`look`], for a time that is not whole milliseconds.
    fn select(selector: &Selector, timeout: Duration) -> Vec<u64> {
        let mut events = Events::with_capacity(16, 0).unwrap();
        selector.select(&mut events, Some(timeout)).unwrap();
        (0..events.len()).filter_map(|index| events.get(index)).map(|event| event.token).collect()
    }

    /// Waits until the kernel has given all memory back.
    fn empties(selector: &Selector) {
        let end = Instant::now() + Duration::from_secs(10);
        while selector.shared.table().taken() > 0 {
            assert!(Instant::now() < end, "{:?}", selector.shared.table());
            look(selector, 1);
        }
    }

    #[test]
    fn all_slots_come_back_whether_deregistered_or_closed_without_a_word() {
        let selector = Selector::with_capacity(8).unwrap();
        for trigger in [Trigger::Edge, Trigger::Level, Trigger::OneShot] {
            let pairs = [(); 8].map(|()| pair());
            for (token, (one, other)) in pairs.iter().enumerate() {
                selector.register(one.as_socket(), token as u64, READ, trigger).unwrap();
                if token % 2 == 0 {
                    (&mut &*other).write_all(b"x").unwrap();
                }
            }
            assert_eq!(selector.shared.table().taken(), 8);
            for (token, (one, _)) in pairs.iter().enumerate().take(4) {
                assert!(token % 3 != 0 || selector.deregister(one.as_socket()).is_ok());
            }
            drop(pairs);
            empties(&selector);
        }
    }

    #[test]
    fn a_slot_counts_until_its_memory_is_back() {
        let selector = Selector::with_capacity(1).unwrap();
        let (one, _other) = pair();
        let register = || selector.register(one.as_socket(), 1, READ, Trigger::Edge);
        register().unwrap();
        selector.deregister(one.as_socket()).unwrap();
        assert_eq!(register().unwrap_err().kind(), io::ErrorKind::StorageFull);
        empties(&selector);
        register().unwrap();
    }

    #[test]
    fn a_level_never_goes_over_to_a_stranger_with_the_same_number() {
        let selector = Selector::with_capacity(64).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut reused = 0;
        for round in 0..40 {
            let (one, mut other) = pair();
            let number = one.as_raw_socket();
            selector.register(one.as_socket(), round, READ, Trigger::Level).unwrap();
            other.write_all(b"x").unwrap();
            assert_eq!(look(&selector, 10_000), [round]);
            // From here on the poll is to be begun again, for the number.
            drop(one);
            let mut stranger = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (accepted, _) = listener.accept().unwrap();
            (&mut &accepted).write_all(b"x").unwrap();
            stranger.write_all(b"x").unwrap();
            reused += usize::from(
                [&accepted, &stranger].map(AsRawSocket::as_raw_socket).contains(&number),
            );
            assert_eq!(look(&selector, 20), [], "round {round}");
        }
        assert!(reused > 0, "numbers are used again");
        empties(&selector);
    }

    /// A socket of `std` that is registered and then closed without a word, and another one with its number.
    fn succession(register: impl Fn(&TcpStream)) -> (TcpStream, TcpStream) {
        for _ in 0..1000 {
            let (one, other) = pair();
            let number = one.as_raw_socket();
            register(&one);
            drop((one, other));
            let (one, other) = pair();
            if one.as_raw_socket() == number {
                return (one, other);
            }
            if other.as_raw_socket() == number {
                return (other, one);
            }
        }
        panic!("numbers are used again");
    }

    #[test]
    fn a_socket_that_was_registered_twice_and_closed_leaves_its_number_to_the_next() {
        for twice in [false, true] {
            let selector = Selector::with_capacity(4096).unwrap();
            // What is not armed again polls no number that may be nobody's.
            let register = |one: &TcpStream, token| {
                selector.register(one.as_socket(), token, WRITE, Trigger::OneShot)
            };
            let (one, _other) = succession(|one| {
                // Its number may be that of one which was registered in vain before.
                while register(one, 1).is_err() {
                    look(&selector, 1);
                }
                assert_eq!(look(&selector, 10_000), [1]);
                // The kernel is asked who it is.
                for _ in 0..=u8::from(twice) {
                    let again = register(one, 1).unwrap_err();
                    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
                }
            });
            // In vain while it still has the memory of all guards.
            let result = register(&one, 2);
            assert_eq!(result.is_err(), twice);
            assert_eq!(look(&selector, 500), [2][usize::from(twice)..]);
            let result = register(&one, 2);
            assert_eq!(result.is_ok(), twice);
            drop(one);
            empties(&selector);
        }
    }

    #[test]
    fn a_registration_ends_when_its_number_is_nobodys() {
        const NOBODY: usize = 0x00FF_FFF0;
        let selector = Selector::with_capacity(1).unwrap();
        let (one, mut other) = pair();
        selector.register(one.as_socket(), 7, READ, Trigger::Level).unwrap();
        other.write_all(b"x").unwrap();
        assert_eq!(look(&selector, 10_000), [7]);
        // As if it were closed, and a duplicate open.
        selector.shared.table().renumber(0, NOBODY);
        empties(&selector);
        selector.register(one.as_socket(), 8, READ, Trigger::Level).unwrap();
        assert_eq!(look(&selector, 10_000), [8]);
    }

    #[test]
    fn a_thread_that_registers_and_ends_leaves_its_polls_under_way() {
        let selector = Selector::with_capacity(4).unwrap();
        let (one, mut other) = pair();
        std::thread::scope(|scope| {
            let register = || selector.register(one.as_socket(), 7, READ, Trigger::Edge).unwrap();
            // The scope itself waits for what the thread does, and not until it is gone.
            scope.spawn(register).join().unwrap();
        });
        assert_eq!(look(&selector, 20), []);
        other.write_all(b"x").unwrap();
        assert_eq!(look(&selector, 10_000), [7]);
        drop(one);
        empties(&selector);
    }

    #[test]
    fn a_selector_that_is_dropped_takes_back_what_the_kernel_has() {
        for _ in 0..20 {
            let selector = Selector::with_capacity(40).unwrap();
            let pairs = [(); 20].map(|()| pair());
            for (one, other) in &pairs {
                selector.register(one.as_socket(), 1, READ, Trigger::Edge).unwrap();
                selector.register(other.as_socket(), 2, READ, Trigger::Level).unwrap();
            }
            (&mut &pairs[0].0).write_all(b"x").unwrap();
            let shared = Arc::downgrade(&selector.shared);
            drop(selector);
            assert!(shared.upgrade().is_none());
        }
    }

    /// A selector that waits for other handles as newer systems do.
    fn tying() -> Selector {
        Selector::with_waits(8, Some(STAND_IN)).unwrap()
    }

    #[test]
    fn a_wait_of_less_than_a_second_is_ended_by_the_timer_and_never_early() {
        let selector = tying();
        let is_ended_by_the_timer = |micros| {
            let delay = Duration::from_micros(micros);
            let (tied, start) = (tied_by_this_thread(), Instant::now());
            assert_eq!(select(&selector, delay), []);
            assert!(start.elapsed() >= delay, "{delay:?}");
            tied_by_this_thread() > tied
        };
        // A thread that is held up may find that the time is over, or that less than a second is left.
        for micros in [300, 1_500, 20_000] {
            assert!((0..100).any(|_| is_ended_by_the_timer(micros)), "{micros}");
        }
        assert!((0..10).any(|_| !is_ended_by_the_timer(1_100_000)));
    }

    #[test]
    fn a_timer_that_was_not_waited_for_ends_no_later_wait_early() {
        let selector = tying();
        let (one, mut other) = pair();
        selector.register(one.as_socket(), 7, READ, Trigger::Edge).unwrap();
        for round in 0..2 {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(5));
                    other.write_all(b"x").unwrap();
                });
                // If that thread is late, once more.
                let mut waits = (0..20).map(|_| select(&selector, Duration::from_millis(900)));
                assert_eq!(waits.find(|tokens| !tokens.is_empty()), Some(vec![7]));
            });
            // The one of above is over in the second of them, if it is not called off.
            for delay in [Duration::from_micros(700), Duration::from_millis(950)] {
                let start = Instant::now();
                assert_eq!(select(&selector, delay), [], "{round}");
                assert!(start.elapsed() >= delay, "{delay:?}");
            }
            selector.would_block(one.as_socket(), 7, READ).unwrap();
            (&mut &one).read_exact(&mut [0]).unwrap();
        }
    }

    #[test]
    fn threads_that_share_a_timer_all_wait_as_long_as_they_should() {
        let selector = tying();
        std::thread::scope(|scope| {
            for number in 1..4 {
                let selector = &selector;
                scope.spawn(move || {
                    for round in 1..20 {
                        let delay = Duration::from_micros(number * round * 170);
                        let start = Instant::now();
                        assert_eq!(select(selector, delay), []);
                        assert!(start.elapsed() >= delay, "{delay:?}");
                    }
                });
            }
        });
    }

    #[test]
    fn the_end_of_a_child_is_a_packet_where_its_handle_can_be_tied_to_the_port() {
        for selector in [tying(), Selector::with_waits(8, None).unwrap()] {
            let tied = tied_by_this_thread();
            let ties = selector.shared.port.waits.is_some();
            let mut child = Command::new("cmd")
                .args(["/c", "set /p line= & exit 3"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            let watch = ChildWatch::open(child.id()).unwrap().unwrap();
            assert!(watch.register(&selector, u64::MAX - 5).unwrap());
            assert_eq!(look(&selector, 20), []);
            drop(child.stdin.take());
            assert_eq!(look(&selector, 10_000), [u64::MAX - 5]);
            assert_eq!(watch.peek().unwrap().unwrap().code(), Some(3));
            // It is told again to who asks again, at once or by a packet.
            if watch.register(&selector, u64::MAX - 6).unwrap() {
                assert_eq!(look(&selector, 10_000), [u64::MAX - 6]);
            }
            watch.deregister(&selector);
            child.wait().unwrap();
            assert_eq!(tied_by_this_thread() > tied, ties);
            // A watch that is given up leaves nothing that comes later.
            let watch = ChildWatch::open(std::process::id()).unwrap().unwrap();
            assert!(watch.register(&selector, 1 << 63).is_ok() == ties);
            drop(watch);
        }
    }

    #[test]
    fn a_timeout_is_never_rounded_down_and_never_for_ever() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_nanos(1_000_001)), 2);
        assert_eq!(milliseconds(Duration::MAX), u32::MAX - 1);
    }
}
