//! A `BTreeSet` of deadline and slot beside a raw epoll loop: what one writes without a library.

use std::collections::BTreeSet;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use super::{Fired, Timers, put};
use crate::os;

pub struct Loop {
    set: BTreeSet<(u64, u32)>,
    /// By slot, nanoseconds since `epoch`.
    deadlines: Vec<u64>,
    epoch: Instant,
    now: u64,
    epoll: OwnedFd,
    _ready: OwnedFd,
}

impl Timers for Loop {
    type Handle = usize;

    fn new(capacity: usize) -> Self {
        let ready = os::eventfd(1);
        // SAFETY: the call takes no memory, and its result is a new descriptor.
        let epoll = unsafe { OwnedFd::from_raw_fd(libc::epoll_create1(libc::EPOLL_CLOEXEC)) };
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
        // SAFETY: the event lives across the call.
        let result = unsafe {
            libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, ready.as_raw_fd(), &mut event)
        };
        assert_eq!(result, 0);
        Self {
            set: BTreeSet::new(),
            deadlines: Vec::with_capacity(capacity),
            epoch: Instant::now(),
            now: 0,
            epoll,
            _ready: ready,
        }
    }

    fn insert(&mut self, slot: usize, delay: Duration) {
        let deadline = self.now + delay.as_nanos() as u64;
        put(&mut self.deadlines, slot, deadline);
        self.set.insert((deadline, slot as u32));
    }

    fn cancel(&mut self, slot: usize) {
        self.set.remove(&(self.deadlines[slot], slot as u32));
    }

    #[inline(always)]
    fn handle(&self, slot: usize) -> usize {
        slot
    }

    fn push_back(&mut self, handle: usize, delay: Duration) {
        self.cancel(handle);
        self.insert(handle, delay);
    }

    fn turn(&mut self) {
        let timeout = match self.set.first() {
            Some((deadline, _)) => deadline.saturating_sub(self.now).div_ceil(1_000_000) as i32,
            None => -1,
        };
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 64];
        // SAFETY: there is room for 64 events.
        let ready =
            unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), 64, timeout) };
        assert_eq!(ready, 1);
        self.now = self.epoch.elapsed().as_nanos() as u64;
        assert!(self.set.first().is_none_or(|(deadline, _)| *deadline > self.now));
    }

    fn fire(&mut self, fired: &mut Fired) {
        self.now = self.epoch.elapsed().as_nanos() as u64;
        while let Some(&(deadline, slot)) = self.set.first() {
            if deadline > self.now {
                break;
            }
            self.set.pop_first();
            fired.on(slot as usize);
        }
        assert!(fired.is_over());
    }
}
