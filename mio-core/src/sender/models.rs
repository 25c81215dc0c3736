//! Every interleaving, by loom, of a few threads: of the queue alone and with the doorbell.

use std::{panic, sync::Mutex};

use loom::{model::Builder, sync::Notify, thread};

use super::{sealed::Outbox as _, *};

/// Up to `preemptions` switches away from a thread that could go on, besides all those that must be.
fn model(preemptions: usize, test: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(test);
}

/// A wait that a wake ends, also one that comes before it, as an eventfd does.
struct Sleep {
    ended: Notify,
    /// Not for loom to see.
    wakes: Mutex<usize>,
}

impl Wake for Sleep {
    fn wake(&self) -> io::Result<()> {
        *self.wakes.lock().unwrap() += 1;
        self.ended.notify();
        Ok(())
    }
}

impl<M> Receiver<M, Sleep> {
    /// Waits for a message as a loop does. Loom reports a deadlock if a wake-up is lost.
    fn wait(&mut self) -> M {
        loop {
            self.doorbell().sleep_end();
            if let Some(message) = self.pop() {
                return message;
            }
            self.doorbell().sleep_begin();
            if self.is_empty() {
                self.doorbell().waker().ended.wait();
            }
        }
    }
}

fn channel<M>(capacity: usize) -> (Inlet<M, Sleep>, Receiver<M, Sleep>) {
    let sleep = Sleep { ended: Notify::new(), wakes: Mutex::new(0) };
    let receiver = Receiver::new(capacity, sleep).unwrap();
    (receiver.inlet(), receiver)
}

#[test]
fn loom_two_senders_and_a_sleeping_loop_lose_nothing() {
    model(2, || {
        let (sender, mut receiver) = channel(4);
        let send = |sender: Inlet<_, _>, messages: [u8; 2]| {
            thread::spawn(move || messages.map(|message| sender.send(message).unwrap()))
        };
        let threads = [send(sender.clone(), [10, 11]), send(sender, [20, 21])];
        let got = [receiver.wait(), receiver.wait(), receiver.wait(), receiver.wait()];
        let of = |tens| got.iter().copied().filter(move |message| message / 10 == tens);
        assert!(of(1).eq([10, 11]) && of(2).eq([20, 21]));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn loom_a_message_and_a_loop_that_falls_asleep_meet() {
    model(10, || {
        let (sender, mut receiver) = channel(1);
        let thread = thread::spawn(move || sender.send(1).unwrap());
        assert_eq!(receiver.wait(), 1);
        thread.join().unwrap();
    });
}

fn abandon<M>(sender: &Inlet<M, Sleep>) {
    let send = || sender.send_with((), |()| panic::resume_unwind(Box::new(())));
    assert!(panic::catch_unwind(panic::AssertUnwindSafe(send)).is_err());
}

#[test]
fn loom_an_abandoned_place_does_not_hide_a_message() {
    model(3, || {
        let (sender, mut receiver) = channel(2);
        let abandoning = sender.clone();
        let threads = [
            thread::spawn(move || abandon(&abandoning)),
            thread::spawn(move || sender.send(1).unwrap()),
        ];
        assert_eq!(receiver.wait(), 1);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn loom_a_full_queue_takes_no_more_than_it_has_room_for() {
    for capacity in [1, 2] {
        model(4, move || {
            let (sender, mut receiver) = channel(capacity);
            let send = |sender: Inlet<_, _>| {
                thread::spawn(move || [1_usize, 2].map(|n| usize::from(sender.send(n).is_ok())))
            };
            let threads = [send(sender.clone()), send(sender)];
            let sent = threads.map(|thread| thread.join().unwrap());
            assert_eq!(sent.as_flattened().iter().sum::<usize>(), capacity);
            for _ in 0..capacity {
                assert!(receiver.pop().is_some());
            }
            assert!(receiver.pop().is_none());
        });
    }
}

#[test]
fn loom_a_slot_is_reused_only_after_its_value_was_taken() {
    for capacity in [1, 2] {
        model(3, move || {
            let (sender, mut receiver) = channel(capacity);
            let thread = thread::spawn(move || {
                for message in 0..3 {
                    while sender.send(Box::new(message)).is_err() {
                        thread::yield_now();
                    }
                }
            });
            for message in 0..3 {
                assert_eq!(*receiver.wait(), message);
            }
            thread.join().unwrap();
        });
    }
}

#[test]
fn loom_a_message_to_a_loop_that_goes_is_dropped_once() {
    model(3, || {
        let message = Arc::new(());
        let (sender, receiver) = channel(4);
        let send = |sender: Inlet<_, _>| {
            let message = Arc::clone(&message);
            thread::spawn(move || {
                let first = sender.send(Arc::clone(&message));
                let second = sender.send(message);
                // Closed stays closed.
                assert!(first.is_ok() || second.is_err());
            })
        };
        let threads = [send(sender.clone()), send(sender)];
        drop(receiver);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(Arc::strong_count(&message), 1);
    });
}

#[test]
fn loom_two_senders_wake_a_sleeping_loop_once_and_a_working_one_never() {
    for sleeping in [true, false] {
        model(3, move || {
            let (sender, receiver) = channel(4);
            if !sleeping {
                receiver.doorbell().sleep_end();
            }
            let senders = [sender.clone(), sender];
            let threads = senders.map(|sender| thread::spawn(move || sender.send(()).unwrap()));
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(*receiver.doorbell().waker().wakes.lock().unwrap(), usize::from(sleeping));
        });
    }
}
