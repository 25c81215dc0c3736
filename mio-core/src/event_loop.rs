//! [`EventLoop`]: what callbacks may do. The turn itself is in `run`.

mod time;

use std::{collections::VecDeque, io, marker::PhantomData, process::Child, time::Duration};

use bitflags::bitflags;

use crate::{
    child::Children,
    clock::Clock,
    config::{Config, Precision},
    event::Event,
    full::Full,
    interest::{Interest, Readiness, Trigger},
    lull::Lull,
    selector::Selector,
    sender::{Receiver, Sender},
    signal::{SignalSet, Signals},
    source::Source,
    sync::Arc,
    sys,
    timer::Timers,
    token::{Any, CHILDREN_MAX, In, RESERVED, Scoping, SourceKind, WAKE},
};

/// Waits in one thread for descriptors, messages, timers, signals and child exits, and calls a
/// [`Handler`](crate::Handler) for each.
///
/// `M` is the type of the messages that it receives, `S` the scope of tokens that this view of it
/// takes: any `u64` and any derived token, unless it is handed to a component.
///
/// All memory is taken when the loop is built, as [`Config`] says; nothing that is called later
/// allocates, errors included.
///
/// # A turn
///
/// [`run`](EventLoop::run) repeats eight phases, each of them bounded:
///
/// 1. decide how long to sleep: not at all if work is left, else until the next deadline;
/// 2. wait for events; before a sleep spin for as long as [`Config::spin`] asks for, or else, after several
///    messages, for a microsecond as [`Sender`] says;
/// 3. start a new clock: it is read when somebody first asks, once a turn;
/// 4. up to [`Config::events`] I/O events, then what [`again`](EventLoop::again) asked for before, up to as many;
/// 5. signals, also those that came in this turn if a child has exited; then exited children;
/// 6. up to [`Config::timers_per_turn`] timers that are due;
/// 7. up to [`Config::messages_per_turn`] messages;
/// 8. [`tick`](crate::Handler::tick).
///
/// `shutdown` and `fail` end the turn in whichever phase they are called, without a `tick`; what
/// it did not come to is there for the next one.
///
/// # Inside another loop
///
/// A loop is `AsFd`: another loop can wait for its descriptor and then call
/// [`run_once`](EventLoop::run_once) with a timeout of zero. The descriptor alone does not tell everything: after
/// each `run_once`, and after whatever else was called on this loop, ask
/// [`next_deadline`](EventLoop::next_deadline) how long the other loop may wait. Examples are there, of tokio too. It does not
/// matter whether the other loop is told levels or, as mio and tokio are, edges.
///
/// Portability: where the kernel waits through a descriptor (epoll, kqueue). Elsewhere a loop has none.
///
/// # Panics in callbacks
///
/// A panic passes through `run`; the loop stays whole. If it is run again, it goes on with the event after
/// the one whose callback panicked.
///
/// # Loops that callbacks replace
///
/// A callback may put another loop in the place of the one that it is handed, by [`mem::replace`](std::mem::replace)
/// say, and the run goes on with that one. What was taken away keeps its events, timers and messages; it can be run
/// elsewhere, also at once, and be put back at any time. A component should leave that to its parent: a loop is out of the
/// component's scope where it takes it to, but if it takes loops and puts them back by turns, or takes one that its parent
/// has put in place in the same run, they may take tokens in the wrong scope until they are run.
///
/// # Loops that callbacks lend
///
/// A callback may lend the loop to another thread, one of a [scope](std::thread::scope) say. The loop takes the same tokens
/// there, and what a component fails with goes to its parent as ever. But the thread does not know that the loop runs: it
/// can run it, out of all scopes, and then the loop is in none either when the callback goes on.
///
/// # Forks
///
/// In a child process that was forked without `exec`, every use of the parent's loop that would
/// reach the kernel is an error of kind `Unsupported`. A message that the child sends stays in the child's
/// copy of the queue; nobody receives it.
#[repr(transparent)]
pub struct EventLoop<M = (), S = Any> {
    pub(crate) inner: Inner<M>,
    scope: PhantomData<fn(S)>,
}

bitflags! {
    /// What a turn has to do besides I/O events and timers. Empty in most turns, so that one look
    /// spares all the others.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Work: u16 {
        /// The run is to end.
        const STOP = 1;
        /// Events are left over from a run that ended early.
        const EVENTS = 1 << 1;
        /// `again` was asked for.
        const AGAIN = 1 << 2;
        /// Messages or signals wait.
        const MAIL = 1 << 3;
        /// A watched child may have exited.
        const CHILDREN = 1 << 4;
        /// The clock was read in this turn.
        const CLOCK = 1 << 5;
        /// Timers are armed, as far as the last look told.
        const TIMERS = 1 << 7;
        /// What time alone makes.
        const TIME = Self::CLOCK.bits() | Self::TIMERS.bits();
        /// Always set in a loop that spins or whose time is virtual.
        const UNUSUAL = 1 << 6;
        /// Several messages came in a turn, and the loop has not come to rest since: more may be on their way.
        const BURST = 1 << 8;
    }
}

/// The parts of a loop, which the phases of a turn share.
pub(crate) struct Inner<M> {
    pub(crate) events: sys::Events,
    /// Whether a source was registered in level mode, so that what was reported may have to be reported again.
    levels: bool,
    /// Whether the look that reported the events which were put aside may have left others in the kernel.
    pub(crate) more: bool,
    pub(crate) work: Work,
    pub(crate) error: Option<io::Error>,
    /// What a component failed with, at which depth, until its parent takes it.
    pub(crate) uncaught: Option<(u32, io::Error)>,
    /// The run that the loop is in, by a number of the thread's, or was in when a callback took it away; 0 for none.
    pub(crate) running: u64,
    pub(crate) home: Home,
    pub(crate) scoping: Scoping,
    pub(crate) selector: Selector,
    pub(crate) receiver: Receiver<M>,
    pub(crate) signals: Signals,
    pub(crate) children: Children,
    pub(crate) timers: Timers,
    pub(crate) again: VecDeque<Event>,
    again_max: usize,
    pub(crate) clock: Clock,
    pub(crate) timers_per_turn: usize,
    pub(crate) repairs_per_turn: usize,
    pub(crate) messages_per_turn: usize,
    pub(crate) precision: Precision,
    /// The deadline that [`Precision::Exact`] wakes early for, and when.
    pub(crate) early_wake: (u64, u64),
    pub(crate) spin: Duration,
    pub(crate) lull: Lull,
    /// The state of the generator that permutes events; `None` in real time.
    pub(crate) permutation: Option<u64>,
}

/// Where the run is that a loop is in: the address of the loop, and one that tells its thread from others.
#[derive(Clone, Copy, Default)]
pub(crate) struct Home {
    pub(crate) place: usize,
    pub(crate) thread: usize,
}

impl<M> EventLoop<M> {
    /// A loop with the default bounds.
    ///
    /// # Errors
    ///
    /// As [`with_config`](EventLoop::with_config).
    pub fn new() -> io::Result<EventLoop<M>> {
        EventLoop::with_config(Config::default())
    }

    /// A loop with the bounds of `config`.
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: a bound is zero that must not be (`events`, `messages` and what is done per
    ///   turn), or more children than a loop can watch;
    /// - `Unsupported`: [`Config::spin`] where there is no clock;
    /// - `OutOfMemory`: the bounds ask for more than there is;
    /// - the kernel's: no descriptor left (`EMFILE`, `ENFILE`).
    pub fn with_config(config: Config) -> io::Result<EventLoop<M>> {
        let positive = [
            config.events,
            config.messages,
            config.timers_per_turn,
            config.repairs_per_turn,
            config.messages_per_turn,
        ];
        if positive.contains(&0) || config.children > CHILDREN_MAX {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if !sys::HAS_CLOCK && !config.spin.is_zero() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let selector = Selector::with_capacity(config.sources.saturating_add(config.children))?;
        let waker = Arc::new(sys::Waker::new(selector.sys(), WAKE)?);
        let signals = Signals::new(config.signals, Arc::clone(&waker))?;
        let receiver = Receiver::new(config.messages, waker)?;
        let mut again = VecDeque::new();
        again.try_reserve_exact(config.sources)?;
        let unusual = config.virtual_time.is_some() || !config.spin.is_zero();
        let inner = Inner {
            events: sys::Events::with_capacity(config.events, config.events.min(config.sources))?,
            levels: false,
            more: false,
            work: if unusual { Work::UNUSUAL } else { Work::empty() },
            error: None,
            uncaught: None,
            running: 0,
            home: Home::default(),
            scoping: Scoping::ROOT,
            selector,
            receiver,
            signals,
            children: Children::with_capacity(config.children),
            timers: Timers::with_capacity(config.timers)?,
            again,
            again_max: config.sources,
            clock: Clock::new(config.virtual_time.is_some()),
            timers_per_turn: config.timers_per_turn,
            repairs_per_turn: config.repairs_per_turn,
            messages_per_turn: config.messages_per_turn,
            precision: config.precision,
            early_wake: (0, 0),
            spin: config.spin,
            lull: Lull::default(),
            permutation: config.virtual_time,
        };
        Ok(EventLoop { inner, scope: PhantomData })
    }
}

/// Sources.
impl<M, S> EventLoop<M, S> {
    /// Waits for `source` from now on, with the interest and the trigger of `token`: for a plain
    /// `u64` both directions, edge triggered.
    ///
    /// If the source is ready already, the next turn says so.
    ///
    /// # Errors
    ///
    /// Those of [`Selector::register`]; and `InvalidInput` for a token that is not for I/O, that the
    /// loop keeps for itself, from [`RESERVED`](crate::RESERVED) up, or that has more bits than the
    /// parents of a nested handler leave it.
    #[inline]
    pub fn register<T: In<S>>(
        &mut self,
        source: &(impl Source + ?Sized),
        token: T,
    ) -> io::Result<()> {
        let (interest, trigger) = token.kind().registration();
        self.register_with(source, token, interest, trigger)
    }

    /// Like [`register`](EventLoop::register), with interest and trigger as given.
    ///
    /// # Errors
    ///
    /// As `register`; and `InvalidInput` for an interest that a derived token was not declared with,
    /// so that nobody would handle it.
    // The token is mostly of a kind that is known where this is called, and then next to nothing is left of it.
    #[inline(always)]
    pub fn register_with<T: In<S>>(
        &mut self,
        source: &(impl Source + ?Sized),
        token: T,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        let token = self.bits(token, token.kind().takes(interest))?;
        self.inner.levels |= trigger == Trigger::Level;
        self.inner.selector.register(source, token, interest, trigger)
    }

    /// Like [`register`](EventLoop::register), for a listener that several loops share: at least one of
    /// them is woken when it becomes ready, instead of all. See [`Selector::register_exclusive`].
    ///
    /// # Errors
    ///
    /// As `Selector::register_exclusive`; and `InvalidInput` as [`register`](EventLoop::register).
    pub fn register_exclusive<T: In<S>>(
        &mut self,
        source: &(impl Source + ?Sized),
        token: T,
    ) -> io::Result<()> {
        let (interest, trigger) = token.kind().registration();
        let token = self.bits(token, token.kind().is_io())?;
        self.inner.levels |= trigger == Trigger::Level;
        self.inner.selector.register_exclusive(source, token, interest, trigger)
    }

    /// Replaces the token of a registered source, and interest and trigger by those of the token;
    /// arms a one-shot source again.
    ///
    /// # Errors
    ///
    /// Those of [`Selector::reregister`]; and `InvalidInput` as [`register`](EventLoop::register).
    #[inline]
    pub fn reregister<T: In<S>>(
        &mut self,
        source: &(impl Source + ?Sized),
        token: T,
    ) -> io::Result<()> {
        let (interest, trigger) = token.kind().registration();
        self.reregister_with(source, token, interest, trigger)
    }

    /// Like [`reregister`](EventLoop::reregister), with interest and trigger as given.
    ///
    /// # Errors
    ///
    /// As `reregister`; and `InvalidInput` as [`register_with`](EventLoop::register_with).
    #[inline]
    pub fn reregister_with<T: In<S>>(
        &mut self,
        source: &(impl Source + ?Sized),
        token: T,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        let token = self.bits(token, token.kind().takes(interest))?;
        self.inner.levels |= trigger == Trigger::Level;
        self.inner.selector.reregister(source, token, interest, trigger)
    }

    /// Waits no longer for `source`, which is registered under `token`.
    ///
    /// The token is how the loop knows its event: if it is the one being handled, the rest of that
    /// event is skipped. Under another token the source is deregistered all the same, but nothing is
    /// skipped. An event that another turn left over, and what [`again`](EventLoop::again) asked for, may
    /// still come under this token; a [`Key`](crate::Key) in it makes them find nothing.
    ///
    /// # Errors
    ///
    /// `NotFound` if the source is not registered; `InvalidInput` as [`register`](EventLoop::register).
    #[inline]
    pub fn deregister<T: In<S>>(
        &mut self,
        source: &(impl Source + ?Sized),
        token: T,
    ) -> io::Result<()> {
        let token = self.bits(token, token.kind().is_io())?;
        self.inner.selector.deregister(source)?;
        if self.inner.events.current() == Some(token) {
            self.inner.events.disown();
        }
        Ok(())
    }

    /// Deregisters `source` and drops it, in this order, so that no duplicate of its descriptor
    /// keeps it registered.
    ///
    /// # Errors
    ///
    /// As [`deregister`](EventLoop::deregister); the source is dropped all the same.
    pub fn close<T: In<S>>(&mut self, source: impl Source, token: T) -> io::Result<()> {
        let result = self.deregister(&source, token);
        drop(source);
        result
    }

    /// Says that a call on a source of a foreign type answered `WouldBlock` for `interest`, so that
    /// its edge is armed again.
    ///
    /// Portability: needed where edges are emulated; on epoll and kqueue it does nothing.
    ///
    /// # Errors
    ///
    /// As [`Selector::would_block`]; and `InvalidInput` as [`register`](EventLoop::register).
    #[inline]
    pub fn would_block<T: In<S>>(
        &mut self,
        source: &(impl Source + ?Sized),
        token: T,
        interest: Interest,
    ) -> io::Result<()> {
        let token = self.bits(token, token.kind().is_io())?;
        self.inner.selector.would_block(source, token, interest)
    }

    /// Asks for [`ready`](crate::Handler::ready) with `token` and `readiness` in the next turn, which
    /// then does not sleep: for a handler that stops early to be fair to the others.
    ///
    /// Requests are not merged: each is a call of its own, and takes a place until then. So a handler
    /// that is called for other events of the same source meanwhile should remember that it has asked, and have one
    /// request outstanding for a source at most. To tell its own request from an event of the kernel's,
    /// which is never empty, it can ask with [`Readiness::empty`]; the default `ready` calls nothing for
    /// that.
    ///
    /// Nor are they taken back: one for a source that is deregistered still comes, and a
    /// [`Key`](crate::Key) in the token makes it find nothing. What finds no room in a turn (see
    /// [`Config::events`]) comes in the one after it, in order.
    ///
    /// # Errors
    ///
    /// `QuotaExceeded` ([`Full`]) if [`Config::sources`] requests are waiting; `InvalidInput` as
    /// [`register`](EventLoop::register).
    #[inline]
    pub fn again<T: In<S>>(&mut self, token: T, readiness: Readiness) -> io::Result<()> {
        let token = self.bits(token, token.kind().is_io())?;
        if self.inner.again.len() == self.inner.again_max {
            return Err(Full.into());
        }
        self.inner.again.push_back(Event { token, readiness });
        self.inner.work |= Work::AGAIN;
        Ok(())
    }

    /// Whether the source whose event is being handled is still registered and nothing failed: if
    /// not, the rest of its event is to be skipped. For implementations of
    /// [`ready`](crate::Handler::ready).
    #[inline]
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.inner.events.current().is_some()
    }

    /// What the kernel and the root handler get to see of `token`, if it names the right kind of
    /// source.
    #[inline(always)]
    fn bits<T: In<S>>(&self, token: T, right: bool) -> io::Result<u64> {
        let bits = token.bits();
        // In the root there is nothing to be put in place.
        if self.inner.scoping.is_root() && bits < RESERVED && right {
            return Ok(bits);
        }
        match self.inner.scoping().bits(bits) {
            Some(bits) if right => Ok(bits),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

/// Messages, signals and children.
impl<M, S> EventLoop<M, S> {
    /// A sender of messages to this loop, for any thread.
    #[must_use]
    pub fn sender(&self) -> Sender<M> {
        self.inner.receiver.sender()
    }

    /// Like [`signals_with`](EventLoop::signals_with), for the signals that a derived token was
    /// declared with.
    ///
    /// # Errors
    ///
    /// As `signals_with`; and `InvalidInput` for any other token.
    pub fn signals<T: In<S>>(&mut self, token: T) -> io::Result<()> {
        match token.kind() {
            SourceKind::Signals(set) => self.signals_with(set, token),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Calls [`signal`](crate::Handler::signal) with `token` for the signals of `set` from now on,
    /// instead of what the process did on them before. Dropping the loop restores that.
    ///
    /// Signal masks stay as they are, in this process and in its children.
    ///
    /// Portability: Unix; on Windows for those that the console has ([`Signal`](crate::Signal)). Others, and all on
    /// WebAssembly, are `Unsupported`.
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: the set is empty or has a signal that cannot be handled here (KILL, STOP
    ///   and faults of the program itself), or the token is reserved, or not for these signals;
    /// - `AlreadyExists`: this loop has one of them already;
    /// - `ResourceBusy`: another loop of the process has.
    pub fn signals_with<T: In<S>>(&mut self, set: SignalSet, token: T) -> io::Result<()> {
        let token = self.bits(token, token.kind().takes_signals(set))?;
        self.inner.selector.sys().check_process()?;
        self.inner.signals.add(set, token)
    }

    /// Gives the signals of `set` back: the process does on them what it did before. Signals that
    /// this loop does not have are passed over.
    pub fn ignore_signals(&mut self, set: SignalSet) {
        self.inner.signals.remove(set);
    }

    /// Calls [`child`](crate::Handler::child) with `token` when `child` exits. It is not reaped:
    /// [`Child::wait`] still answers, and has to be called as always.
    ///
    /// If the child has exited already, the next turn says so.
    ///
    /// Portability: where SIGCHLD has to tell (poll(2), Linux without pidfds), one loop of a process can watch
    /// children at a time. On WebAssembly there are none.
    ///
    /// # Errors
    ///
    /// - `QuotaExceeded` ([`Full`]): [`Config::children`] are watched;
    /// - `AlreadyExists`: this one is;
    /// - the raw `ECHILD`, on Unix: it was reaped already;
    /// - `ResourceBusy`: it takes SIGCHLD, which another loop has;
    /// - `InvalidInput`: a token that is not for children, or that [`register`](EventLoop::register) would refuse;
    /// - `Unsupported`: on WebAssembly;
    /// - the kernel's: no descriptor left (`EMFILE`, `ENFILE`).
    pub fn child<T: In<S>>(&mut self, child: &Child, token: T) -> io::Result<()> {
        let token = self.bits(token, token.kind().is_child())?;
        self.inner.selector.sys().check_process()?;
        let Inner { children, selector, signals, .. } = &mut self.inner;
        children.watch(child.id(), token, selector, signals)?;
        self.inner.heed_children();
        Ok(())
    }

    /// Watches `child` no longer. Answers whether it was watched.
    pub fn forget_child(&mut self, child: &Child) -> bool {
        let Inner { children, selector, signals, .. } = &mut self.inner;
        children.forget(child.id(), selector, signals)
    }
}

impl<M> Inner<M> {
    /// Whether a turn would have something to do without waiting, other than I/O and timers.
    pub(crate) fn has_work(&self) -> bool {
        const WORK: Work = Work::STOP
            .union(Work::EVENTS)
            .union(Work::AGAIN)
            .union(Work::MAIL)
            .union(Work::CHILDREN);
        self.work.intersects(WORK) || !self.events.is_done() || self.has_mail()
    }

    /// Whether the last look may have left events in the kernel, of which it does not tell an outer loop anew.
    pub(crate) fn may_have_more(&self) -> bool {
        let reported = self.events.len();
        self.more || reported >= self.events.capacity() || (self.levels && reported > 0)
    }

    /// Whether messages or signals wait.
    pub(crate) fn has_mail(&self) -> bool {
        !self.receiver.is_empty() || self.signals.pending()
    }

    /// The turn's clock, read.
    #[inline]
    pub(crate) fn clock(&mut self) -> &mut Clock {
        if !self.clock.is_current() {
            self.start_clock();
        }
        &mut self.clock
    }

    #[cold]
    fn start_clock(&mut self) {
        self.work |= Work::CLOCK;
        self.clock.start();
    }

    /// Keeps the events that were not come to yet for the next turn.
    pub(crate) fn park_events(&mut self) {
        self.more |= !self.events.is_done() && self.may_have_more();
        if self.events.park() {
            self.work |= Work::EVENTS;
        }
    }

    pub(crate) fn heed_children(&mut self) {
        self.work.set(Work::CHILDREN, self.children.pending());
    }
}

impl<M, S> std::fmt::Debug for EventLoop<M, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLoop")
            .field("selector", &self.inner.selector)
            .field("timers", &self.inner.timers.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_the_events_of_a_wait_and_for_the_requests_that_there_can_be() {
        for (events, sources, room) in [(4, 2, 4 + 2), (4, 9, 4 + 4)] {
            let config = Config { events, sources, ..Config::default() };
            let mut event_loop = EventLoop::<()>::with_config(config).unwrap();
            let event = Event { token: 0, readiness: Readiness::READABLE };
            let pushed = (0..100).take_while(|_| event_loop.inner.events.push(event));
            assert_eq!(pushed.count(), room);
        }
    }
}
