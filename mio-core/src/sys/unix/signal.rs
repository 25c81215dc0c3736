//! Signals by a handler, a queue and the loop's doorbell.
//!
//! Linux has signalfd(2) for loops; it is not used, for four reasons.
//!
//! - **Masks and threads.** A signalfd hears only of signals that are blocked, and a process-directed
//!   signal goes to any thread that does not block it. So the signal has to be blocked in every thread
//!   of the process, those of libraries included, before it first occurs; the one thread that was
//!   forgotten takes the default action, which for most signals kills the process. A handler belongs to
//!   the process: whichever thread the kernel picks runs it and leaves the occurrence to the loop.
//! - **Children.** A blocked signal stays blocked over fork(2) and execve(2), so that a child would not
//!   hear SIGTERM until its author unblocked it. A handler is reset to the default by execve(2): a
//!   child that runs another program inherits nothing of ours. (What was ignored before a loop took the
//!   signal, as after nohup(1), is at its default in children begun while the loop has it: no mechanism
//!   can both hear of a signal and have it ignored.)
//! - **Speed.** A signalfd is one more source: an event and a read(2) for each batch, in the loop. The
//!   handler costs getpid(2) and its return in the thread that is interrupted, and a write(2) if the loop
//!   sleeps. The loop itself enters the kernel for no signal: it compares two numbers a turn.
//! - **Several loops.** Two signalfds for one signal share it out at random. Here each signal has one
//!   owner, and the second to ask gets an error.
//!
//! What it costs: a thread in a call that the kernel never restarts (epoll_wait(2), poll(2), sleeps;
//! see signal(7)) gets `EINTR` there. `SA_RESTART` is set for all others. `SA_ONSTACK` is set for the
//! sake of threads with small stacks, and every signal is blocked while the handler runs, because Rust's
//! alternate stacks have no room for frames in frames. The handler takes no lock, allocates nothing
//! and leaves `errno` as it was.
//!
//! **Coalescing.** The kernel keeps one pending occurrence of a standard signal: more of them sent
//! before the first was delivered are one. Real-time signals queue. What was delivered goes into a queue
//! of fixed size; if the loop is so late that it is full, the signal is remembered without its
//! sender, once for any number of occurrences.
//!
//! **Fork.** In a child made by fork(2) a hook puts all former dispositions back before fork returns.
//! In the moment before the hook, and in children without hooks (bare clone(2), vfork(2)), the handler
//! sees that it is not in the process of the loop, puts the former disposition back and raises the signal
//! again. Nothing in a child ever wakes the parent's loop.

mod ffi;
mod inbox;
mod table;

use std::{fmt, io, sync::Arc};

#[cfg(test)]
pub(crate) use ffi::raise;
use inbox::Inbox;
#[cfg(test)]
pub(crate) use table::has_handler;

use super::fork;
use crate::queue::Consumer;
pub(crate) use crate::sys::{
    bell::{Bell, Occurrence, SIGNALS},
    names,
};

/// The signals that one loop has, and what occurred of them.
pub(crate) struct Catcher {
    inbox: Arc<Inbox>,
    queued: Consumer<Occurrence>,
    /// Signal `n` is bit `n - 1`.
    owned: u64,
    /// What [`Inbox::arrivals`] was when nothing was left in it.
    seen: usize,
}

impl Catcher {
    /// Takes all memory it will need: room for `capacity` occurrences, rounded up to a power of two.
    pub(crate) fn new(capacity: usize, bell: impl Bell) -> io::Result<Catcher> {
        fork::watch()?;
        table::prepare()?;
        let (inbox, queued) = Inbox::new(capacity, ffi::process_id(), Box::new(bell))?;
        Ok(Catcher { inbox: Arc::new(inbox), queued, owned: 0, seen: 0 })
    }

    /// Which signals it has: signal `n` is bit `n - 1`.
    pub(crate) fn owned(&self) -> u64 {
        self.owned
    }

    pub(crate) fn capacity(&self) -> usize {
        self.queued.queue().capacity()
    }

    /// Takes all of `signals`, of which it has none yet, or none of them. `ResourceBusy`: another loop
    /// of this process has one. `InvalidInput`: the C library keeps one for itself.
    pub(crate) fn claim(&mut self, signals: u64) -> io::Result<()> {
        let mut claimed = 0;
        for signal in 1..=SIGNALS {
            let bit = 1 << (signal - 1);
            if signals & bit != 0 {
                if let Err(error) = table::claim(signal as i32, &self.inbox) {
                    table::release(claimed, &self.inbox);
                    return Err(error);
                }
                claimed |= bit;
            }
        }
        self.owned |= claimed;
        Ok(())
    }

    /// Gives `signals` their former dispositions back. What occurred of them before may still come out.
    pub(crate) fn release(&mut self, signals: u64) {
        table::release(signals & self.owned, &self.inbox);
        self.owned &= !signals;
    }

    /// Whether [`pop`](Catcher::pop) may have something.
    #[inline]
    pub(crate) fn pending(&self) -> bool {
        self.inbox.arrivals() != self.seen
    }

    /// The oldest delivery that was not taken yet.
    pub(crate) fn pop(&mut self) -> Option<Occurrence> {
        // In this order: what is left after the first line makes the number differ.
        let arrivals = self.inbox.arrivals();
        let occurrence = self.queued.pop().or_else(|| self.inbox.pop_overflow());
        if occurrence.is_none() {
            self.seen = arrivals;
        }
        occurrence
    }
}

impl Drop for Catcher {
    fn drop(&mut self) {
        table::release(self.owned, &self.inbox);
    }
}

impl fmt::Debug for Catcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catcher").field("owned", &format_args!("{:#x}", self.owned)).finish()
    }
}
