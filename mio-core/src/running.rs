//! Which loops run in this thread, and whether the one that is here is the one that was called here: a
//! callback may take away the loop that it is handed, and put it back at any time.

use std::{cell::Cell, io, ptr};

use crate::{
    event_loop::{EventLoop, Home, Inner, Work},
    token::Scoping,
};

/// How many loops can run in a thread at a time, each in a callback of another.
const RUNS_MAX: usize = 16;

thread_local! {
    static RUNS: Runs = const {
        Runs {
            depth: Cell::new(0),
            runs: [const { Cell::new(Run { place: 0, number: 0 }) }; RUNS_MAX],
            numbers: Cell::new(0),
            robbed: Cell::new(0),
        }
    };
}

/// The runs of a thread, each in a callback of the one before it.
struct Runs {
    depth: Cell<usize>,
    runs: [Cell<Run>; RUNS_MAX],
    /// The last number that was given.
    numbers: Cell<u64>,
    /// The number of the loop that a component was the last to take away.
    robbed: Cell<u64>,
}

#[derive(Clone, Copy)]
struct Run {
    /// The address of its loop, whatever loop that is.
    place: usize,
    /// What the loop has in [`Inner::running`] that was the last known to belong there.
    number: u64,
}

impl Runs {
    fn at(&self, place: usize) -> Option<&Cell<Run>> {
        self.runs[..self.depth.get()].iter().find(|run| run.get().place == place)
    }

    /// `None` if there is one at this place, or no room.
    fn begin(&self, place: usize) -> Option<(u64, Home)> {
        let depth = self.depth.get();
        if self.at(place).is_some() {
            return None;
        }
        let number = self.number();
        self.runs.get(depth)?.set(Run { place, number });
        self.depth.set(depth + 1);
        Some((number, self.home(place)))
    }

    fn end(&self) {
        self.depth.set(self.depth.get() - 1);
    }

    fn number(&self) -> u64 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    fn home(&self, place: usize) -> Home {
        Home { place, thread: ptr::from_ref(self).addr() }
    }
}

/// While this lives, the loop runs. It ends with a panic too.
pub(crate) struct Running<'a, M>(pub(crate) &'a mut EventLoop<M>);

impl<'a, M> Running<'a, M> {
    #[inline]
    pub(crate) fn start(event_loop: &'a mut EventLoop<M>) -> io::Result<Running<'a, M>> {
        let here = event_loop.inner.place();
        let Some((number, home)) = RUNS.with(|runs| runs.begin(here)) else {
            return Err(io::ErrorKind::ResourceBusy.into());
        };
        (event_loop.inner.running, event_loop.inner.home) = (number, home);
        // What a callback that panicked, or took the loop away, left behind.
        event_loop.inner.park_events();
        event_loop.inner.go_to_root();
        Ok(Running(event_loop))
    }
}

impl<M> Drop for Running<'_, M> {
    #[inline]
    fn drop(&mut self) {
        self.0.inner.stop_running();
    }
}

impl<M> Inner<M> {
    /// The scopes that the loop is in, which it left if a callback took it away.
    #[inline]
    pub(crate) fn scoping(&self) -> Scoping {
        if self.scoping.is_root() || !self.is_away() { self.scoping } else { Scoping::ROOT }
    }

    /// Whether a callback took the loop away from where it was called, so that nobody is left who leaves the
    /// scope that it is in. Where loops run it has come back, or nobody knows better. Where it runs in another
    /// thread, its callback has lent it to this one.
    #[cold]
    pub(crate) fn is_away(&self) -> bool {
        let (place, home) = (self.place(), self.home);
        self.running != 0
            && RUNS.with(|runs| match runs.at(place) {
                Some(_) => self.running == runs.robbed.get(),
                None => home.place != place || home.thread == runs.home(place).thread,
            })
    }

    /// Another loop is here than the one that a component was handed. From now on it belongs here, and the other
    /// one has been away if it comes back.
    #[cold]
    pub(crate) fn replace_robbed(&mut self) {
        RUNS.with(|runs| {
            let Some(run) = runs.at(self.place()) else { return };
            if run.get().number != self.running {
                runs.robbed.set(run.get().number);
                self.belong(runs, run);
            }
        });
    }

    /// If the loop was taken away, leaves the scopes that it was in, and belongs to where it is now.
    #[cold]
    #[inline(never)]
    pub(crate) fn settle(&mut self) {
        if self.is_away() {
            RUNS.with(|runs| match runs.at(self.place()) {
                Some(run) => self.belong(runs, run),
                None => self.running = 0,
            });
            self.go_to_root();
        }
    }

    fn belong(&mut self, runs: &Runs, run: &Cell<Run>) {
        self.running = runs.number();
        self.home = runs.home(self.place());
        run.set(Run { number: self.running, ..run.get() });
    }

    /// Leaves all scopes. What a component failed with there fails the run.
    #[inline]
    pub(crate) fn go_to_root(&mut self) {
        if !self.scoping.is_root() {
            self.leave_all();
        }
    }

    #[cold]
    fn leave_all(&mut self) {
        self.scoping = Scoping::ROOT;
        if let Some((_, error)) = self.uncaught.take() {
            self.error.get_or_insert(error);
            self.work |= Work::STOP;
        }
    }

    // Out of line: what it needs has no business in the registers of a turn.
    #[inline(never)]
    fn stop_running(&mut self) {
        RUNS.with(Runs::end);
        self.running = 0;
        // Who knows how long it is until the next turn.
        self.clock.expire();
        // An outer loop may wait for the descriptor now.
        self.receiver.doorbell().sleep_begin();
    }

    fn place(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}
