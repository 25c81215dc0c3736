//! Waking a loop only if it sleeps, and always if it does.

use std::io;

use crate::{
    sync::{Arc, AtomicBool, Ordering, sequenced, store},
    sys::{Waker, signal::Bell},
};

/// A way to end a loop's wait, or to keep its next one from beginning. It must be safe in a signal handler.
pub(crate) trait Wake {
    fn wake(&self) -> io::Result<()>;
}

impl Wake for Arc<Waker> {
    #[inline]
    fn wake(&self) -> io::Result<()> {
        (**self).wake()
    }
}

impl Bell for Arc<Waker> {
    /// Wakes the loop whether it sleeps or not: signals are rare, and the loop need not look for them
    /// before each sleep. There is nobody to tell if waking fails; the next signal tries again.
    fn ring(&self) {
        let _ = self.wake();
    }
}

/// Wakes a loop that sleeps, and costs one load while it does not.
///
/// The loop, once it has nothing to do:
///
/// 1. [`sleep_begin`](Doorbell::sleep_begin);
/// 2. looks again whether anything was published, and if so does not block in the next step;
/// 3. waits in the selector;
/// 4. [`sleep_end`](Doorbell::sleep_end).
///
/// A producer publishes, then [rings](Doorbell::ring). Both sides write (the flag, the publication), then
/// read what the other one writes, so it cannot be that both miss the other, provided that all four
/// accesses are sequentially consistent: a wake-up is never lost. Of all producers that find the flag
/// raised one takes it down and wakes, so there is one wake-up for each sleep and none while the loop works.
///
/// Outside a turn the flag is raised, as it is at first: then somebody else may be waiting for the loop.
#[derive(Debug)]
pub(crate) struct Doorbell<W = Arc<Waker>> {
    sleeping: AtomicBool,
    waker: W,
}

impl<W> Doorbell<W> {
    pub(crate) fn new(waker: W) -> Doorbell<W> {
        Doorbell { sleeping: AtomicBool::new(true), waker }
    }

    #[cfg(test)]
    pub(crate) fn waker(&self) -> &W {
        &self.waker
    }

    /// From here on whoever rings wakes the loop. What was published before must be looked for hereafter, by
    /// `SeqCst` loads like that of [`Consumer::is_empty`](crate::queue::Consumer::is_empty).
    #[inline]
    pub(crate) fn sleep_begin(&self) {
        store(&self.sleeping, true, Ordering::SeqCst);
        sequenced();
    }

    /// As [`sleep_end`](Doorbell::sleep_end), and leaves the flag in the caches of senders if it is down already.
    #[inline]
    pub(crate) fn stay_awake(&self) {
        if self.sleeping.load(Ordering::Relaxed) {
            self.sleep_end();
        }
    }

    /// From here on the loop looks for itself.
    #[inline]
    pub(crate) fn sleep_end(&self) {
        store(&self.sleeping, false, Ordering::Relaxed);
    }
}

impl<W: Wake> Doorbell<W> {
    /// Wakes the loop if it sleeps. Comes after a `SeqCst` store like that of [`Queue::push_with`](crate::queue::Queue::push_with).
    #[inline]
    pub(crate) fn ring(&self) {
        sequenced();
        if self.sleeping.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    /// If waking fails, whoever rings next tries again.
    #[cold]
    fn wake(&self) {
        if self.sleeping.swap(false, Ordering::Relaxed) && self.waker.wake().is_err() {
            store(&self.sleeping, true, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Fails as long as `broken`.
    #[derive(Default)]
    struct Counter {
        wakes: Cell<usize>,
        broken: Cell<bool>,
    }

    impl Wake for Counter {
        fn wake(&self) -> io::Result<()> {
            if self.broken.get() {
                return Err(io::ErrorKind::Other.into());
            }
            self.wakes.set(self.wakes.get() + 1);
            Ok(())
        }
    }

    #[test]
    fn a_sleep_is_ended_by_one_wake() {
        let bell = Doorbell::new(Counter::default());
        for sleep in 1..=3 {
            bell.sleep_begin();
            bell.ring();
            bell.ring();
            assert_eq!(bell.waker.wakes.get(), sleep);
            bell.sleep_end();
            bell.ring();
            assert_eq!(bell.waker.wakes.get(), sleep);
        }
    }

    #[test]
    fn a_loop_that_stays_awake_is_not_woken_whether_it_was_about_to_sleep_or_not() {
        let bell = Doorbell::new(Counter::default());
        for _ in 0..2 {
            bell.stay_awake();
            bell.ring();
        }
        assert_eq!(bell.waker.wakes.get(), 0);
    }

    #[test]
    fn a_loop_that_never_ran_is_woken() {
        let bell = Doorbell::new(Counter::default());
        bell.ring();
        assert_eq!(bell.waker.wakes.get(), 1);
    }

    #[test]
    fn a_failed_wake_is_tried_again_by_the_next_ring() {
        let bell = Doorbell::new(Counter::default());
        bell.waker.broken.set(true);
        bell.ring();
        bell.waker.broken.set(false);
        bell.ring();
        bell.ring();
        assert_eq!(bell.waker.wakes.get(), 1);
    }
}
