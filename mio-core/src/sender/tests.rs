use std::{
    panic,
    sync::mpsc,
    thread::{self, Thread},
};

use super::{sealed::Outbox as _, *};
use crate::{
    sync::{AtomicUsize, Ordering},
    sys::{Events, Selector},
};

#[derive(Debug, Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(&self) -> io::Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl<M> Receiver<M, Counter> {
    fn wakes(&self) -> usize {
        self.doorbell().waker().0.load(Ordering::Relaxed)
    }
}

fn channel<M>(capacity: usize) -> (Inlet<M, Counter>, Receiver<M, Counter>) {
    let receiver = Receiver::new(capacity, Counter::default()).unwrap();
    (receiver.inlet(), receiver)
}

#[test]
fn senders_can_be_shared_and_moved_between_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    struct SendOnly(#[expect(dead_code)] std::cell::Cell<u8>);
    shared::<Sender<SendOnly>>();
    shared::<MappedSender<u8, SendOnly, MappedSender<SendOnly, SendOnly>>>();
}

#[test]
fn senders_can_be_used_where_panics_are_caught_whatever_they_send() {
    fn unwind_safe<T: panic::UnwindSafe + panic::RefUnwindSafe>() {}
    type Message = std::cell::Cell<u8>;
    unwind_safe::<Sender<Message>>();
    unwind_safe::<MappedSender<u8, Message, MappedSender<Message, Message>>>();
}

#[test]
fn messages_wake_a_sleeping_loop_once_and_a_working_one_never() {
    let (sender, mut receiver) = channel(8);
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    assert_eq!(receiver.wakes(), 1);
    receiver.doorbell().sleep_end();
    sender.clone().send(3).unwrap();
    assert_eq!(receiver.wakes(), 1);
    assert_eq!([receiver.pop(), receiver.pop(), receiver.pop()], [Some(1), Some(2), Some(3)]);
    receiver.doorbell().sleep_begin();
    assert!(receiver.is_empty());
    sender.send(4).unwrap();
    assert_eq!(receiver.wakes(), 2);
}

#[test]
fn a_refused_message_comes_back_and_wakes_nobody() {
    let (sender, receiver) = channel(1);
    sender.send("a".to_owned()).unwrap();
    receiver.doorbell().sleep_begin();
    let full = sender.send("b".to_owned()).unwrap_err();
    assert_eq!(full, SendError::Full("b".to_owned()));
    assert_eq!(full.into_inner(), "b");
    assert_eq!(receiver.wakes(), 1);
    assert!(!sender.is_closed());
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.send("c".to_owned()), Err(SendError::Closed("c".to_owned())));
}

#[test]
fn messages_left_are_dropped_with_the_loop() {
    let message = Arc::new(());
    let (sender, receiver) = channel(4);
    sender.send(Arc::clone(&message)).unwrap();
    sender.send(Arc::clone(&message)).unwrap();
    drop(receiver);
    drop(sender.send(Arc::clone(&message)));
    assert_eq!(Arc::strong_count(&message), 1);
}

#[test]
fn errors_tell_what_happened_without_the_message() {
    struct Opaque;
    let (full, closed) = (SendError::Full(Opaque), SendError::Closed(Opaque));
    assert_eq!(format!("{full:?} {closed:?}"), "Full(..) Closed(..)");
    assert_eq!(full.to_string(), "the message queue of the event loop is full");
    assert_eq!(closed.to_string(), "the event loop is gone");
    assert_eq!(io::Error::from(full).kind(), io::ErrorKind::QuotaExceeded);
    assert_eq!(io::Error::from(closed).kind(), io::ErrorKind::BrokenPipe);
}

mod nested {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Outer {
        Middle(Middle),
    }

    #[derive(Debug, PartialEq)]
    enum Middle {
        Inner(Box<u8>),
    }

    #[test]
    fn messages_are_wrapped_at_each_level() {
        let (sender, mut receiver) = channel(2);
        let inner = sender.map(Outer::Middle).map(Middle::Inner);
        inner.clone().send(Box::new(7)).unwrap();
        assert_eq!(receiver.pop(), Some(Outer::Middle(Middle::Inner(Box::new(7)))));
        assert_eq!((inner.capacity(), inner.is_closed()), (2, false));
        assert_eq!(format!("{inner:?}"), "MappedSender { capacity: 2, closed: false }");
    }

    #[test]
    fn a_refused_message_comes_back_as_it_was() {
        let (sender, receiver) = channel(1);
        let inner = sender.clone().map(Outer::Middle).map(Middle::Inner);
        sender.send(Outer::Middle(Middle::Inner(Box::new(1)))).unwrap();
        assert_eq!(inner.send(Box::new(2)), Err(SendError::Full(Box::new(2))));
        drop(receiver);
        assert_eq!(inner.send(Box::new(3)), Err(SendError::Closed(Box::new(3))));
        assert!(inner.is_closed());
    }

    #[test]
    fn a_refused_message_is_not_wrapped() {
        let (sender, _receiver) = channel(1);
        let mapped = sender.map(|message: u8| if message == 1 { message } else { unreachable!() });
        mapped.send(1).unwrap();
        mapped.send(2).unwrap_err();
    }
}

#[test]
fn a_panic_while_wrapping_loses_neither_a_message_nor_a_wake_up() {
    let (sender, mut receiver) = channel(4);
    let panicking = panic::AssertUnwindSafe(|| {
        sender.send_with((), |()| {
            sender.send(1).unwrap();
            // The loop wakes, finds nothing yet, and sleeps again.
            receiver.doorbell().sleep_end();
            assert_eq!(receiver.pop(), None);
            receiver.doorbell().sleep_begin();
            assert!(receiver.is_empty());
            panic::resume_unwind(Box::new("wrap"))
        })
    });
    assert!(panic::catch_unwind(panicking).is_err());
    assert_eq!(receiver.wakes(), 2);
    assert_eq!([receiver.pop(), receiver.pop()], [Some(1), None]);
}

#[derive(Debug)]
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(&self) -> io::Result<()> {
        self.0.unpark();
        Ok(())
    }
}

#[test]
fn a_loop_that_sleeps_whenever_it_can_gets_everything() {
    const SENDERS: usize = 3;
    const MESSAGES: usize = if cfg!(miri) { 15 } else { 20_000 };
    let mut receiver = Receiver::new(16, Unpark(thread::current())).unwrap();
    let post = |id: usize, sender: Inlet<_, _>| {
        for number in 0..MESSAGES {
            while sender.send((id, number)).is_err() {
                thread::yield_now();
            }
            if number % 16 == id {
                thread::yield_now();
            }
        }
    };
    thread::scope(|scope| {
        for id in 0..SENDERS {
            let sender = receiver.inlet();
            scope.spawn(move || post(id, sender));
        }
        let mut next = [0; SENDERS];
        while next != [MESSAGES; SENDERS] {
            receiver.doorbell().sleep_begin();
            if receiver.is_empty() {
                thread::park();
            }
            receiver.doorbell().sleep_end();
            while let Some((id, number)) = receiver.pop() {
                assert_eq!(number, next[id]);
                next[id] += 1;
            }
        }
    });
}

#[test]
fn a_loop_may_go_while_others_send() {
    const ROUNDS: usize = if cfg!(miri) { 2 } else { 300 };
    for round in 0..ROUNDS {
        let message = Arc::new(());
        let (sender, mut receiver) = channel(8);
        let (started, wait) = mpsc::channel();
        thread::scope(|scope| {
            for sender in [sender.clone(), sender] {
                let (message, started) = (Arc::clone(&message), started.clone());
                scope.spawn(move || {
                    started.send(()).unwrap();
                    while !matches!(sender.send(Arc::clone(&message)), Err(SendError::Closed(_))) {
                        thread::yield_now();
                    }
                });
            }
            wait.recv().unwrap();
            for _ in 0..round {
                drop(receiver.pop());
            }
            drop(receiver);
        });
        assert_eq!(Arc::strong_count(&message), 1);
    }
}

#[test]
#[cfg_attr(miri, ignore)]
fn a_message_ends_a_wait_in_the_selector() {
    let selector = Selector::with_capacity(4).unwrap();
    let waker = Arc::new(Waker::new(&selector, 77).unwrap());
    let mut receiver = Receiver::new(4, waker).unwrap();
    let sender = receiver.sender();
    thread::scope(|scope| {
        scope.spawn(|| sender.send("hello").unwrap());
        let mut events = Events::with_capacity(4, 0).unwrap();
        selector.select(&mut events, None).unwrap();
        assert_eq!(events.len(), 1);
    });
    assert_eq!(receiver.pop(), Some("hello"));
    assert_eq!(format!("{sender:?}"), "Sender { capacity: 4, closed: false }");
}
