//! [`Selector`], [`Events`] and [`Waker`]: the portable face of `sys`.

use std::{fmt, io, time::Duration};

use crate::{
    event::Event,
    interest::{Interest, Trigger},
    source::Source,
    sys,
};

/// Waits for any number of sources at once: the layer under the event loop, for authors of loops
/// and runtimes of their own.
///
/// Registration takes `&self` and a selector is `Send + Sync`: other threads may register while one
/// is in [`select`](Selector::select), and what they register is seen by that very wait. All 64 bits
/// of a token are the caller's.
///
/// ```
/// use std::{io::Write, time::Duration};
/// use mio_core::{Events, Interest, Readiness, Selector, Trigger, pipe};
///
/// let selector = Selector::new()?;
/// let mut events = Events::with_capacity(64);
/// let (reader, mut writer) = pipe::new()?;
/// selector.register(&reader, 7, Interest::READABLE, Trigger::Edge)?;
///
/// selector.select(&mut events, Some(Duration::ZERO))?;
/// assert!(events.is_empty());
///
/// writer.write_all(b"hello")?;
/// selector.select(&mut events, None)?;
/// let event = events.get(0).unwrap();
/// assert_eq!(event.token, 7);
/// assert!(event.readiness.contains(Readiness::READABLE));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Source: epoll(7).
pub struct Selector {
    sys: sys::Selector,
}

impl Selector {
    /// A selector for 1,024 sources, or with epoll for as many as there are descriptors; see
    /// [`with_capacity`](Selector::with_capacity).
    ///
    /// # Errors
    ///
    /// The kernel's: no descriptor (`EMFILE`, `ENFILE`) or no memory left.
    pub fn new() -> io::Result<Selector> {
        Selector::with_capacity(1024)
    }

    /// A selector for `sources` sources.
    ///
    /// Portability: epoll has its table in the kernel, where it is the limit of descriptors that bounds it. Elsewhere all
    /// memory for the sources is taken here; with kqueue for sixteen more, of which each waker takes a place.
    ///
    /// # Errors
    ///
    /// As [`new`](Selector::new).
    pub fn with_capacity(sources: usize) -> io::Result<Selector> {
        Ok(Selector { sys: sys::Selector::with_capacity(sources)? })
    }

    /// Waits for `source` from now on and reports it under `token`.
    ///
    /// If it is ready already, the next [`select`](Selector::select) says so, in every trigger mode.
    ///
    /// Portability: sources are descriptors on Unix and WASI, sockets on Windows, and nothing on the Web. Of a pipe whose
    /// reader is gone some kernels with kqueue (FreeBSD, Darwin) tell the writer here, by `BrokenPipe`, instead of by an
    /// event.
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: the interest is empty, or the source is this selector itself.
    /// - `AlreadyExists`: the source is registered here already.
    /// - `Unsupported`: the source cannot be waited for; a regular file, say, which is always ready.
    /// - the raw `ELOOP`, from epoll: a selector or loop that waits for this one, so that they would wait in a circle.
    /// - `StorageFull`, `OutOfMemory`: no room for another source.
    /// - a closed descriptor: the raw `EBADF`.
    #[inline]
    pub fn register(
        &self,
        source: &(impl Source + ?Sized),
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        self.sys.register(source.as_source(), token, interest, trigger)
    }

    /// Like [`register`](Selector::register), for a listener that several selectors share: when it
    /// becomes ready, at least one of them is woken instead of all.
    ///
    /// Portability: epoll since Linux 4.5 (`EPOLLEXCLUSIVE`); `Unsupported` elsewhere.
    ///
    /// # Errors
    ///
    /// As `register`; and `InvalidInput` for [`Interest::PRIORITY`] and [`Trigger::OneShot`], which
    /// do not go with it.
    pub fn register_exclusive(
        &self,
        source: &(impl Source + ?Sized),
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        self.sys.register_exclusive(source.as_source(), token, interest, trigger)
    }

    /// Replaces token, interest and trigger of a registered source; arms a one-shot one again.
    ///
    /// If the source is ready for the new interest, the next [`select`](Selector::select) says so.
    ///
    /// # Errors
    ///
    /// `NotFound` if the source is not registered here; `InvalidInput` for an empty interest and for
    /// a source registered with [`register_exclusive`](Selector::register_exclusive).
    #[inline]
    pub fn reregister(
        &self,
        source: &(impl Source + ?Sized),
        token: u64,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        self.sys.reregister(source.as_source(), token, interest, trigger)
    }

    /// Waits no longer for `source`. Events that [`Events`] holds already stay there.
    ///
    /// # Errors
    ///
    /// `NotFound` if the source is not registered here.
    #[inline]
    pub fn deregister(&self, source: &(impl Source + ?Sized)) -> io::Result<()> {
        self.sys.deregister(source.as_source())
    }

    /// Says that a call on a source of a foreign type answered `WouldBlock` for `interest`.
    ///
    /// Types of this crate say so themselves. For others it is needed in edge mode, before another event can come.
    ///
    /// Portability: arms an edge that is emulated (Windows, poll(2)). On epoll and kqueue, which keep edges, it does
    /// nothing and costs nothing.
    ///
    /// # Errors
    ///
    /// None on epoll and kqueue; elsewhere `NotFound` if the source is not registered here under `token`.
    #[inline]
    pub fn would_block(
        &self,
        source: &(impl Source + ?Sized),
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.sys.would_block(source.as_source(), token, interest)
    }

    /// Waits until a source is ready, [`Waker::wake`] is called or `timeout` has passed, and puts
    /// what is ready into `events`, replacing what was there.
    ///
    /// One system call. `None` waits without end, zero looks and comes back. The wait never ends
    /// before `timeout` without an event, unless a signal interrupts it; `events` is empty then too.
    /// How late it can end is the kernel's: its timer slack (50 µs by default) and on epoll 0.1 % of
    /// the wait, at most 100 ms; from one second on, where that is a millisecond and more, the
    /// timeout is rounded up to a millisecond, because the call that takes nanoseconds costs more.
    ///
    /// Several threads may select at once; an event goes to one of them.
    ///
    /// Portability: with poll(2) every timeout is rounded up to a millisecond, and on Windows, whose tick is 15.6 ms unless
    /// some program has asked for less; since Windows 10 (1803) one of less than a second is not. With poll(2) one thread
    /// waits for events and the others for their turn, none longer than its timeout; a wait takes time by the number
    /// of sources that are registered. On WebAssembly without threads a wait that nobody could end, for nothing and
    /// without a timeout, is an error of kind `Deadlock`.
    ///
    /// # Errors
    ///
    /// `Unsupported` in a forked child, as for every other call on it: the selector is the parent's. The
    /// kernel's, none of which a correct program meets.
    #[inline]
    pub fn select(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        self.sys.check_process()?;
        self.sys.select(&mut events.sys, timeout)
    }

    #[inline]
    pub(crate) fn sys(&self) -> &sys::Selector {
        &self.sys
    }
}

/// Without the sources, which may be many.
impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selector").finish_non_exhaustive()
    }
}

sys::if_nestable! {
    impl std::os::fd::AsFd for Selector {
        /// Readable when [`select`](Selector::select) would report something: so a selector nests in
        /// another, or in any other loop.
        ///
        /// An outer loop that is told edges, not levels, has to select until nothing is reported before it waits: it is
        /// not told anew of what did not fit into [`Events`], nor of a source in level mode that is still ready.
        ///
        /// Portability: where the kernel waits through a descriptor (epoll, kqueue).
        fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
            self.sys.as_fd()
        }
    }

    /// The descriptor of [`as_fd`](std::os::fd::AsFd::as_fd), for loops that take a number.
    impl std::os::fd::AsRawFd for Selector {
        fn as_raw_fd(&self) -> std::os::fd::RawFd {
            std::os::fd::AsFd::as_fd(self).as_raw_fd()
        }
    }
}

/// What [`Selector::select`] reported; owns the kernel's buffer, which is sized once.
#[derive(Debug)]
pub struct Events {
    sys: sys::Events,
}

impl Events {
    /// Room for `capacity` events of one wait, at least one. What does not fit comes with the next
    /// wait; the kernel takes turns, so that nothing starves.
    ///
    /// # Panics
    ///
    /// If there is no memory for them.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Events {
        match sys::Events::with_capacity(capacity.max(1), 0) {
            Ok(sys) => Events { sys },
            Err(error) => panic!("no room for {capacity} events: {error}"),
        }
    }

    /// How many events the last wait reported.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.sys.len()
    }

    /// Whether the last wait reported none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events one wait can report.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.sys.capacity()
    }

    /// The event at `index`, by value.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Event> {
        self.sys.get(index)
    }

    /// The events, by value.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

/// Ends the wait of a selector from any thread.
///
/// The event comes under the waker's token as [`READABLE`](crate::Readiness::READABLE). Wakes that
/// come before the selector looks are one event.
///
/// Source: eventfd(2) in edge mode, which is never read, so that a wake-up is a single write; kqueue(2),
/// `EVFILT_USER`; `PostQueuedCompletionStatus`; a pipe where there is none of these.
pub struct Waker {
    sys: sys::Waker,
}

impl Waker {
    /// A waker for `selector`, reported under `token`.
    ///
    /// # Errors
    ///
    /// The kernel's: no descriptor or no memory left.
    pub fn new(selector: &Selector, token: u64) -> io::Result<Waker> {
        Ok(Waker { sys: sys::Waker::new(selector.sys(), token)? })
    }

    /// Ends the selector's wait, or its next one. One system call; does not block or allocate. It may be
    /// called in a signal handler that keeps `errno`.
    ///
    /// Portability: on a Linux without eventfd it is two system calls, and seldom a few more. With poll(2) and on Windows it is
    /// none if the selector has not looked since the last one; on WebAssembly it always is.
    ///
    /// # Errors
    ///
    /// `Unsupported` in a forked child: the selector is the parent's. The kernel's, none of which a
    /// correct program meets.
    #[inline]
    pub fn wake(&self) -> io::Result<()> {
        self.sys.wake()
    }
}

/// Without its selector, of which it may be a part.
impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waker").finish_non_exhaustive()
    }
}
