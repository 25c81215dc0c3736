//! polling 3, in its edge mode, which is its fastest: the default would re-arm on every event.

use std::num::NonZeroUsize;
use std::os::fd::AsRawFd;

use polling::{Event, Events, PollMode, Poller};

use crate::chain::Chain;
use crate::echo::{Echo, LISTENER};
use crate::measure::{Cost, measure};
use crate::os::Fd;

const EVENTS: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

pub fn pipes(chain: &mut Chain) -> Cost {
    let poller = Poller::new().expect("poller");
    for (key, &reader) in chain.readers().iter().enumerate() {
        add(&poller, reader, Event::readable(key));
    }
    let mut events = Events::with_capacity(EVENTS);
    measure(|| {
        chain.start();
        loop {
            events.clear();
            poller.wait(&mut events, None).expect("wait");
            for event in events.iter() {
                if event.readable && chain.readable(event.key) {
                    return;
                }
            }
        }
    })
}

pub fn echo(echo: &mut Echo) -> Cost {
    let poller = Poller::new().expect("poller");
    add(&poller, echo.listener.as_raw_fd(), Event::readable(LISTENER as usize));
    for (key, connection) in echo.connections.iter().enumerate() {
        add(&poller, connection.stream.as_raw_fd(), Event::all(key));
    }
    let mut events = Events::with_capacity(EVENTS);
    measure(|| {
        loop {
            events.clear();
            poller.wait(&mut events, None).expect("wait");
            for event in events.iter() {
                if event.key == LISTENER as usize {
                    echo.accept();
                    continue;
                }
                if event.readable && echo.readable(event.key) {
                    return;
                }
                if event.writable && echo.writable(event.key) {
                    return;
                }
            }
        }
    })
}

fn add(poller: &Poller, fd: i32, event: Event) {
    // SAFETY: the workload closes its descriptors only after the poller is gone.
    unsafe { poller.add_with_mode(&Fd(fd), event, PollMode::Edge) }.expect("add");
}
