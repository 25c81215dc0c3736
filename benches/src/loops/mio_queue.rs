//! mio with what another thread needs to send messages to a loop, and to make a system call only if it sleeps: crossbeam's
//! `ArrayQueue`, and a flag.
//!
//! Such a loop raises the flag and then looks at the queue, before each wait, and no processor may turn that round: a full
//! barrier, some tens of nanoseconds a turn. mio-core has one too. Where it is behind those that have no queue, this peer
//! tells whether it is behind one that has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use mio::{Events, Poll, Token};

use super::mio::{STOP, is_readable, wait, watch};
use crate::chain::Chain;
use crate::measure::{Cost, measure};

struct Inbox {
    messages: ArrayQueue<u64>,
    asleep: AtomicBool,
}

pub fn pipes(chain: &mut Chain) -> Cost {
    let (poll, _waker) = watch(chain);
    let inbox = Inbox { messages: ArrayQueue::new(1024), asleep: AtomicBool::new(false) };
    let inbox = Arc::new(inbox);
    let _sender = Arc::clone(&inbox);
    measure(|| {
        chain.start();
        run_pipes(poll, &inbox, chain);
    })
}

#[inline(never)]
fn run_pipes(mut poll: Poll, inbox: &Inbox, chain: &mut Chain) {
    let mut events = Events::with_capacity(1024);
    loop {
        inbox.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let timeout = (!inbox.messages.is_empty()).then_some(Duration::ZERO);
        wait(&mut poll, &mut events, timeout);
        inbox.asleep.store(false, Ordering::Relaxed);
        for event in &events {
            match event.token() {
                STOP => {}
                Token(pipe) => {
                    if is_readable(event) && chain.readable(pipe) {
                        return;
                    }
                }
            }
        }
        // The only message there is.
        if !inbox.messages.is_empty() {
            return;
        }
    }
}
