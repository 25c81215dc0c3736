//! One thread runs all tasks. What a future needs of it: tell when a descriptor is ready, tell when
//! a time has come, and be woken, also from other threads.
//!
//! - **Fairness.** A task whose operations never have to wait lets the others go on after a few.
//! - **Bounds.** So many tasks and sources at a time. A task that is woken often is queued once.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    future::{Future, pending, poll_fn},
    io::{self, ErrorKind, Read, Write},
    mem,
    net::SocketAddr,
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{self, Context, Poll, Wake},
    time::{Duration, Instant},
};

use mio_core::{Events, Interest, Key, Selector, Slab, Source, Trigger, Waker, net::TcpStream};

pub(crate) const TASKS_MAX: usize = 1024;
pub(crate) const SOURCES_MAX: usize = 1024;

/// No key of a source has so high a bit.
const WAKER: u64 = u64::MAX;

/// Tasks that run before it looks for events again.
const POLLS_PER_TURN: usize = 64;

/// Operations of a task before it lets the others go on.
const OPERATIONS_PER_POLL: u32 = 32;

/// A handle to the executor, for its own thread.
#[derive(Clone)]
pub(crate) struct Executor(Rc<Inner>);

struct Inner {
    selector: Selector,
    queue: Arc<Queue>,
    tasks: RefCell<Slab<Task>>,
    sources: RefCell<Slab<Waiting>>,
    /// In the order of time; the number tells those of one instant apart.
    timers: RefCell<BTreeMap<(Instant, u64), task::Waker>>,
    timer_number: Cell<u64>,
    /// How many more operations the task that runs may make at once.
    operations: Cell<u32>,
}

struct Task {
    /// Not here while it is polled.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    waker: Arc<TaskWaker>,
}

/// Who waits for a source, and whether it was ready since somebody last began to wait: to read, to
/// write.
#[derive(Default)]
struct Waiting {
    ready: [bool; 2],
    wakers: [Option<task::Waker>; 2],
}

#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Read,
    Write,
}

impl Executor {
    pub(crate) fn new() -> io::Result<Executor> {
        let selector = Selector::new()?;
        let waker = Waker::new(&selector, WAKER)?;
        let state = Mutex::new(State { runnable: VecDeque::new(), sleeps: false });
        Ok(Executor(Rc::new(Inner {
            selector,
            queue: Arc::new(Queue { state, waker }),
            tasks: RefCell::new(Slab::with_capacity(TASKS_MAX)),
            sources: RefCell::new(Slab::with_capacity(SOURCES_MAX)),
            timers: RefCell::default(),
            timer_number: Cell::new(0),
            operations: Cell::new(0),
        })))
    }

    /// Lets a future run beside the others. It is dropped if there are too many.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let mut tasks = self.0.tasks.borrow_mut();
        let Ok(entry) = tasks.vacant_entry() else { return };
        let waker = self.waker(entry.key());
        entry.insert(Task { future: Some(Box::pin(future)), waker: waker.clone() });
        waker.wake();
    }

    /// Runs everything until `main` is ready; then the other tasks are dropped.
    pub(crate) fn run<T>(&self, main: impl Future<Output = T>) -> io::Result<T> {
        let result = self.run_until(pin!(main));
        // Not in the table while they are dropped: what they spawn as they go is dropped too.
        let mut tasks = self.0.tasks.replace(Slab::with_capacity(0));
        tasks.clear();
        self.0.tasks.replace(tasks);
        result
    }

    fn run_until<T>(&self, mut main: Pin<&mut impl Future<Output = T>>) -> io::Result<T> {
        // Main has no place in the table: a key that finds nothing there stands for it.
        let main_key = Key::from_bits_truncate(u64::MAX);
        let main_waker = self.waker(main_key);
        main_waker.wake_by_ref();
        let mut events = Events::with_capacity(256);
        loop {
            for _ in 0..POLLS_PER_TURN {
                let Some(key) = self.0.queue.pop() else { break };
                if key != main_key {
                    self.poll_task(key);
                } else if let Poll::Ready(value) = self.poll(main.as_mut(), &main_waker) {
                    return Ok(value);
                }
            }
            self.wait(&mut events)?;
        }
    }

    fn poll_task(&self, key: Key) {
        let taken = self.0.tasks.borrow_mut().get_mut(key).and_then(|task| {
            let future = task.future.take()?;
            Some((future, task.waker.clone()))
        });
        let Some((mut future, waker)) = taken else { return };
        let polled = self.poll(future.as_mut(), &waker);
        if let Some(task) = self.0.tasks.borrow_mut().get_mut(key) {
            task.future = Some(future);
        }
        if polled.is_ready() {
            let task = self.0.tasks.borrow_mut().remove(key);
            // Out of the table before it is dropped: it may spawn while it goes.
            drop(task);
        }
    }

    fn poll<T>(
        &self,
        future: Pin<&mut (impl Future<Output = T> + ?Sized)>,
        waker: &Arc<TaskWaker>,
    ) -> Poll<T> {
        self.0.operations.set(OPERATIONS_PER_POLL);
        // Before it looks at anything: who changes something later queues it again.
        waker.is_queued.swap(false, Ordering::AcqRel);
        future.poll(&mut Context::from_waker(&waker.clone().into()))
    }

    fn waker(&self, key: Key) -> Arc<TaskWaker> {
        let queue = self.0.queue.clone();
        Arc::new(TaskWaker { key, queue, is_queued: AtomicBool::new(false) })
    }

    /// Looks for what is ready; sleeps until something is, or until the next timer, if there is
    /// nothing else to do.
    fn wait(&self, events: &mut Events) -> io::Result<()> {
        let timeout = if self.0.queue.begin_sleep() {
            let next = self.0.timers.borrow().keys().next().map(|&(instant, _)| instant);
            next.map(|instant| instant.saturating_duration_since(Instant::now()))
        } else {
            Some(Duration::ZERO)
        };
        let selected = self.0.selector.select(events, timeout);
        self.0.queue.end_sleep();
        selected?;
        for event in events.iter().filter(|event| event.token != WAKER) {
            let key = Key::from_bits_truncate(event.token);
            if event.readiness.wants_read() {
                self.is_ready(key, Direction::Read);
            }
            if event.readiness.wants_write() {
                self.is_ready(key, Direction::Write);
            }
        }
        let now = Instant::now();
        while let Some(waker) = self.next_due(now) {
            waker.wake();
        }
        Ok(())
    }

    fn is_ready(&self, key: Key, direction: Direction) {
        let waker = self.0.sources.borrow_mut().get_mut(key).and_then(|source| {
            source.ready[direction as usize] = true;
            source.wakers[direction as usize].take()
        });
        // With nothing borrowed: what it does is not up to this executor.
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn next_due(&self, now: Instant) -> Option<task::Waker> {
        let mut timers = self.0.timers.borrow_mut();
        let timer = timers.first_entry().filter(|timer| timer.key().0 <= now)?;
        Some(timer.remove())
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        let Some(instant) = Instant::now().checked_add(duration) else { return pending().await };
        let number = self.0.timer_number.get();
        self.0.timer_number.set(number + 1);
        let timer = Timer { executor: self, key: (instant, number) };
        poll_fn(|context| {
            if Instant::now() >= instant {
                return Poll::Ready(());
            }
            self.0.timers.borrow_mut().insert(timer.key, context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Lets the others go on if the task has made enough operations at once.
    async fn be_fair(&self) {
        let operations = &self.0.operations;
        if operations.get() == 0 {
            let mut has_yielded = false;
            poll_fn(|context| {
                if mem::replace(&mut has_yielded, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
        operations.set(operations.get().saturating_sub(1));
    }

    pub(crate) fn register<S: Source>(&self, source: S) -> io::Result<Async<S>> {
        let key = self.0.sources.borrow_mut().insert_with(|_| Waiting::default())?;
        let asynchronous = Async { source, key, executor: self.clone() };
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.0.selector.register(&asynchronous.source, key.into(), interest, Trigger::Edge)?;
        Ok(asynchronous)
    }
}

/// Takes its timer along when it is dropped.
struct Timer<'a> {
    executor: &'a Executor,
    key: (Instant, u64),
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.executor.0.timers.borrow_mut().remove(&self.key);
    }
}

/// The tasks that can go on. All that other threads ever touch.
struct Queue {
    state: Mutex<State>,
    waker: Waker,
}

struct State {
    runnable: VecDeque<Key>,
    /// The executor waits, or is just about to.
    sleeps: bool,
}

impl Queue {
    fn push(&self, key: Key) {
        let mut state = self.lock();
        state.runnable.push_back(key);
        if state.sleeps {
            // It cannot fail, short of a kernel without memory; then the next one wakes.
            state.sleeps = self.waker.wake().is_err();
        }
    }

    fn pop(&self) -> Option<Key> {
        self.lock().runnable.pop_front()
    }

    /// Whether to sleep: not if there are tasks to run.
    fn begin_sleep(&self) -> bool {
        let mut state = self.lock();
        state.sleeps = state.runnable.is_empty();
        state.sleeps
    }

    fn end_sleep(&self) {
        self.lock().sleeps = false;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct TaskWaker {
    key: Key,
    queue: Arc<Queue>,
    is_queued: AtomicBool,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::AcqRel) {
            self.queue.push(self.key);
        }
    }
}

/// A source whose operations can be awaited, in each direction by one task at a time.
pub(crate) struct Async<S: Source> {
    pub(crate) source: S,
    key: Key,
    executor: Executor,
}

impl<S: Source> Async<S> {
    /// Tries `operation` again whenever the source is ready, for as long as it would block.
    pub(crate) async fn retry<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        self.executor.be_fair().await;
        loop {
            match operation(&self.source) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.edge(direction).await,
                result => return result,
            }
        }
    }

    /// The next edge. Events are only looked at between two polls, so none comes between the call
    /// that would have blocked and this.
    async fn edge(&self, direction: Direction) {
        let mut begun = false;
        poll_fn(|context| {
            let mut sources = self.executor.0.sources.borrow_mut();
            let Some(source) = sources.get_mut(self.key) else { return Poll::Ready(()) };
            let index = direction as usize;
            source.ready[index] &= begun;
            begun = true;
            if source.ready[index] {
                return Poll::Ready(());
            }
            source.wakers[index] = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl<S: Source> Drop for Async<S> {
    fn drop(&mut self) {
        let _ = self.executor.0.selector.deregister(&self.source);
        self.executor.0.sources.borrow_mut().remove(self.key);
    }
}

impl Async<TcpStream> {
    pub(crate) async fn connect(
        executor: &Executor,
        peer: SocketAddr,
    ) -> io::Result<Async<TcpStream>> {
        let stream = executor.register(TcpStream::connect(peer)?)?;
        while !stream.source.finish_connect()? {
            stream.edge(Direction::Write).await;
        }
        Ok(stream)
    }

    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.retry(Direction::Read, |mut stream| stream.read(buffer)).await
    }

    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.retry(Direction::Write, |mut stream| stream.write(bytes)).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}
