//! The exit of child processes.

use std::{collections::VecDeque, io, process::ExitStatus};

use crate::{
    full::Full,
    selector::Selector,
    signal::{Signal, Signals},
    sys::{ChildWatch, child},
    token::CHILDREN,
};

/// A child process that has ended.
///
/// The child has not been reaped: its [`wait`](std::process::Child::wait) returns at once, and still has
/// to be called, or the child remains a zombie until this process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildExit {
    pid: u32,
    status: Option<ExitStatus>,
}

impl ChildExit {
    /// The child's process number, as [`std::process::Child::id`] has it.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended. `None` if somebody has reaped it before the loop could look: another thread that
    /// called `wait`, or the kernel, because SIGCHLD is ignored.
    ///
    /// Portability: Windows tells it always.
    #[must_use]
    pub const fn status(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Whether it is known to have exited with the code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code() == Some(0)
    }

    /// Its exit code, if it exited.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status().and_then(|status| status.code())
    }

    /// The signal that ended it, if one did.
    ///
    /// Portability: Unix.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        self.status.and_then(child::signal).and_then(Signal::from_raw)
    }

    /// Whether it left a core file.
    ///
    /// Portability: Unix.
    #[must_use]
    pub fn core_dumped(&self) -> bool {
        self.status.is_some_and(child::core_dumped)
    }
}

/// The children that one loop watches: each through its selector or, where that cannot tell, by SIGCHLD.
///
/// On SIGCHLD every child that is watched in this way is looked at: signals coalesce, so that the pid of
/// one tells nothing of the others. SIGCHLD has one owner in a process, so there only one loop at a time
/// can watch children.
#[derive(Debug)]
pub(crate) struct Children {
    slots: Box<[Slot]>,
    /// The slots to look at, each at most once, so that it never grows.
    queue: VecDeque<usize>,
    /// How many are watched by SIGCHLD.
    by_signal: usize,
}

#[derive(Debug)]
struct Slot {
    /// Whether it is in the queue; that may outlive what it was put there for.
    queued: bool,
    watched: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    pid: u32,
    token: u64,
    how: How,
}

#[derive(Debug)]
enum How {
    Watch(ChildWatch),
    Signal,
    /// It had ended, with this status, before it was watched.
    Ended(ExitStatus),
}

impl Children {
    /// Room for `capacity` children, all memory taken. The selector reports the one in slot `i` under the
    /// token [`CHILDREN`]` + i`.
    pub(crate) fn with_capacity(capacity: usize) -> Children {
        Children {
            slots: (0..capacity).map(|_| Slot { queued: false, watched: None }).collect(),
            queue: VecDeque::with_capacity(capacity),
            by_signal: 0,
        }
    }

    /// How many can be watched at once.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Reports the exit of the child `pid` under `token`, once; also if it has exited already.
    ///
    /// `ECHILD`: it is no child of this process, or it was reaped. `AlreadyExists`: it is watched.
    /// [`Full`]. `InvalidInput`: no process has such a number. What opening and registering a
    /// watch may answer. `ResourceBusy`: it takes SIGCHLD, which another loop has.
    pub(crate) fn watch(
        &mut self,
        pid: u32,
        token: u64,
        selector: &Selector,
        signals: &mut Signals,
    ) -> io::Result<()> {
        if self.find(pid).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let index = self.slots.iter().position(|slot| slot.watched.is_none()).ok_or(Full)?;
        let mut running = true;
        let how = match ChildWatch::open(pid)? {
            Some(watch) => match watch.peek()? {
                Some(status) => How::Ended(status),
                None => {
                    running = watch.register(selector.sys(), CHILDREN + index as u64)?;
                    How::Watch(watch)
                }
            },
            None => self.watch_by_signal(pid, signals)?,
        };
        running &= !matches!(how, How::Ended(_));
        self.slots[index].watched = Some(Watched { pid, token, how });
        if !running {
            self.enqueue(index);
        }
        Ok(())
    }

    /// Reports nothing of the child `pid` any more. Answers whether it was still watched.
    pub(crate) fn forget(&mut self, pid: u32, selector: &Selector, signals: &mut Signals) -> bool {
        let found = self.find(pid);
        if let Some(index) = found {
            self.vacate(index, selector, signals);
        }
        found.is_some()
    }

    /// The selector has reported the token of `slot`. That it is stale does no harm.
    pub(crate) fn ready(&mut self, slot: usize) {
        if slot < self.slots.len() {
            self.enqueue(slot);
        }
    }

    /// To be called after `signals` were popped: if SIGCHLD was among them, the children that are watched
    /// by it are to be looked at.
    #[inline]
    pub(crate) fn heed(&mut self, signals: &mut Signals) {
        if signals.take_child_changed() {
            self.enqueue_by_signal();
        }
    }

    /// Whether [`pop`](Children::pop) may have something.
    #[inline]
    pub(crate) fn pending(&self) -> bool {
        !self.queue.is_empty()
    }

    /// A child that has exited, with its token; it is not watched any more.
    pub(crate) fn pop(
        &mut self,
        selector: &Selector,
        signals: &mut Signals,
    ) -> Option<(u64, ChildExit)> {
        while let Some(index) = self.queue.pop_front() {
            let slot = &mut self.slots[index];
            slot.queued = false;
            let Some(Watched { pid, token, how }) = &slot.watched else { continue };
            let (pid, token) = (*pid, *token);
            let status = match how {
                How::Watch(watch) => watch.peek(),
                How::Signal => child::peek(pid),
                How::Ended(status) => Ok(Some(*status)),
            };
            let status = match status {
                Ok(None) => continue,
                Ok(status) => status,
                // It was our child when it was watched, so it has ended and was reaped.
                Err(_) => None,
            };
            self.vacate(index, selector, signals);
            return Some((token, ChildExit { pid, status }));
        }
        None
    }

    fn watch_by_signal(&mut self, pid: u32, signals: &mut Signals) -> io::Result<How> {
        // In this order: an exit after the look is one that SIGCHLD tells of.
        signals.watch_children()?;
        let how = match child::peek(pid) {
            Ok(None) => {
                self.by_signal += 1;
                Ok(How::Signal)
            }
            Ok(Some(status)) => Ok(How::Ended(status)),
            Err(error) => Err(error),
        };
        self.settle(signals);
        how
    }

    fn vacate(&mut self, index: usize, selector: &Selector, signals: &mut Signals) {
        match self.slots[index].watched.take() {
            Some(Watched { how: How::Watch(watch), .. }) => watch.deregister(selector.sys()),
            Some(Watched { how: How::Signal, .. }) => {
                self.by_signal -= 1;
                self.settle(signals);
            }
            _ => {}
        }
    }

    /// Gives SIGCHLD back if nobody is watched by it.
    fn settle(&mut self, signals: &mut Signals) {
        if self.by_signal == 0 {
            signals.forget_children();
        }
    }

    fn enqueue_by_signal(&mut self) {
        for index in 0..self.slots.len() {
            if matches!(self.slots[index].watched, Some(Watched { how: How::Signal, .. })) {
                self.enqueue(index);
            }
        }
    }

    fn enqueue(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if !slot.queued && slot.watched.is_some() {
            slot.queued = true;
            self.queue.push_back(index);
        }
    }

    fn find(&self, pid: u32) -> Option<usize> {
        let is_it = |slot: &Slot| slot.watched.as_ref().is_some_and(|watched| watched.pid == pid);
        self.slots.iter().position(is_it)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        os::unix::process::ExitStatusExt,
        process::{self, Child, Command},
        sync::MutexGuard,
        time::Duration,
    };

    use super::*;
    use crate::{selector::Events, signal::tests::sigchld, sync::Arc, sys, token::WAKE};

    /// What a loop has, and its turn.
    struct Loop {
        selector: Selector,
        signals: Signals,
        children: Children,
        /// Where children are watched by SIGCHLD, one loop at a time has it.
        _sigchld: MutexGuard<'static, ()>,
    }

    impl Loop {
        fn new(capacity: usize) -> Loop {
            let sigchld = sigchld();
            let selector = Selector::new().unwrap();
            let waker = sys::Waker::new(selector.sys(), WAKE).unwrap();
            Loop {
                selector,
                signals: Signals::new(4, Arc::new(waker)).unwrap(),
                children: Children::with_capacity(capacity),
                _sigchld: sigchld,
            }
        }

        fn watch(&mut self, pid: u32, token: u64) -> io::Result<()> {
            self.children.watch(pid, token, &self.selector, &mut self.signals)
        }

        fn turn(&mut self, timeout: Duration) -> Option<(u64, ChildExit)> {
            if !self.children.pending() {
                let mut events = Events::with_capacity(8);
                self.selector.select(&mut events, Some(timeout)).unwrap();
                for event in events.iter().filter(|event| event.token != WAKE) {
                    self.children.ready((event.token - CHILDREN) as usize);
                }
                while self.signals.pop().is_some() {}
                self.children.heed(&mut self.signals);
            }
            self.children.pop(&self.selector, &mut self.signals)
        }

        fn next(&mut self) -> (u64, ChildExit) {
            let exit = (0..1000).find_map(|_| self.turn(Duration::from_secs(10)));
            exit.expect("a child exits within the turns")
        }
    }

    fn shell(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).spawn().unwrap()
    }

    #[test]
    fn an_exit_is_told_with_its_code_and_the_owner_can_still_wait() {
        let mut event_loop = Loop::new(1);
        for code in [0, 3, 255] {
            let mut child = shell(&format!("exit {code}"));
            event_loop.watch(child.id(), 9).unwrap();
            let (token, exit) = event_loop.next();
            assert_eq!((token, exit.pid(), exit.code()), (9, child.id(), Some(code)));
            assert_eq!((exit.success(), exit.signal()), (code == 0, None));
            assert_eq!(child.wait().ok(), exit.status());
            assert!(event_loop.turn(Duration::ZERO).is_none(), "it is told once");
        }
    }

    #[test]
    fn an_end_by_a_signal_is_told_as_such() {
        let mut event_loop = Loop::new(1);
        let mut child = shell("kill -TERM $$; sleep 5");
        event_loop.watch(child.id(), 1).unwrap();
        let (_, exit) = event_loop.next();
        assert_eq!((exit.code(), exit.signal()), (None, Some(Signal::TERM)));
        assert!(!exit.success() && !exit.core_dumped());
        assert_eq!(child.wait().ok(), exit.status());
    }

    #[test]
    fn a_core_file_is_told_of() {
        let ended_by = |raw| ChildExit { pid: 1, status: Some(ExitStatus::from_raw(raw)) };
        let (core, no_core) = (ended_by(libc::SIGABRT | 0x80), ended_by(libc::SIGABRT));
        assert_eq!([core, no_core].map(|exit| exit.core_dumped()), [true, false]);
        assert_eq!([core, no_core].map(|exit| exit.signal()), [Some(Signal::ABRT); 2]);
    }

    #[test]
    fn a_slot_is_to_be_looked_at_once_however_often_it_is_reported() {
        let mut event_loop = Loop::new(2);
        let mut child = shell("exec sleep 100");
        event_loop.watch(child.id(), 1).unwrap();
        for slot in [0, 0, 1, 2, 0] {
            event_loop.children.ready(slot);
        }
        assert_eq!(event_loop.children.queue, [0]);
        let _ = child.kill();
        child.wait().unwrap();
    }

    #[test]
    fn a_child_that_had_exited_before_is_told_of_at_the_next_turn() {
        let mut event_loop = Loop::new(1);
        let mut child = shell("exit 4");
        while child::peek(child.id()).unwrap().is_none() {
            std::thread::yield_now();
        }
        event_loop.watch(child.id(), 1).unwrap();
        assert!(event_loop.children.pending());
        // Reaped after the loop has seen it: it knows all the same.
        child.wait().unwrap();
        assert_eq!(event_loop.turn(Duration::ZERO).unwrap().1.code(), Some(4));
    }

    #[test]
    fn a_child_that_somebody_else_has_reaped_has_no_status() {
        let mut event_loop = Loop::new(1);
        let mut child = shell("exec sleep 100");
        event_loop.watch(child.id(), 1).unwrap();
        let _ = child.kill();
        child.wait().unwrap();
        let (_, exit) = event_loop.next();
        assert_eq!((exit.pid(), exit.status(), exit.success()), (child.id(), None, false));
    }

    #[test]
    fn what_is_no_child_of_ours_is_refused() {
        let mut event_loop = Loop::new(1);
        for pid in [1, process::id(), i32::MAX as u32] {
            let error = event_loop.watch(pid, 1).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ECHILD), "{pid}");
        }
        for pid in [0, u32::MAX] {
            let error = event_loop.watch(pid, 1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
        let mut child = shell("exit 0");
        child.wait().unwrap();
        let error = event_loop.watch(child.id(), 1).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
    }

    #[test]
    fn a_full_table_and_a_second_watch_are_refused_and_a_forgotten_child_is_not_told_of() {
        let mut event_loop = Loop::new(2);
        let mut children = [(); 3].map(|()| shell("exec sleep 100"));
        let ids = children.each_ref().map(Child::id);
        event_loop.watch(ids[0], 1).unwrap();
        let kind = |result: io::Result<()>| result.unwrap_err().kind();
        assert_eq!(kind(event_loop.watch(ids[0], 2)), io::ErrorKind::AlreadyExists);
        event_loop.watch(ids[1], 2).unwrap();
        assert_eq!(kind(event_loop.watch(ids[2], 3)), io::Error::from(Full).kind());

        let Loop { selector, signals, children: table, .. } = &mut event_loop;
        // Reported by the selector, and then forgotten.
        table.ready(0);
        assert!(table.forget(ids[0], selector, signals));
        assert!(!table.forget(ids[0], selector, signals));
        event_loop.watch(ids[2], 3).unwrap();
        for child in &mut children {
            let _ = child.kill();
        }
        let mut told = [event_loop.next().0, event_loop.next().0];
        told.sort_unstable();
        assert_eq!(told, [2, 3]);
        assert!(event_loop.turn(Duration::from_millis(20)).is_none());
        for mut child in children {
            child.wait().unwrap();
        }
    }

    #[test]
    fn each_of_many_children_is_told_of_once() {
        const MANY: u64 = 40;
        let mut event_loop = Loop::new(MANY as usize);
        let mut children: Vec<Child> =
            (0..MANY).map(|code| shell(&format!("exit {code}"))).collect();
        for (token, child) in (0..).zip(&children) {
            event_loop.watch(child.id(), token).unwrap();
        }
        let mut told: Vec<u64> = (0..MANY)
            .map(|_| {
                let (token, exit) = event_loop.next();
                assert_eq!(exit.code(), Some(token as i32));
                assert_eq!(children[token as usize].wait().ok(), exit.status());
                token
            })
            .collect();
        told.sort_unstable();
        assert_eq!(told, (0..MANY).collect::<Vec<_>>());
        assert!(event_loop.turn(Duration::ZERO).is_none());
    }
}
