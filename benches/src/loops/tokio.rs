//! tokio's current-thread runtime: a task for each source, and tokio's own streams for TCP.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use crate::chain::Chain;
use crate::echo::Echo;
use crate::measure::{Cost, measure};
use crate::os::Fd;

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("runtime")
}

pub fn pipes(chain: &mut Chain) -> Cost {
    // A task owns what it uses, so the chain is shared; dropped last, it outlives the tasks.
    let shared = Rc::new(RefCell::new(std::mem::replace(chain, Chain::new(1, 1, 1))));
    let runtime = runtime();
    let tasks = LocalSet::new();
    let done = Rc::new(Notify::new());
    {
        let _context = runtime.enter();
        for (pipe, &reader) in shared.borrow().readers().iter().enumerate() {
            let (fd, interest) = (Fd(reader), Interest::READABLE);
            // SAFETY: the chain keeps its descriptors open until the tasks are gone.
            let source = unsafe { AsyncFd::register_with_interest(fd, interest) };
            let source = source.expect("register");
            let (chain, done) = (Rc::clone(&shared), Rc::clone(&done));
            tasks.spawn_local(async move {
                loop {
                    let mut ready = source.readable().await.expect("readable");
                    if chain.borrow_mut().readable(pipe) {
                        done.notify_one();
                    }
                    ready.clear_ready();
                }
            });
        }
    }
    // Each task runs until it waits for its pipe, before anything is measured.
    runtime.block_on(tasks.run_until(settle(shared.borrow().readers().len())));
    measure(|| {
        shared.borrow_mut().start();
        runtime.block_on(tasks.run_until(done.notified()));
    })
}

pub fn echo(echo: &mut Echo) -> Cost {
    let runtime = runtime();
    let tasks = LocalSet::new();
    let done = Rc::new(Notify::new());
    let streams: Vec<_> = echo
        .connections
        .iter()
        .map(|connection| connection.stream.try_clone().expect("clone"))
        .collect();
    let echo: *mut Echo = echo;
    {
        let _context = runtime.enter();
        for stream in streams {
            let mut stream = TcpStream::from_std(stream).expect("stream");
            let done = Rc::clone(&done);
            tasks.spawn_local(async move {
                let mut buffer = [0; 4096];
                loop {
                    let read = stream.read(&mut buffer).await.expect("read");
                    assert_ne!(read, 0, "closed before the last message");
                    stream.write_all(&buffer[..read]).await.expect("write");
                    // SAFETY: the tasks run only inside of `echo`, whose caller lends it the echo,
                    // and nothing else touches it in between.
                    if unsafe { (*echo).count(read) } {
                        done.notify_one();
                    }
                }
            });
        }
    }
    measure(|| runtime.block_on(tasks.run_until(done.notified())))
}

/// Lets `tasks` tasks have their first turn.
async fn settle(tasks: usize) {
    for _ in 0..tasks / 32 + 2 {
        tokio::task::yield_now().await;
    }
}
