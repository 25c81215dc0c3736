//! The phases of one turn. What they are is said at [`EventLoop`].

use std::{io, ptr, time::Duration};

use crate::{
    event_loop::{EventLoop, Inner, Work},
    handler::Handler,
    timer::Expiry,
    token::{CHILDREN, RESERVED, WAKE},
};

impl<M> EventLoop<M> {
    /// Waits and calls `handler` until a callback calls [`shutdown`](EventLoop::shutdown) or
    /// [`fail`](EventLoop::fail); then gives the handler back. It takes a handler by value or a
    /// `&mut` to one.
    ///
    /// A `shutdown` from before makes it return at once.
    ///
    /// # Errors
    ///
    /// - what `fail` was called with;
    /// - `ResourceBusy`: this loop is running; `run` was called from one of its callbacks;
    /// - the kernel's, from waiting.
    pub fn run<H: Handler<M>>(&mut self, mut handler: H) -> io::Result<H> {
        let running = Running::start(self)?;
        while running.0.turn(&mut handler, None)? {}
        drop(running);
        Ok(handler)
    }

    /// One turn that waits for `timeout` at most, or without end if `None`. Answers whether to go
    /// on: `false` after [`shutdown`](EventLoop::shutdown).
    ///
    /// # Errors
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
        if self.inner.work.contains(Work::MAIL) {
            self.run_signals(handler);
        }
        if self.inner.work.contains(Work::CHILDREN) {
            self.run_children(handler);
        }
        if !self.inner.timers.is_empty() {
            self.run_timers(handler);
        }
        if self.inner.work.contains(Work::MAIL) {
            self.run_messages(handler);
            let more = self.inner.has_mail();
            self.inner.work.set(Work::MAIL, more);
        }
        if !self.is_stopping() {
            handler.tick(self);
        }
        if self.is_stopping() { self.stopped() } else { Ok(true) }
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
        let now = self.inner.clock().turn();
        let mut repairs = self.inner.repairs_per_turn;
        for _ in 0..self.inner.timers_per_turn {
            if self.is_stopping() {
                return;
            }
            let Some(due) = self.inner.timers.pop_due(now, &mut repairs) else { return };
            let deadline = self.inner.clock.instant(due.deadline);
            let expiry = Expiry { timeout: due.timeout, deadline, missed: due.missed };
            handler.timeout(self, due.token, expiry);
        }
    }

    fn run_messages<H: Handler<M>>(&mut self, handler: &mut H) {
        for _ in 0..self.inner.messages_per_turn {
            if self.is_stopping() {
                return;
            }
            let Some(message) = self.inner.receiver.pop() else { return };
            handler.message(self, message);
        }
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

/// While this lives, the loop runs. It ends with a panic too.
struct Running<'a, M>(&'a mut EventLoop<M>);

impl<'a, M> Running<'a, M> {
    #[inline]
    fn start(event_loop: &'a mut EventLoop<M>) -> io::Result<Running<'a, M>> {
        let here = ptr::from_ref(event_loop).addr();
        if event_loop.inner.running == here {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        event_loop.inner.running = here;
        // What a callback that panicked, or took the loop away, left behind.
        event_loop.inner.park_events();
        Ok(Running(event_loop))
    }
}

impl<M> Drop for Running<'_, M> {
    #[inline]
    fn drop(&mut self) {
        self.0.inner.running = 0;
        // An outer loop may wait for the descriptor now.
        self.0.inner.receiver.doorbell().sleep_begin();
    }
}
