//! The promises of the store, one by one and against a model.

use super::*;
use crate::cases::cases;
use proptest::{collection::vec, prelude::*};
use std::ops::Range;

const PLENTY: usize = usize::MAX;
const MANY: Range<usize> = if cfg!(miri) { 60..100 } else { 400..800 };

fn timers(capacity: usize) -> Timers {
    Timers::with_capacity(capacity).unwrap()
}

fn pop(timers: &mut Timers, now: u64) -> Option<Due> {
    pop_within(timers, now, &mut PLENTY.clone())
}

/// As a loop does.
fn pop_within(timers: &mut Timers, now: u64, moves: &mut usize) -> Option<Due> {
    timers.pop_known().or_else(|| timers.pop_due(now, moves))
}

fn tokens(timers: &mut Timers, now: u64) -> Vec<u64> {
    std::iter::from_fn(|| pop(timers, now)).map(|due| due.token).collect()
}

#[test]
fn fires_in_order_of_deadline_and_ties_in_order_of_insertion() {
    let mut timers = timers(8);
    for (deadline, token) in [(7, 0), (5, 1), (7, 2), (5, 3), (6, 4), (5, 5), (7, 6), (8, 7)] {
        timers.insert(deadline, 0, token).unwrap();
    }
    assert_eq!(timers.next(PLENTY), Next::At(5));
    assert_eq!(tokens(&mut timers, 4), []);
    assert_eq!(tokens(&mut timers, 7), [1, 3, 5, 4, 0, 2, 6]);
    assert_eq!(timers.next(PLENTY), Next::At(8));
    assert_eq!(tokens(&mut timers, 8), [7]);
    assert_eq!(timers.next(PLENTY), Next::Never);
    assert!(timers.is_empty());
}

#[test]
fn a_rescheduled_timer_keeps_its_turn_among_ties() {
    let mut timers = timers(3);
    let first = timers.insert(1, 0, 1).unwrap();
    timers.insert(5, 0, 2).unwrap();
    let third = timers.insert(9, 0, 3).unwrap();
    assert!(timers.reschedule(third, 5));
    assert!(timers.reschedule(first, 5));
    assert_eq!(tokens(&mut timers, 5), [1, 2, 3]);
}

#[test]
fn a_stale_handle_finds_nothing() {
    let mut timers = timers(1);
    let fired = timers.insert(1, 0, 1).unwrap();
    assert_eq!(pop(&mut timers, 1).unwrap().timeout, fired);
    let cancelled = timers.insert(1, 0, 2).unwrap();
    assert!(timers.cancel(cancelled));
    let live = timers.insert(1, 0, 3).unwrap();
    for stale in [fired, cancelled] {
        assert!(!timers.cancel(stale));
        assert!(!timers.reschedule(stale, 9));
        assert_eq!(timers.deadline(stale), None);
    }
    assert_eq!(timers.deadline(live), Some(1));
    assert_eq!(tokens(&mut timers, 1), [3]);
}

#[test]
fn a_handle_of_another_store_finds_nothing() {
    let mut larger = timers(2);
    larger.insert(1, 0, 1).unwrap();
    let foreign = larger.insert(1, 0, 2).unwrap();
    let mut smaller = timers(1);
    smaller.insert(1, 0, 3).unwrap();
    assert!(!smaller.cancel(foreign));
}

#[test]
fn is_full_at_its_capacity_and_has_room_again_after() {
    let mut timers = timers(2);
    let first = timers.insert(1, 0, 1).unwrap();
    timers.insert(2, 0, 2).unwrap();
    assert_eq!(timers.insert(3, 0, 3), Err(Full));
    assert_eq!((timers.len(), timers.capacity()), (2, 2));
    assert!(timers.cancel(first));
    timers.insert(3, 0, 3).unwrap();
    assert_eq!(timers.insert(4, 0, 4), Err(Full));
    assert_eq!(tokens(&mut timers, 9), [2, 3]);
    assert_eq!(Timers::with_capacity(0).unwrap().insert(1, 0, 1), Err(Full));
}

#[test]
fn memory_that_cannot_be_had_is_an_error() {
    let error = Timers::with_capacity(usize::MAX).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
}

#[test]
fn an_interval_keeps_its_phase_and_counts_what_it_missed() {
    let mut timers = timers(1);
    let timeout = timers.insert(10, 10, 1).unwrap();
    let fired = |deadline, missed| Some(Due { timeout, token: 1, deadline, missed });
    assert_eq!(pop(&mut timers, 9), None);
    assert_eq!(pop(&mut timers, 19), fired(10, 0));
    assert_eq!(pop(&mut timers, 19), None);
    assert_eq!(pop(&mut timers, 20), fired(20, 0));
    assert_eq!(pop(&mut timers, 65), fired(30, 3));
    assert_eq!(timers.deadline(timeout), Some(70));
    assert_eq!(timers.next(PLENTY), Next::At(70));
    assert!(timers.reschedule(timeout, 73));
    assert_eq!(pop(&mut timers, 73), fired(73, 0));
    assert_eq!(timers.deadline(timeout), Some(83));
    assert!(timers.cancel(timeout));
    assert_eq!(pop(&mut timers, 100), None);
}

#[test]
fn a_saturated_deadline_never_comes() {
    let mut timers = timers(4);
    timers.insert(u64::MAX, 0, 1).unwrap();
    timers.insert(u64::MAX, 7, 2).unwrap();
    let last = timers.insert(u64::MAX - 1, 3, 3).unwrap();
    assert_eq!(timers.next(PLENTY), Next::At(u64::MAX - 1));
    assert_eq!(tokens(&mut timers, u64::MAX), [3]);
    assert_eq!(timers.deadline(last), Some(u64::MAX));
    assert_eq!(timers.next(PLENTY), Next::Never);
    assert_eq!(timers.len(), 3);
}

#[test]
fn a_timer_in_the_place_of_a_cancelled_one_comes_after_others_of_its_deadline() {
    // In the wheel, and when they are in order already because another one was due.
    for now in [99, 100] {
        let mut timers = timers(8);
        timers.insert(100, 0, 0).unwrap();
        let first = timers.insert(101, 0, 1).unwrap();
        for token in 2..6 {
            timers.insert(101, 0, token).unwrap();
        }
        assert_eq!(pop(&mut timers, now).is_some(), now == 100);
        assert!(timers.cancel(first));
        timers.insert(101, 0, 6).unwrap();
        assert!(tokens(&mut timers, 101).ends_with(&[2, 3, 4, 5, 6]));
    }
}

#[test]
fn timers_that_are_brought_forward_take_no_more_room_each_time() {
    const LEVELS: u32 = if cfg!(miri) { 1 } else { 6 };
    let mut timers = timers(4);
    let handles = [0, 1, 2, 3].map(|token| timers.insert(1 << 40, 0, token).unwrap());
    // Each time into a bucket before the former.
    for sooner in
        (0..LEVELS).rev().flat_map(|level| (1..64).rev().map(move |digit| digit << (6 * level)))
    {
        for timeout in handles {
            assert!(timers.reschedule(timeout, sooner));
        }
        timers.check();
    }
    assert_eq!(timers.next(PLENTY), Next::At(1));
    assert_eq!(tokens(&mut timers, 1 << 40), [0, 1, 2, 3]);
}

#[test]
fn a_glance_is_enough_while_timers_are_pushed_back_by_little() {
    const AWAY: u64 = 60 * LONG;
    let mut timers = timers(8);
    assert_eq!(timers.glance(0), None);
    let idle = [AWAY, AWAY + 2, AWAY + 5].map(|at| timers.insert(at, 0, 1).unwrap());
    assert_eq!(timers.glance(0), Some(AWAY));
    let hardly_later = AWAY + (AWAY >> HARDLY);
    assert!(timers.reschedule(idle[0], hardly_later));
    assert_eq!(timers.glance(0), Some(hardly_later));
    assert!(timers.reschedule(idle[0], hardly_later + 1));
    assert_eq!(timers.glance(0), None);
    // Every one is pushed back, again and again: it is looked at properly once in a while only.
    let mut careful = 0;
    for now in AWAY..2 * AWAY {
        for timeout in idle {
            assert!(timers.reschedule(timeout, now + AWAY));
        }
        if timers.glance(now).is_none() {
            assert_eq!(timers.next(PLENTY), Next::At(now + AWAY));
            careful += 1;
        }
        assert_eq!(timers.glance(now), Some(now + AWAY));
    }
    assert!(careful <= 1 + (1 << HARDLY), "{careful}");
    // One that is cancelled, or soon due, is no reason to sleep.
    assert!(idle.iter().all(|&timeout| timers.cancel(timeout)));
    assert_eq!(timers.glance(2 * AWAY), None);
    timers.insert(2 * AWAY + LONG - 1, 0, 2).unwrap();
    assert_eq!(timers.glance(2 * AWAY), None);
}

#[test]
fn many_timers_pushed_back_are_repaired_a_bounded_number_at_a_time() {
    const LIVE: u64 = if cfg!(miri) { 200 } else { 100_000 };
    const BUDGET: usize = 1_000;
    let mut timers = timers(LIVE as usize + 1);
    let handles: Vec<_> = (0..LIVE).map(|i| timers.insert(i % 1_000, 0, i).unwrap()).collect();
    for timeout in handles {
        timers.reschedule(timeout, 1_000_000);
    }
    timers.insert(2_000, 0, LIVE).unwrap();
    let mut calls = 0;
    while timers.next(BUDGET) == Next::Unsettled {
        let mut repairs = BUDGET;
        assert_eq!(timers.pop_due(1_999, &mut repairs), None);
        calls += 1;
    }
    // A few repairs each, two budgets a round.
    assert!(calls <= 8 * LIVE as usize / (2 * BUDGET) + 1, "{calls}");
    assert_eq!(timers.next(PLENTY), Next::At(2_000));
    assert_eq!(tokens(&mut timers, 2_000), [LIVE]);
    assert_eq!(tokens(&mut timers, 1_000_000), Vec::from_iter(0..LIVE));
}

#[test]
fn many_timers_close_together_are_sorted_out_a_bounded_number_at_a_time() {
    const LIVE: u64 = if cfg!(miri) { 200 } else { 100_000 };
    const BUDGET: usize = LIVE as usize / 10;
    let mut timers = timers(LIVE as usize);
    let handles: Vec<_> =
        (0..LIVE).map(|token| timers.insert((1 << 40) + token, 0, token).unwrap()).collect();
    assert!(timers.cancel(handles[0]));
    let calls = (1..).find(|_| timers.next(BUDGET) != Next::Unsettled).unwrap();
    assert!((5..=60).contains(&calls), "{calls}");
    assert_eq!(timers.next(PLENTY), Next::At((1 << 40) + 1));
    let mut calls = 0;
    while !timers.is_empty() {
        let mut moves = BUDGET;
        while pop_within(&mut timers, u64::MAX, &mut moves).is_some() {}
        calls += 1;
    }
    assert!((5..=60).contains(&calls), "{calls}");
}

#[test]
fn a_clock_that_jumps_hours_ahead_costs_work_only_for_what_is_due() {
    const HOUR: u64 = 3_600_000_000_000;
    let mut timers = timers(1_000);
    timers.insert(HOUR + 1, 0, 0).unwrap();
    for token in 1..1_000 {
        timers.insert(20 * HOUR + token, 0, token).unwrap();
    }
    let mut moves = 1;
    assert_eq!(timers.pop_due(10 * HOUR, &mut moves).map(|due| due.token), Some(0));
    assert_eq!(timers.pop_due(10 * HOUR, &mut 1), None);
    assert_eq!(timers.pop_due(19 * HOUR, &mut 1), None);
    assert_eq!(tokens(&mut timers, 20 * HOUR + 2), [1, 2]);
}

#[derive(Clone, Debug)]
enum Step {
    Insert { delay: u64, period: u64 },
    Cancel(usize),
    Reschedule(usize, u64),
    Glance,
    Next(usize),
    Pop { elapsed: u64, repairs: usize },
}

/// Mostly close together, so that there are ties; now and then far off.
fn span() -> impl Strategy<Value = u64> {
    (0u8..16, any::<u64>()).prop_map(|(kind, bits)| match kind {
        0..9 => bits % 8,
        9..12 => bits % 300,
        12..15 => bits % 100_000,
        _ => bits >> (bits % 64),
    })
}

fn step() -> impl Strategy<Value = Step> {
    (0u8..16, span(), any::<u16>()).prop_map(|(kind, span, other)| match kind {
        0..6 => Step::Insert { delay: span, period: [0, 0, 3, span][usize::from(other % 4)] },
        6..8 => Step::Cancel(other.into()),
        8..12 => Step::Reschedule(other.into(), span),
        12 if other % 2 == 0 => Step::Glance,
        12 => Step::Next(usize::from(other % 4)),
        _ => Step::Pop { elapsed: span % 1_000, repairs: usize::from(other % 8) },
    })
}

/// What the store promises, as plainly as it can be written.
#[derive(Default)]
struct Model {
    now: u64,
    live: Vec<Timer>,
}

#[derive(Clone, Copy)]
struct Timer {
    timeout: Timeout,
    token: u64,
    deadline: u64,
    period: u64,
}

impl Model {
    fn find(&mut self, timeout: Timeout) -> Option<&mut Timer> {
        self.live.iter_mut().find(|timer| timer.timeout == timeout)
    }

    fn remove(&mut self, timeout: Timeout) -> bool {
        let before = self.live.len();
        self.live.retain(|timer| timer.timeout != timeout);
        self.live.len() < before
    }

    /// The tokens are counted up, so they tell who was inserted first.
    fn first(&self) -> Option<Timer> {
        let waiting = self.live.iter().filter(|timer| timer.deadline != u64::MAX);
        waiting.min_by_key(|timer| (timer.deadline, timer.token)).copied()
    }

    fn pop(&mut self) -> Option<Due> {
        let Timer { timeout, token, deadline, period } =
            self.first().filter(|timer| timer.deadline <= self.now)?;
        let missed = (self.now - deadline).checked_div(period).unwrap_or(0);
        if period == 0 {
            self.remove(timeout);
        } else {
            let elapsed = u128::from(period) * (u128::from(missed) + 1);
            let next = u128::from(deadline) + elapsed;
            self.find(timeout).unwrap().deadline = next.try_into().unwrap_or(u64::MAX);
        }
        Some(Due { timeout, token, deadline, missed })
    }
}

fn behaves_as_the_model(capacity: usize, epoch: u64, steps: &[Step]) {
    let mut timers = timers(capacity);
    let room = timers.near.room();
    let mut model = Model { now: epoch, ..Model::default() };
    let mut handles = Vec::new();
    for (token, step) in (0..).zip(steps) {
        let pick = |number: usize| handles.get(number % handles.len().max(1)).copied();
        match *step {
            Step::Insert { delay, period } => {
                let deadline = model.now.saturating_add(delay);
                let inserted = timers.insert(deadline, period, token);
                assert_eq!(inserted.is_err(), model.live.len() == capacity);
                if let Ok(timeout) = inserted {
                    handles.push(timeout);
                    model.live.push(Timer { timeout, token, deadline, period });
                }
            }
            Step::Cancel(number) => {
                let Some(timeout) = pick(number) else { continue };
                assert_eq!(timers.cancel(timeout), model.remove(timeout));
            }
            Step::Reschedule(number, delay) => {
                let Some(timeout) = pick(number) else { continue };
                let deadline = model.now.saturating_add(delay);
                let timer = model.find(timeout);
                assert_eq!(timers.reschedule(timeout, deadline), timer.is_some());
                if let Some(timer) = timer {
                    timer.deadline = deadline;
                }
            }
            Step::Glance => {
                let Some(deadline) = timers.glance(model.now) else { continue };
                let least = model.first().unwrap().deadline;
                assert!(model.live.iter().any(|timer| timer.deadline == deadline));
                assert!(least - model.now >= LONG && least <= deadline);
                assert!(deadline - least <= (deadline - model.now) >> HARDLY);
            }
            Step::Next(repairs) => match timers.next(repairs) {
                Next::At(deadline) => {
                    assert_eq!(model.first().map(|timer| timer.deadline), Some(deadline));
                }
                Next::Never => assert!(model.first().is_none()),
                Next::Unsettled => assert!(!model.live.is_empty()),
            },
            Step::Pop { elapsed, repairs } => {
                model.now = model.now.saturating_add(elapsed);
                let mut left = repairs;
                let due = pop_within(&mut timers, model.now, &mut left);
                if due.is_some() || left > 0 {
                    assert_eq!(due, model.pop());
                }
            }
        }
        if token % 8 == 0 {
            timers.check();
        }
        assert_eq!(timers.len(), model.live.len());
    }
    for timer in &model.live {
        assert_eq!(timers.deadline(timer.timeout), Some(timer.deadline));
    }
    model.live.iter_mut().for_each(|timer| timer.period = 0);
    timers.slots.forget_periods();
    model.now = u64::MAX;
    while let Some(due) = model.pop() {
        assert_eq!(timers.next(PLENTY), Next::At(due.deadline));
        assert_eq!(pop(&mut timers, u64::MAX), Some(due));
    }
    assert_eq!(pop(&mut timers, u64::MAX), None);
    timers.check();
    assert_eq!(timers.near.room(), room, "memory was taken");
}

proptest! {
    #![proptest_config(cases(8, 20_000))]

    #[test]
    fn few_timers_behave_as_the_model(
        capacity in 0usize..24,
        epoch in prop_oneof![Just(0), any::<u64>(), Just(u64::MAX - 50)],
        steps in vec(step(), 0..40),
    ) {
        behaves_as_the_model(capacity, epoch, &steps);
    }
}

proptest! {
    #![proptest_config(cases(1, 100))]

    #[test]
    fn many_timers_behave_as_the_model(steps in vec(step(), MANY)) {
        behaves_as_the_model(300, 0, &steps);
    }
}

impl Timers {
    /// What always holds between the parts.
    fn check(&self) {
        let (far, orphans_of_run) = self.far.check(&self.slots, self.dealing);
        let (run, heap) = self.near.check(&self.slots);
        let is_in_run = |&(index, _): &(u32, &Slot)| self.is_in_run(index);
        let of_run: Vec<u32> =
            self.slots.iter().filter(is_in_run).map(|(index, _)| index).collect();
        assert_eq!(of_run.len() + orphans_of_run, run.len());
        for index in &of_run {
            let first = run.iter().find(|entry| entry.slot == *index).expect("an entry");
            assert!(first.key <= self.slots[*index].deadline);
        }
        for &(place, index) in far.iter().chain(&heap) {
            let slot = &self.slots[index];
            assert_eq!(slot.place, place);
            assert!(slot.sequence.is_some() || !place.is_heap());
        }
        let with = self.slots.iter().filter(|(_, slot)| slot.place != Place::NOWHERE).count();
        assert_eq!(far.len() + heap.len() + of_run.len(), with);
        let mut without = self.slots.iter().filter(|(_, slot)| slot.place == Place::NOWHERE);
        assert!(without.all(|(_, slot)| slot.deadline == u64::MAX));
        let live = self.slots.iter().filter(|(_, slot)| slot.sequence.is_some()).count();
        assert_eq!(self.len(), live);
    }
}
