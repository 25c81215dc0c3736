//! An event loop inside another one: what the outer loop waits for.

use std::time::Instant;

use crate::{event_loop::EventLoop, sys, timer::Next};

impl<M, S> EventLoop<M, S> {
    /// How long an outer loop, in which this one lives, may wait before it calls
    /// [`run_once`](EventLoop::run_once): until then if this answers an instant, for ever if `None`; in both
    /// cases only as long as the loop's descriptor is not readable. An instant that is past means that
    /// work is left: a message that came while a turn was under way, say, or more events than a turn takes, of which the
    /// descriptor tells nothing, or nothing new. So the question has to be asked anew before each wait.
    ///
    /// An outer loop that is told edges, not levels, misses nothing either. Since a source in level mode may still be ready
    /// after its event, of which no edge tells, a turn with events in a loop that has had such a source is followed by one
    /// more.
    ///
    /// Since the outer loop waits after the question, [`now`](EventLoop::now) is another time after it, and so a timer that is
    /// set by somebody whom the outer loop calls is not early.
    ///
    /// Like a turn it moves timers that were pushed back, within
    /// [`Config::repairs_per_turn`](crate::Config::repairs_per_turn); if that is too little to tell, it answers an
    /// instant that is past. No system call but, on some platforms, that of reading the clock.
    ///
    /// ```
    /// use std::{io, time::{Duration, Instant}};
    /// use mio_core::{EventLoop, Events, Handler, Interest, Selector, Trigger};
    ///
    /// struct Sum(u32);
    ///
    /// impl Handler<u32> for Sum {
    ///     fn message(&mut self, event_loop: &mut EventLoop<u32>, number: u32) {
    ///         self.0 += number;
    ///     }
    /// }
    ///
    /// # #[cfg(not(any(windows, mio_core_poll)))] {
    /// let mut event_loop = EventLoop::new()?;
    /// let outer = Selector::new()?;
    /// let mut events = Events::with_capacity(64);
    /// outer.register(&event_loop, 1, Interest::READABLE, Trigger::Level)?;
    ///
    /// let sender = event_loop.sender();
    /// let thread = std::thread::spawn(move || (1..=3).try_for_each(|number| sender.send(number)));
    /// let mut sum = Sum(0);
    /// while sum.0 < 6 {
    ///     let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
    ///     let timeout = event_loop.next_deadline().map(left);
    ///     outer.select(&mut events, timeout)?;
    ///     event_loop.run_once(&mut sum, Some(Duration::ZERO))?;
    /// }
    /// thread.join().expect("no panic")?;
    /// # }
    /// # Ok::<(), io::Error>(())
    /// ```
    ///
    /// Inside tokio the same is a task of a current-thread runtime, say. The readiness is cleared before the turn, so that
    /// what comes during it is told:
    ///
    /// ```ignore
    /// // SAFETY: the descriptor of an event loop is the same, and open, for as long as the loop lives.
    /// let mut inner = unsafe { AsyncFd::register_with_interest(event_loop, Interest::READABLE)? };
    /// loop {
    ///     let deadline = inner.get_mut().next_deadline();
    ///     let due = async {
    ///         match deadline {
    ///             Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
    ///             None => std::future::pending().await,
    ///         }
    ///     };
    ///     tokio::select! {
    ///         ready = inner.readable_mut() => ready?.clear_ready(),
    ///         () = due => {}
    ///     }
    ///     if !inner.get_mut().run_once(&mut handler, Some(Duration::ZERO))? {
    ///         break;
    ///     }
    /// }
    /// ```
    pub fn next_deadline(&mut self) -> Option<Instant> {
        let deadline = self.deadline_of_turn();
        // Time passes now; within a turn it stands still.
        if self.inner.running == 0 {
            self.inner.clock.expire();
        }
        deadline
    }

    fn deadline_of_turn(&mut self) -> Option<Instant> {
        if self.inner.has_work() || self.inner.may_have_more() {
            return Some(self.now());
        }
        match self.inner.timers.next(self.inner.repairs_per_turn) {
            Next::Never => None,
            Next::At(deadline) => Some(self.inner.clock.instant(deadline)),
            Next::Unsettled => Some(self.now()),
        }
    }
}

sys::if_nestable! {
    impl<M, S> std::os::fd::AsFd for EventLoop<M, S> {
        /// Readable when the kernel has an event for this loop, or a message or a signal has come since the
        /// last turn: so that the loop can live inside another one. It is not readable for timers, nor for
        /// work that the last turn left behind; [`next_deadline`](EventLoop::next_deadline), which is to be asked
        /// before each wait, tells of both.
        ///
        /// Registering it with a selector to be readable, or waiting for that, is all that may be done with the descriptor.
        ///
        /// Portability: where the kernel waits through a descriptor (epoll, kqueue).
        fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
            self.inner.selector.as_fd()
        }
    }
    /// The descriptor of [`as_fd`](std::os::fd::AsFd::as_fd), for loops that take a number.
    impl<M, S> std::os::fd::AsRawFd for EventLoop<M, S> {
        fn as_raw_fd(&self) -> std::os::fd::RawFd {
            std::os::fd::AsFd::as_fd(self).as_raw_fd()
        }
    }
}
