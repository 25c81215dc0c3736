//! mio 1: a poll, and the user's own match on the token.

use std::io;
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use std::os::fd::AsRawFd;

use crate::chain::Chain;
use crate::echo::{Echo, LISTENER};
use crate::measure::{Cost, measure};

const LISTEN: Token = Token(LISTENER as usize);
pub(super) const STOP: Token = Token(1 << 33);

pub fn pipes(chain: &mut Chain) -> Cost {
    let (poll, _stop) = watch(chain);
    measure(|| {
        chain.start();
        run_pipes(poll, chain);
    })
}

/// A poll of all pipes, and what stops it.
pub(super) fn watch(chain: &Chain) -> (Poll, Waker) {
    let poll = Poll::new().expect("poll");
    let stop = Waker::new(poll.registry(), STOP).expect("waker");
    for (token, reader) in chain.readers().iter().enumerate() {
        let mut source = SourceFd(reader);
        poll.registry().register(&mut source, Token(token), Interest::READABLE).expect("register");
    }
    (poll, stop)
}

// As in the raw loop, a function of its own; poll and events are its own too, as in a program's main.
#[inline(never)]
fn run_pipes(mut poll: Poll, chain: &mut Chain) {
    let mut events = Events::with_capacity(1024);
    loop {
        wait(&mut poll, &mut events, None);
        for event in &events {
            match event.token() {
                STOP => return,
                Token(pipe) => {
                    if is_readable(event) && chain.readable(pipe) {
                        return;
                    }
                }
            }
        }
    }
}

pub fn echo(echo: &mut Echo) -> Cost {
    let poll = Poll::new().expect("poll");
    let _stop = Waker::new(poll.registry(), STOP).expect("waker");
    let listener = echo.listener.as_raw_fd();
    let registry = poll.registry();
    registry.register(&mut SourceFd(&listener), LISTEN, Interest::READABLE).expect("register");
    for (token, connection) in echo.connections.iter().enumerate() {
        let fd = connection.stream.as_raw_fd();
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut SourceFd(&fd), Token(token), both).expect("register");
    }
    measure(|| run_echo(poll, echo))
}

#[inline(never)]
fn run_echo(mut poll: Poll, echo: &mut Echo) {
    let mut events = Events::with_capacity(1024);
    loop {
        wait(&mut poll, &mut events, None);
        for event in &events {
            match event.token() {
                STOP => return,
                LISTEN => echo.accept(),
                Token(connection) => {
                    if is_readable(event) && echo.readable(connection) {
                        return;
                    }
                    if (event.is_writable() || event.is_error()) && echo.writable(connection) {
                        return;
                    }
                }
            }
        }
    }
}

/// With what mio leaves out of `is_readable`: the end and an error, which the read finds out.
#[inline(always)]
pub(super) fn is_readable(event: &Event) -> bool {
    event.is_readable() || event.is_read_closed() || event.is_error()
}

#[inline(always)]
pub(super) fn wait(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) {
    match poll.poll(events, timeout) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => panic!("poll: {error}"),
    }
}
