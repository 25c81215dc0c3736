//! The phases of one turn. What they are is said at [`EventLoop`].

use std::{io, time::Duration};

use crate::{
    event_loop::{EventLoop, Inner, Work},
    handler::Handler,
    running::Running,
    timer::Due,
    token::{CHILDREN, RESERVED, WAKE},
};

impl<M> EventLoop<M> {
    /// Waits and calls `handler` until a callback calls [`shutdown`](EventLoop::shutdown) or
    /// [`fail`](EventLoop::fail); then gives the handler back. It takes a handler by value or a
    /// `&mut` to one.
    ///
    /// A `shutdown` from before makes it return at once. With an error a handler by value is dropped; one by
    /// reference is still there.
    ///
    /// # Errors
    ///
    /// - what `fail` was called with;
    /// - `ResourceBusy`: this loop is running; `run` was called from one of its callbacks, perhaps for a loop that
    ///   the callback had put in its place. Or 16 loops are running in this thread, each in a callback of another;
    /// - `Unsupported`: this process was forked from the loop's;
    /// - the kernel's, from waiting, none of which a correct program meets.
    ///
    /// # Panics
    ///
    /// Only if a callback does; the loop can be run again.
    pub fn run<H: Handler<M>>(&mut self, mut handler: H) -> io::Result<H> {
        let running = Running::start(self)?;
        let event_loop = &mut *running.0;
        while event_loop.turn(&mut handler, None)? {}
        drop(running);
        Ok(handler)
    }

    /// One turn that waits for `timeout` at most, or without end if `None`, and not at all if work is left.
    /// Answers whether to go on: `false` after [`shutdown`](EventLoop::shutdown).
    ///
    /// A turn may end sooner, and with nothing to handle: when a signal interrupts the wait, when a message or
    /// a wake-up comes, when timers that were pushed back are put right, or when
    /// [`Precision::Exact`](crate::Precision::Exact) waits in two steps.
    ///
    /// A turn is bounded and may leave work: messages that came during it, timers that are due. The next turn
    /// does not sleep then. Who waits elsewhere between turns, because this loop lives inside another
    /// one, has to ask [`next_deadline`](EventLoop::next_deadline) after each of them.
    ///
    /// # Errors
    ///
    /// As [`run`](EventLoop::run).
    ///
    /// # Panics
    ///
    /// As [`run`](EventLoop::run).
    #[inline]
    pub fn run_once<H: Handler<M>>(
        &mut self,
        handler: &mut H,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        let running = Running::start(self)?;
        running.0.turn(handler, timeout)
    }
}

impl<M, S> EventLoop<M, S> {
    /// Makes [`run`](EventLoop::run), or [`run_once`](EventLoop::run_once), return after the event that is being
    /// handled, without a [`tick`](crate::Handler::tick). What it has not come to yet, events and
    /// messages and all, is kept for the next run. Outside a run, makes the next one return at once.
    ///
    /// An event of a source is one call of [`ready`](crate::Handler::ready), which goes on to `writable`,
    /// say, after a `readable` that shuts down.
    pub fn shutdown(&mut self) {
        self.inner.work |= Work::STOP;
        self.inner.park_events();
    }

    /// Like [`shutdown`](EventLoop::shutdown), and `run` returns `error`: the first one, if several
    /// callbacks fail before it returns. The rest of the event that is being handled is skipped.
    ///
    /// Called by a component, it shuts nothing down: the error goes to its parent when the callback
    /// returns. See [`deliver_ready`](EventLoop::deliver_ready).
    #[cold]
    pub fn fail(&mut self, error: io::Error) {
        self.inner.events.disown();
        self.inner.settle();
        match self.inner.scoping.depth() {
            0 => {
                self.shutdown();
                self.inner.error.get_or_insert(error);
            }
            depth => {
                self.inner.scoping.fail();
                self.inner.uncaught.get_or_insert((depth, error));
            }
        }
    }
}

impl<M> EventLoop<M> {
    #[inline(always)]
    fn turn<H: Handler<M>>(
        &mut self,
        handler: &mut H,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        if timeout.is_none() && self.inner.is_plain() {
            self.inner.sleep(None)?;
        } else {
            self.inner.wait(timeout)?;
        }
        self.run_events(handler);
        if self.inner.is_plain() {
            handler.tick(self);
            self.keep_events();
            if self.inner.is_plain() || !self.is_stopping() { Ok(true) } else { self.stopped() }
        } else {
            self.run_rest(handler)
        }
    }

    // Every phase looks up what it works on anew after each callback: a callback may replace the
    // loop that it is handed.

    #[inline(always)]
    fn run_events<H: Handler<M>>(&mut self, handler: &mut H) {
        while let Some(event) = self.inner.events.take() {
            if event.token >= RESERVED {
                self.inner.own_event(event.token);
            } else {
                handler.ready(self, event.token, event.readiness);
            }
        }
    }

    #[inline(never)]
    fn run_rest<H: Handler<M>>(&mut self, handler: &mut H) -> io::Result<bool> {
        if self.inner.is_quiet() {
            handler.tick(self);
            return if self.is_stopping() { self.stopped() } else { Ok(true) };
        }
        self.run_phases(handler)
    }

    #[inline(never)]
    fn run_phases<H: Handler<M>>(&mut self, handler: &mut H) -> io::Result<bool> {
        // Also for a child that has exited: a signal that it sent before may have come after the wait had seen the exit.
        if self.inner.work.intersects(Work::MAIL.union(Work::CHILDREN)) {
            self.run_signals(handler);
        }
        if self.inner.work.contains(Work::CHILDREN) {
            self.run_children(handler);
        }
        if !self.inner.timers.is_empty() {
            self.run_timers(handler);
        }
        if self.inner.work.contains(Work::MAIL) {
            let taken = self.run_messages(handler);
            let more = self.inner.has_mail();
            self.inner.work.set(Work::MAIL, more);
            if taken > 1 {
                self.inner.work |= Work::BURST;
            }
        }
        if !self.is_stopping() {
            handler.tick(self);
        }
        self.keep_events();
        if self.is_stopping() { self.stopped() } else { Ok(true) }
    }

    /// None are left, unless a callback that came after them put a loop in place which had been taken away
    /// in the midst of its own.
    #[inline(always)]
    fn keep_events(&mut self) {
        if !self.inner.events.is_done() {
            self.inner.park_events();
        }
    }

    fn run_signals<H: Handler<M>>(&mut self, handler: &mut H) {
        for _ in 0..self.inner.signals.capacity() {
            if self.is_stopping() {
                break;
            }
            let Some((token, info)) = self.inner.signals.pop() else { break };
            handler.signal(self, token, info);
        }
        let Inner { children, signals, .. } = &mut self.inner;
        children.heed(signals);
        self.inner.heed_children();
    }

    fn run_children<H: Handler<M>>(&mut self, handler: &mut H) {
        for _ in 0..self.inner.children.capacity() {
            if self.is_stopping() {
                break;
            }
            let Inner { children, selector, signals, .. } = &mut self.inner;
            let Some((token, exit)) = children.pop(selector, signals) else { break };
            handler.child(self, token, exit);
        }
        self.inner.heed_children();
    }

    fn run_timers<H: Handler<M>>(&mut self, handler: &mut H) {
        let mut repairs = self.inner.repairs_per_turn;
        for _ in 0..self.inner.timers_per_turn {
            if self.is_stopping() {
                return;
            }
            let known = self.inner.timers.pop_known();
            let Some(due) = known.or_else(|| self.inner.pop_due(&mut repairs)) else { return };
            let expiry = self.inner.clock.expiry(due);
            handler.timeout(self, due.token, expiry);
        }
    }

    /// Answers how many there were.
    fn run_messages<H: Handler<M>>(&mut self, handler: &mut H) -> usize {
        let bound = self.inner.messages_per_turn;
        let mut left = bound;
        while left > 0 && !self.is_stopping() {
            let Some(message) = self.inner.receiver.pop() else { break };
            handler.message(self, message);
            left -= 1;
        }
        bound - left
    }

    #[inline]
    fn is_stopping(&self) -> bool {
        self.inner.work.contains(Work::STOP)
    }

    #[cold]
    fn stopped(&mut self) -> io::Result<bool> {
        self.inner.work.remove(Work::STOP);
        match self.inner.error.take() {
            Some(error) => Err(error),
            None => Ok(false),
        }
    }
}

impl<M> Inner<M> {
    #[inline(never)]
    fn pop_due(&mut self, repairs: &mut usize) -> Option<Due> {
        let now = self.clock().turn();
        self.timers.pop_due(now, repairs)
    }

    /// Whether there are timers, none of them due, and nothing else.
    #[inline(always)]
    fn is_quiet(&mut self) -> bool {
        Work::TIME.contains(self.work) && {
            let now = self.clock().turn();
            !self.timers.may_be_due(now)
        }
    }

    /// An event of the loop itself.
    #[cold]
    fn own_event(&mut self, token: u64) {
        if token == WAKE {
            self.work |= Work::MAIL;
        } else {
            self.children.ready((token - CHILDREN) as usize);
            self.heed_children();
        }
    }
}
