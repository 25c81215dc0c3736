//! An async executor on `Selector` and `Waker` alone, without the event loop: the proof that other
//! loops and runtimes can be built on the low layer.
//!
//!     cargo run --example executor
//!
//! One thread runs all tasks. What a future needs of it: tell when a descriptor is ready, tell when
//! a time has come, and be woken, also from other threads. The program at the end is an echo
//! server, five clients, a clock that ticks meanwhile, and an answer from another thread.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    future::{Future, poll_fn},
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{self, Context, Poll, Wake},
    thread,
    time::{Duration, Instant},
};

use mio_core::{
    Events, Interest, Key, Selector, Slab, Source, Trigger, Waker,
    net::{TcpListener, TcpStream},
};

/// No key of a source has so high a bit.
const WAKER: u64 = u64::MAX;

/// Tasks that run before it looks for events again.
const POLLS_PER_TURN: usize = 64;

/// A handle to the executor, for its own thread.
#[derive(Clone)]
struct Executor(Rc<Inner>);

struct Inner {
    selector: Selector,
    queue: Arc<Queue>,
    tasks: RefCell<Slab<Task>>,
    sources: RefCell<Slab<Waiting>>,
    /// In the order of time; the number tells those of one instant apart.
    timers: RefCell<BTreeMap<(Instant, u64), task::Waker>>,
    timer_number: Cell<u64>,
}

struct Task {
    /// Not here while it is polled.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    waker: task::Waker,
}

/// Who waits for a source, and whether it was ready since somebody last began to wait: to read, to
/// write.
#[derive(Default)]
struct Waiting {
    ready: [bool; 2],
    wakers: [Option<task::Waker>; 2],
}

#[derive(Clone, Copy)]
enum Direction {
    Read,
    Write,
}

impl Executor {
    fn new() -> io::Result<Executor> {
        let selector = Selector::new()?;
        let waker = Waker::new(&selector, WAKER)?;
        let state = Mutex::new(State { runnable: VecDeque::new(), sleeps: false });
        Ok(Executor(Rc::new(Inner {
            selector,
            queue: Arc::new(Queue { state, waker }),
            tasks: RefCell::new(Slab::with_capacity(1024)),
            sources: RefCell::new(Slab::with_capacity(1024)),
            timers: RefCell::default(),
            timer_number: Cell::new(0),
        })))
    }

    /// Lets a future run beside the others. It is dropped if there are too many.
    fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let queue = &self.0.queue;
        let spawned = self.0.tasks.borrow_mut().insert_with(|key| Task {
            future: Some(Box::pin(future)),
            waker: Arc::new(TaskWaker { key, queue: queue.clone() }).into(),
        });
        if let Ok(key) = spawned {
            queue.push(key);
        }
    }

    /// Runs everything until `main` is ready; then the other tasks are dropped.
    fn run<T>(&self, main: impl Future<Output = T>) -> io::Result<T> {
        let mut main = pin!(main);
        // Main has no place in the table: a key that finds nothing there stands for it.
        let main_key = Key::from_bits_truncate(u64::MAX);
        let waker = Arc::new(TaskWaker { key: main_key, queue: self.0.queue.clone() }).into();
        let mut events = Events::with_capacity(256);
        self.0.queue.push(main_key);
        loop {
            for _ in 0..POLLS_PER_TURN {
                let Some(key) = self.0.queue.pop() else { break };
                if key != main_key {
                    self.poll(key);
                } else if let Poll::Ready(value) =
                    main.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    drop(self.0.tasks.replace(Slab::with_capacity(0)));
                    return Ok(value);
                }
            }
            self.wait(&mut events)?;
        }
    }

    fn poll(&self, key: Key) {
        let taken = self.0.tasks.borrow_mut().get_mut(key).and_then(|task| {
            let future = task.future.take()?;
            Some((future, task.waker.clone()))
        });
        let Some((mut future, waker)) = taken else { return };
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        if let Some(task) = self.0.tasks.borrow_mut().get_mut(key) {
            task.future = Some(future);
        }
        if polled.is_ready() {
            let task = self.0.tasks.borrow_mut().remove(key);
            // Out of the table before it is dropped: it may spawn while it goes.
            drop(task);
        }
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
            let mut sources = self.0.sources.borrow_mut();
            let key = Key::from_bits_truncate(event.token);
            let Some(source) = sources.get_mut(key) else { continue };
            if event.readiness.wants_read() {
                source.is_ready(Direction::Read);
            }
            if event.readiness.wants_write() {
                source.is_ready(Direction::Write);
            }
        }
        let now = Instant::now();
        while let Some(timer) = self.0.timers.borrow_mut().first_entry() {
            if timer.key().0 > now {
                break;
            }
            timer.remove().wake();
        }
        Ok(())
    }

    async fn sleep(&self, duration: Duration) {
        let number = self.0.timer_number.get();
        self.0.timer_number.set(number + 1);
        let instant = Instant::now() + duration;
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

    fn register<S: Source>(&self, source: S) -> io::Result<Async<S>> {
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

impl Waiting {
    fn is_ready(&mut self, direction: Direction) {
        self.ready[direction as usize] = true;
        if let Some(waker) = self.wakers[direction as usize].take() {
            waker.wake();
        }
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
            state.sleeps = false;
            // It cannot fail, short of a kernel without memory; then the next one wakes.
            let _ = self.waker.wake();
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
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.queue.push(self.key);
    }
}

/// A source whose operations can be awaited.
struct Async<S: Source> {
    source: S,
    key: Key,
    executor: Executor,
}

impl<S: Source> Async<S> {
    /// Tries `operation` again whenever the source is ready, for as long as it would block.
    async fn retry<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> io::Result<T> {
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
    async fn connect(executor: &Executor, peer: SocketAddr) -> io::Result<Async<TcpStream>> {
        let stream = executor.register(TcpStream::connect(peer)?)?;
        while !stream.source.finish_connect()? {
            stream.edge(Direction::Write).await;
        }
        Ok(stream)
    }

    async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.retry(Direction::Read, |mut stream| stream.read(buffer)).await
    }

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.retry(Direction::Write, |mut stream| stream.write(bytes)).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

// And now a program.

async fn serve(executor: Executor, listener: Async<TcpListener>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.retry(Direction::Read, TcpListener::accept).await?;
        let stream = executor.register(stream)?;
        executor.spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                if stream.write_all(&buffer[..length]).await.is_err() {
                    break;
                }
            }
        });
    }
}

async fn ask(executor: &Executor, server: SocketAddr, number: u64) -> io::Result<String> {
    executor.sleep(Duration::from_millis(40 * number)).await;
    let stream = Async::connect(executor, server).await?;
    stream.write_all(format!("hello from client {number}").as_bytes()).await?;
    let mut buffer = [0; 1024];
    let length = stream.read(&mut buffer).await?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

/// What another thread comes to, in its own time.
async fn answer_of_a_thread() -> u32 {
    let shared = Arc::new(Mutex::new((None, None::<task::Waker>)));
    let other = shared.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(150));
        let mut shared = other.lock().unwrap_or_else(PoisonError::into_inner);
        shared.0 = Some(42);
        if let Some(waker) = shared.1.take() {
            waker.wake();
        }
    });
    poll_fn(|context| {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.1 = Some(context.waker().clone());
        shared.0.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

fn main() -> io::Result<()> {
    let executor = Executor::new()?;
    let listener = executor.register(TcpListener::bind(([127, 0, 0, 1], 0).into())?)?;
    let server = listener.source.local_addr()?;
    let task = serve(executor.clone(), listener);
    executor.spawn(async { task.await.unwrap_or_else(|error| eprintln!("server: {error}")) });

    for number in 1..=5 {
        let executor_of_client = executor.clone();
        executor.spawn(async move {
            match ask(&executor_of_client, server, number).await {
                Ok(reply) => println!("echoed:  {reply}"),
                Err(error) => println!("client {number}: {error}"),
            }
        });
    }

    executor.run(async {
        for tick in 1..=3 {
            executor.sleep(Duration::from_millis(50)).await;
            println!("tick {tick}");
        }
        println!("answer:  {}", answer_of_a_thread().await);
    })
}
