//! An async executor on `Selector` and `Waker` alone, without the event loop: the proof that other
//! loops and runtimes can be built on the low layer.
//!
//!     cargo run --example executor
//!
//! It is in `executor.rs`. This program is an echo server, five clients, a clock that ticks meanwhile, and
//! an answer from another thread.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    task::{self, Poll},
    thread,
    time::Duration,
};

use mio_core::net::{AcceptFailure, TcpListener, TcpStream};

use executor::{Async, Direction, Executor};

pub(crate) mod executor;

const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Accepts for as long as the listener listens, whatever becomes of those who are accepted.
pub(crate) async fn serve(executor: Executor, listener: Async<TcpListener>) -> io::Result<()> {
    loop {
        let accepted = match listener.retry(Direction::Read, TcpListener::accept).await {
            Ok((stream, _)) => executor.register(stream),
            Err(error) => Err(error),
        };
        match accepted {
            Ok(stream) => executor.spawn(echo(stream)),
            Err(error) => match AcceptFailure::of(&error) {
                AcceptFailure::Listener => return Err(error),
                AcceptFailure::Shortage => executor.sleep(ACCEPT_RETRY).await,
                AcceptFailure::Connection | AcceptFailure::Nobody => {}
            },
        }
    }
}

async fn echo(stream: Async<TcpStream>) {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..length]).await.is_err() {
            break;
        }
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
