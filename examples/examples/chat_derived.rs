//! The chat server of the example `chat`, by `#[derive(Handler)]` and with a component: the
//! listener of `components/listener` accepts, within limits.
//!
//!     cargo run --example chat_derived
//!     cargo run --example chat_derived -- 127.0.0.1:7878
//!
//! Then `nc 127.0.0.1 7878` from two terminals or more. The first line is your name. `/who` tells
//! who is there, `/quit` leaves, and so does who is silent for ten minutes. Ctrl-C tells everybody
//! and ends.
//!
//! What is said and heard is in `examples::room`, which knows no event loop. The guests are
//! level-triggered, the simplest way where speed is not the point: read once per report, what is left
//! will be reported again; ask about room to write only while something waits for it.

use std::{error::Error, io, time::Duration};

use examples::room::{Change, Guest, Room};
use listener::{Limits, Listener};
use mio_core::{EventLoop, Handler, Interest, Key, SignalInfo, Trigger, net::TcpListener};

const GUESTS_MAX: usize = 256;
const SILENCE: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, Handler)]
#[handler(state = Chat)]
enum On {
    #[nested(listener, method = accepted)]
    Listener(listener::On),
    #[io(readable = listen, writable = flush, level)]
    Guest(Key),
    #[timer]
    Silence(Key),
    #[signal(INT)]
    Stop,
}

type Loop = EventLoop<(), On>;

struct Chat {
    listener: Listener,
    room: Room,
}

impl OnHandler for Chat {
    fn accepted(&mut self, event_loop: &mut Loop) -> io::Result<()> {
        while let (Some(entry), Some((stream, _))) = (self.room.place(), self.listener.take()) {
            let (guest, silence) = (On::Guest(entry.key()), On::Silence(entry.key()));
            let placed = event_loop
                .register_with(&stream, guest, Interest::READABLE, Trigger::Level)
                .and_then(|()| event_loop.timeout(silence, SILENCE));
            let Ok(silence) = placed else {
                // The system has no room for it, and the others go on.
                self.listener.release(&mut event_loop.nested(On::LISTENER))?;
                continue;
            };
            let key = entry.insert(Guest::new(stream, silence));
            self.room.tell(key, "What is your name?\n");
        }
        self.settle(event_loop)
    }

    fn listen(&mut self, event_loop: &mut Loop, key: Key) -> io::Result<()> {
        self.room.listen(key);
        if let Some(guest) = self.room.guest(key) {
            event_loop.reschedule(guest.silence, SILENCE);
        }
        self.settle(event_loop)
    }

    fn flush(&mut self, event_loop: &mut Loop, key: Key) -> io::Result<()> {
        self.room.flush(key);
        self.settle(event_loop)
    }

    fn silence(&mut self, event_loop: &mut Loop, key: Key) -> io::Result<()> {
        self.room.dismiss(key, "has fallen asleep");
        self.settle(event_loop)
    }

    fn stop(&mut self, event_loop: &mut Loop, _: SignalInfo) -> io::Result<()> {
        self.room.tell_all(None, "* that was all, good night\n");
        event_loop.shutdown();
        self.settle(event_loop)
    }
}

impl Chat {
    /// Does what the room asks for.
    fn settle(&mut self, event_loop: &mut Loop) -> io::Result<()> {
        while let Some(change) = self.room.next_change() {
            match change {
                Change::Interest(key, interest) => {
                    let Some(guest) = self.room.guest(key) else { continue };
                    let source = On::Guest(key);
                    event_loop.reregister_with(&guest.stream, source, interest, Trigger::Level)?;
                }
                Change::Left(key, guest) => {
                    event_loop.cancel(guest.silence);
                    event_loop.close(guest.stream, On::Guest(key))?;
                    self.listener.release(&mut event_loop.nested(On::LISTENER))?;
                }
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7878".into());
    let mut event_loop = EventLoop::new()?;
    let socket = TcpListener::bind(address.parse()?)?;
    let limits = Limits { live: GUESTS_MAX, ..Limits::default() };
    let listener = Listener::new(&mut event_loop.nested(On::LISTENER), socket, limits)?;
    event_loop.signals(On::Stop)?;
    println!("listening on {}", listener.local_addr()?);
    event_loop.run(Chat { listener, room: Room::new(GUESTS_MAX) })?;
    Ok(())
}
