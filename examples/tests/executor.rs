//! The executor of the example, beyond what its program asks of it.

use std::{
    cell::{Cell, RefCell},
    future::{pending, poll_fn},
    rc::Rc,
    task::Poll,
    time::Duration,
};

use mio_core::net::TcpListener;

#[path = "../examples/executor/main.rs"]
#[allow(dead_code, reason = "`main` is not called")]
mod program;

use program::executor::{Async, Direction, Executor, TASKS_MAX};

const MOMENT: Duration = Duration::from_millis(1);

fn listener(executor: &Executor) -> Async<TcpListener> {
    executor.register(TcpListener::bind(([127, 0, 0, 1], 0).into()).unwrap()).unwrap()
}

#[test]
fn tasks_that_never_have_to_wait_take_turns() {
    let executor = Executor::new().unwrap();
    let done = Rc::new(RefCell::new(Vec::new()));
    for task in 0..2 {
        let (source, done) = (listener(&executor), done.clone());
        executor.spawn(async move {
            for _ in 0..1000 {
                source.retry(Direction::Read, |_| Ok(())).await.unwrap();
                done.borrow_mut().push(task);
            }
        });
    }
    let all_done = async {
        while done.borrow().len() < 2000 {
            executor.sleep(MOMENT).await;
        }
    };
    executor.run(all_done).unwrap();
    let done = done.borrow();
    assert!(done.chunk_by(PartialEq::eq).all(|turn| turn.len() < 100), "{done:?}");
}

#[test]
fn a_task_that_is_woken_often_is_queued_once() {
    let executor = Executor::new().unwrap();
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    executor.spawn(poll_fn(move |context| {
        counted.set(counted.get() + 1);
        let wakes = if counted.get() == 1 { 1000 } else { 0 };
        (0..wakes).for_each(|_| context.waker().wake_by_ref());
        Poll::Pending
    }));
    executor.run(executor.sleep(MOMENT)).unwrap();
    assert_eq!(polls.get(), 2);
}

#[test]
fn tasks_are_dropped_after_a_run_and_make_room_for_those_of_the_next() {
    let executor = Executor::new().unwrap();
    let alive = Rc::new(());
    for _ in 0..2 {
        for _ in 0..=TASKS_MAX {
            let alive = alive.clone();
            executor.spawn(async move {
                let _alive = alive;
                pending::<()>().await;
            });
        }
        assert_eq!(Rc::strong_count(&alive), 1 + TASKS_MAX, "one too many is dropped");
        executor.run(executor.sleep(MOMENT)).unwrap();
        assert_eq!(Rc::strong_count(&alive), 1);
    }
}

#[test]
fn who_sleeps_for_ever_holds_up_nobody() {
    let executor = Executor::new().unwrap();
    let sleeper = executor.clone();
    executor.spawn(async move { sleeper.sleep(Duration::MAX).await });
    executor.run(executor.sleep(MOMENT)).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_ran_out_of_descriptors_serves_when_there_are_some_again() {
    use std::{io::Write, net::TcpStream, thread};

    use tests::{
        Isolated,
        peers::{patient, read},
        test_name,
    };

    Isolated::new(test_name!()).descriptors(40).run(|| {
        let executor = Executor::new().unwrap();
        let listener = listener(&executor);
        let server = listener.source.local_addr().unwrap();
        let serving = program::serve(executor.clone(), listener);
        executor.spawn(async { panic!("it ends: {:?}", serving.await) });
        let peers = thread::spawn(move || {
            // The system lets them connect, accepted or not, until there is no descriptor for either side.
            let mut clients = Vec::new();
            while let Ok(client) = TcpStream::connect(server) {
                clients.push(patient(client));
            }
            thread::sleep(Duration::from_millis(20));
            let mut last = clients.pop().unwrap();
            drop(clients);
            last.write_all(b"still there?").unwrap();
            assert_eq!(read(&last, 12), b"still there?");
        });
        let served = async {
            while !peers.is_finished() {
                executor.sleep(MOMENT).await;
            }
        };
        executor.run(served).unwrap();
        peers.join().unwrap();
    });
}
