//! Timeouts for many who all wait equally long.

use std::{fmt, time::Duration};

/// Queues in which everybody waits equally long, for the timeouts of a server's connections: idle for a minute,
/// say, or five seconds long without an answer.
///
/// Whoever starts to wait now is the last whose time is up, so it goes to the end of its queue, and nothing
/// has to be sorted. A whole queue needs one timer of the [`EventLoop`](crate::EventLoop), set to
/// [`next_deadline`](TimeoutQueues::next_deadline). That makes a connection which comes and goes, and each
/// byte that keeps it alive, cheaper than a timer of its own, which is for waits that differ.
///
/// Those who wait are numbers below a capacity: the [`index`](crate::Key::index)es of the keys of a
/// [`Slab`](crate::Slab), and [`Slab::key_at`](crate::Slab::key_at) makes keys of them again. Each is in one queue at most.
///
/// Time is nanoseconds that the caller knows, [`EventLoop::now_ns`](crate::EventLoop::now_ns) for one, and never goes
/// backwards; nothing here reads a clock.
///
/// ```
/// use std::time::Duration;
/// use mio_core::TimeoutQueues;
///
/// const IDLE: usize = 0;
/// const SECOND: u64 = 1_000_000_000;
/// let mut queues = TimeoutQueues::with_capacity(100, [Duration::from_secs(64)]);
///
/// queues.start(IDLE, 7, 0);
/// queues.start(IDLE, 8, 10 * SECOND);
/// queues.touch(IDLE, 7, 60 * SECOND);
/// assert_eq!(queues.next_deadline(IDLE), Some(75 * SECOND));
/// assert_eq!(queues.first_due(IDLE, 75 * SECOND), Some(8));
/// queues.stop(8);
/// assert_eq!(queues.first_due(IDLE, 124 * SECOND), None);
/// assert_eq!(queues.first_due(IDLE, 125 * SECOND), Some(7));
/// ```
///
/// # How late
///
/// Never early, and late by at most a 64th of the timeout. That is what makes
/// [`touch`](TimeoutQueues::touch) cheap: within a 64th of the timeout after somebody was moved to the end of the
/// queue, it leaves it where it is. So a deadline is a timeout and a 64th of it after the start.
///
/// # Memory
///
/// 16 bytes for each number, reserved at first and used from the lowest on. Everything takes constant time.
pub struct TimeoutQueues<const QUEUES: usize> {
    /// Of each queue a place before its first and after its last; then those of the numbers.
    places: Vec<Place>,
    queues: [Queue; QUEUES],
    capacity: usize,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    since: u64,
    /// Itself, if it is in no queue.
    next: u32,
    previous: u32,
}

#[derive(Clone, Copy, Debug)]
struct Queue {
    /// From the start to the deadline.
    patience: u64,
    /// How long a sign of life changes nothing.
    slack: u64,
}

/// What does not differ by more than this part, as a shift, is the same.
const SLACK: u32 = 6;

impl<const QUEUES: usize> TimeoutQueues<QUEUES> {
    /// Empty queues with these timeouts, for the numbers below `capacity`. One of [`Duration::MAX`] never comes.
    ///
    /// # Panics
    ///
    /// If the memory cannot be reserved, or for a capacity of about 2³² or more.
    #[must_use]
    pub fn with_capacity(capacity: usize, timeouts: [Duration; QUEUES]) -> Self {
        assert!(u32::try_from(QUEUES + capacity).is_ok(), "{capacity} do not fit into 32 bits");
        let queues = timeouts.map(|timeout| {
            let timeout = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
            let slack = timeout >> SLACK;
            Queue { patience: timeout.saturating_add(slack), slack }
        });
        let mut places = Vec::with_capacity(QUEUES + capacity);
        places.extend((0..QUEUES as u32).map(Place::alone));
        TimeoutQueues { places, queues, capacity }
    }

    /// This one waits from `now_ns` on, as the last in `queue`, and in no other.
    ///
    /// # Panics
    ///
    /// If there is no such queue, or if the index is not below the capacity.
    #[inline]
    pub fn start(&mut self, queue: usize, index: usize, now_ns: u64) {
        assert!(queue < QUEUES, "there is no queue {queue}");
        let at = QUEUES.saturating_add(index);
        if at >= self.places.len() {
            self.grow(index);
        }
        let places = &mut self.places[..];
        unlink(places, at);
        let last = places[queue].previous;
        places[at] = Place { since: now_ns, next: queue as u32, previous: last };
        places[last as usize].next = at as u32;
        places[queue].previous = at as u32;
    }

    /// This one, which waits in `queue`, has given a sign of life: its wait starts anew, unless it has hardly begun.
    /// For one that does not wait there it may be a [`start`](TimeoutQueues::start).
    ///
    /// # Panics
    ///
    /// If there is no such queue, or if the index is above all that were ever started.
    #[inline]
    pub fn touch(&mut self, queue: usize, index: usize, now_ns: u64) {
        let since = self.places[QUEUES.saturating_add(index)].since;
        if now_ns.saturating_sub(since) > self.queues[queue].slack {
            self.touch_late(queue, index, now_ns);
        }
    }

    #[inline(never)]
    fn touch_late(&mut self, queue: usize, index: usize, now_ns: u64) {
        self.start(queue, index, now_ns);
    }

    /// This one waits no more, if it did. An index beyond the capacity does nothing.
    #[inline]
    pub fn stop(&mut self, index: usize) {
        let at = QUEUES.saturating_add(index);
        let places = &mut self.places[..];
        if at < places.len() {
            unlink(places, at);
            places[at] = Place::alone(at as u32);
        }
    }

    /// The one whose time is up by `now_ns`, if there is one; of several the one that has waited longest. It stays in
    /// the queue until it is stopped or started anew.
    ///
    /// # Panics
    ///
    /// If there is no such queue.
    #[inline]
    #[must_use]
    pub fn first_due(&self, queue: usize, now_ns: u64) -> Option<usize> {
        let due = self.next_deadline(queue)? <= now_ns;
        due.then(|| self.places[queue].next as usize - QUEUES)
    }

    /// When the time of the first is up; `None` if nobody waits, or nobody's time will ever be up. Those
    /// that come later do not change that.
    ///
    /// # Panics
    ///
    /// If there is no such queue.
    #[inline]
    #[must_use]
    pub fn next_deadline(&self, queue: usize) -> Option<u64> {
        let first = self.places[queue].next as usize;
        let place = self.places[first];
        let deadline = place.since.saturating_add(self.queues[queue].patience);
        (first != queue && deadline < u64::MAX).then_some(deadline)
    }

    /// Takes up the places as far as this index.
    #[cold]
    fn grow(&mut self, index: usize) {
        assert!(index < self.capacity, "{index} is beyond the capacity of {}", self.capacity);
        let used = self.places.len() as u32;
        self.places.extend((used..=(QUEUES + index) as u32).map(Place::alone));
    }
}

/// Without those who wait, who may be many.
impl<const QUEUES: usize> fmt::Debug for TimeoutQueues<QUEUES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeoutQueues").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

/// Joins those on both sides; one who is alone stays so.
#[inline]
fn unlink(places: &mut [Place], at: usize) {
    let Place { next, previous, .. } = places[at];
    places[next as usize].previous = previous;
    places[previous as usize].next = next;
}

impl Place {
    fn alone(at: u32) -> Place {
        Place { since: 0, next: at, previous: at }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        panic::{AssertUnwindSafe, catch_unwind},
    };

    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::cases::cases;

    const CAPACITY: usize = 6;

    fn queues<const QUEUES: usize>(timeouts: [u64; QUEUES]) -> TimeoutQueues<QUEUES> {
        TimeoutQueues::with_capacity(CAPACITY, timeouts.map(Duration::from_nanos))
    }

    #[test]
    fn they_are_printed_without_those_who_wait() {
        let queues = TimeoutQueues::with_capacity(9, [Duration::from_secs(1)]);
        assert_eq!(format!("{queues:?}"), "TimeoutQueues { capacity: 9, .. }");
    }

    #[test]
    fn who_waits_longest_is_due_first_and_stays_until_it_is_stopped() {
        let mut queues = queues([64]);
        for (index, now) in [(5, 0), (0, 1), (3, 1)] {
            queues.start(0, index, now);
        }
        assert_eq!((queues.first_due(0, 64), queues.next_deadline(0)), (None, Some(65)));
        assert_eq!([queues.first_due(0, 65), queues.first_due(0, 1000)], [Some(5); 2]);
        queues.stop(5);
        assert_eq!(queues.first_due(0, 66), Some(0));
        queues.start(0, 0, 66);
        assert_eq!(queues.first_due(0, 66), Some(3));
        queues.stop(3);
        assert_eq!(queues.next_deadline(0), Some(66 + 65));
    }

    #[test]
    fn more_than_16_bits_can_tell_wait_in_their_order() {
        const MANY: usize = 70_000;
        let mut queues = TimeoutQueues::with_capacity(MANY, [Duration::from_nanos(64)]);
        for (now, index) in (0..).zip((0..MANY).rev()) {
            queues.start(0, index, now);
        }
        for (now, index) in (65..).zip((0..MANY).rev()) {
            assert_eq!(queues.first_due(0, now), Some(index));
            queues.stop(index);
        }
        assert_eq!(queues.next_deadline(0), None);
    }

    #[test]
    fn a_sign_of_life_within_a_64th_of_the_timeout_moves_nobody() {
        let mut queues = queues([640]);
        queues.start(0, 1, 100);
        queues.touch(0, 1, 110);
        assert_eq!(
            queues.next_deadline(0),
            Some(100 + 650),
            "640 after the latest sign, and not later than 650"
        );
        queues.touch(0, 1, 111);
        assert_eq!(queues.next_deadline(0), Some(111 + 650));
    }

    #[test]
    fn a_wait_without_end_and_one_of_no_time() {
        let mut queues = TimeoutQueues::with_capacity(2, [Duration::MAX, Duration::ZERO]);
        queues.start(0, 0, 5);
        queues.start(1, 1, 5);
        assert_eq!((queues.next_deadline(0), queues.first_due(0, u64::MAX - 1)), (None, None));
        assert_eq!(queues.first_due(1, 5), Some(1));
    }

    #[test]
    fn places_are_used_from_the_lowest_and_their_memory_is_never_taken_anew() {
        let mut queues = queues([1, 1]);
        let memory = (queues.places.as_ptr(), queues.places.capacity());
        queues.stop(CAPACITY - 1);
        queues.start(1, 1, 0);
        assert_eq!(queues.places.len(), 2 + 2);
        queues.start(0, CAPACITY - 1, 0);
        assert_eq!((queues.places.as_ptr(), queues.places.capacity()), memory);
    }

    #[test]
    fn what_there_is_not_panics_and_changes_nothing() {
        type Use = fn(&mut TimeoutQueues<2>);
        let uses: [Use; 8] = [
            |queues| queues.start(0, CAPACITY, 0),
            |queues| queues.start(0, usize::MAX, 0),
            |queues| queues.start(2, 0, 0),
            |queues| queues.touch(0, CAPACITY, 1_000),
            |queues| queues.touch(0, usize::MAX, 1_000),
            |queues| queues.touch(2, 3, 1_000),
            |queues| assert_eq!(queues.first_due(2, 1_000), None),
            |queues| assert_eq!(queues.next_deadline(2), None),
        ];
        let mut queues = queues([64, 64]);
        queues.start(0, 3, 5);
        for it in uses {
            catch_unwind(AssertUnwindSafe(|| it(&mut queues))).unwrap_err();
        }
        queues.stop(CAPACITY);
        queues.stop(usize::MAX);
        assert_eq!([0, 1].map(|queue| queues.next_deadline(queue)), [Some(5 + 65), None]);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Start(usize, usize),
        Touch(usize),
        Stop(usize),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let index = 0..CAPACITY;
        prop_oneof![
            (0..2usize, index.clone()).prop_map(|(queue, index)| Step::Start(queue, index)),
            index.clone().prop_map(Step::Touch),
            index.prop_map(Step::Stop),
            (0..80u64).prop_map(Step::Pass),
            (0..3u64).prop_map(Step::Pass),
        ]
    }

    proptest! {
        #![proptest_config(cases(8, 2_000))]

        /// Against a table of who gave the latest sign of life when: whoever is due has waited for the timeout,
        /// and whoever has waited for a 64th more is due.
        #[test]
        fn nobody_is_early_and_nobody_later_than_by_a_64th(steps in vec(step(), 0..100)) {
            const TIMEOUTS: [u64; 2] = [640, 150];
            let mut queues = queues(TIMEOUTS);
            let mut waiting: BTreeMap<usize, (usize, u64)> = BTreeMap::new();
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Start(queue, index) => {
                        queues.start(queue, index, now);
                        waiting.insert(index, (queue, now));
                    }
                    Step::Touch(index) => {
                        if let Some((queue, since)) = waiting.get_mut(&index) {
                            queues.touch(*queue, index, now);
                            *since = now;
                        }
                    }
                    Step::Stop(index) => {
                        queues.stop(index);
                        waiting.remove(&index);
                    }
                    Step::Pass(time) => now += time,
                }
                for (queue, timeout) in TIMEOUTS.into_iter().enumerate() {
                    let latest = |since| since + timeout + timeout / 64;
                    while let Some(index) = queues.first_due(queue, now) {
                        queues.stop(index);
                        let (its, since) = waiting.remove(&index).expect("one that waits");
                        prop_assert!(its == queue && since + timeout <= now, "early");
                    }
                    let here = waiting.values().filter(|(its, _)| *its == queue);
                    let least = here.map(|&(_, since)| latest(since)).min();
                    let next = queues.next_deadline(queue);
                    prop_assert!(next.is_none_or(|next| next > now), "due, but not said to be");
                    prop_assert!(least.is_none_or(|least| next.is_some_and(|next| next <= least)), "late");
                    prop_assert_eq!(next.is_some(), least.is_some());
                }
            }
        }
    }
}
