//! A chat server: what one says, all others read.
//!
//!     cargo run --example chat
//!     cargo run --example chat -- 127.0.0.1:7878
//!
//! Then `nc 127.0.0.1 7878` from two terminals or more. The first line is your name. `/who` tells
//! who is there, `/quit` leaves, and so does who is silent for ten minutes. Ctrl-C tells everybody
//! and ends.
//!
//! What is said and heard is in `examples::room`, which knows no event loop. The guests are
//! level-triggered, the simplest way where speed is not the point: read once per report, what is left
//! will be reported again; ask about room to write only while something waits for it.

use std::{error::Error, io, mem, time::Duration};

use examples::room::{Change, Guest, Room};
use mio_core::{
    EventLoop, Expiry, Handler, Interest, Key, Readiness, Signal, SignalInfo, Trigger,
    net::{AcceptFailure, TcpListener},
};

const GUESTS_MAX: usize = 256;
const SILENCE: Duration = Duration::from_secs(600);
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// No key has so high a bit.
const LISTENER: u64 = 1 << 63;

struct Chat {
    listener: TcpListener,
    room: Room,
    /// Nobody is accepted before there is room.
    is_full: bool,
    /// A timer is set to accept again.
    retries: bool,
}

impl Chat {
    fn accept(&mut self, event_loop: &mut EventLoop) -> io::Result<()> {
        self.is_full = false;
        while let Some(entry) = self.room.place() {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) => match AcceptFailure::of(&error) {
                    AcceptFailure::Nobody => return Ok(()),
                    AcceptFailure::Connection => continue,
                    // No edge will tell when that changes.
                    AcceptFailure::Shortage => return self.retry_later(event_loop),
                    AcceptFailure::Listener => return Err(error),
                },
            };
            let token = entry.key().to_bits();
            let placed = event_loop
                .register_with(&stream, token, Interest::READABLE, Trigger::Level)
                .and_then(|()| event_loop.timeout(token, SILENCE));
            // The system has no room for it, and the others go on.
            let Ok(silence) = placed else { continue };
            let key = entry.insert(Guest::new(stream, silence));
            self.room.tell(key, "What is your name?\n");
        }
        self.is_full = true;
        Ok(())
    }

    fn retry_later(&mut self, event_loop: &mut EventLoop) -> io::Result<()> {
        if !mem::replace(&mut self.retries, true) {
            event_loop.timeout(LISTENER, ACCEPT_RETRY)?;
        }
        Ok(())
    }

    /// Does what the room asks for.
    fn settle(&mut self, event_loop: &mut EventLoop) -> io::Result<()> {
        while let Some(change) = self.room.next_change() {
            match change {
                Change::Interest(key, interest) => {
                    let Some(guest) = self.room.guest(key) else { continue };
                    let token = key.to_bits();
                    event_loop.reregister_with(&guest.stream, token, interest, Trigger::Level)?;
                }
                Change::Left(key, guest) => {
                    event_loop.cancel(guest.silence);
                    event_loop.close(guest.stream, key.to_bits())?;
                    if mem::take(&mut self.is_full) {
                        event_loop.again(LISTENER, Readiness::READABLE)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn done(&mut self, event_loop: &mut EventLoop, result: io::Result<()>) {
        let settled = result.and_then(|()| self.settle(event_loop));
        settled.unwrap_or_else(|error| event_loop.fail(error));
    }
}

impl Handler for Chat {
    fn ready(&mut self, event_loop: &mut EventLoop, token: u64, readiness: Readiness) {
        let mut result = Ok(());
        match Key::from_bits(token) {
            None => result = self.accept(event_loop),
            Some(key) => {
                if readiness.wants_write() {
                    self.room.flush(key);
                }
                if readiness.wants_read() {
                    self.room.listen(key);
                    if let Some(guest) = self.room.guest(key) {
                        event_loop.reschedule(guest.silence, SILENCE);
                    }
                }
            }
        }
        self.done(event_loop, result);
    }

    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, _expiry: Expiry) {
        let mut result = Ok(());
        match Key::from_bits(token) {
            Some(key) => self.room.dismiss(key, "has fallen asleep"),
            None => {
                self.retries = false;
                result = self.accept(event_loop);
            }
        }
        self.done(event_loop, result);
    }

    fn signal(&mut self, event_loop: &mut EventLoop, _token: u64, _info: SignalInfo) {
        self.room.tell_all(None, "* that was all, good night\n");
        self.done(event_loop, Ok(()));
        event_loop.shutdown();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7878".into());
    let listener = TcpListener::bind(address.parse()?)?;
    let mut event_loop = EventLoop::new()?;
    event_loop.register_with(&listener, LISTENER, Interest::READABLE, Trigger::Edge)?;
    event_loop.signals_with(Signal::INT.into(), 0u64)?;
    println!("listening on {}", listener.local_addr()?);
    let room = Room::new(GUESTS_MAX);
    event_loop.run(Chat { listener, room, is_full: false, retries: false })?;
    Ok(())
}
