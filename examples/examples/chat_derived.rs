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
//! Everything is bounded. A line that is too long is cut. Nobody waits for a slow reader: what
//! others say goes into its ring, and when that is full it is shown the door.
//!
//! The guests are level-triggered, the simplest way where speed is not the point: read once per
//! report, what is left will be reported again; ask about room to write only while something
//! waits for it.

use std::{
    error::Error,
    io::{self, ErrorKind},
    time::Duration,
};

use listener::{Limits, Listener};
use mio_core::{
    EventLoop, Handler, Interest, Key, SignalInfo, Slab, Timeout, Trigger,
    buf::Ring,
    net::{TcpListener, TcpStream},
};

const GUESTS_MAX: usize = 256;
const LINE_BYTES: usize = 512;
const OUTPUT_BYTES: usize = 16 * 1024;
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
    guests: Slab<Guest>,
}

struct Guest {
    stream: TcpStream,
    /// Empty until it is told.
    name: String,
    input: Ring<[u8; LINE_BYTES]>,
    output: Ring<Box<[u8]>>,
    /// It is asked about room to write.
    is_behind: bool,
    silence: Timeout,
}

impl Chat {
    fn hear(&mut self, event_loop: &mut Loop, key: Key, line: &str) -> io::Result<()> {
        let Some(guest) = self.guests.get_mut(key) else { return Ok(()) };
        match line {
            "" => {}
            "/quit" => return self.leave(event_loop, key, "has left"),
            "/who" => {
                let names = self.guests.iter().map(|(_, guest)| guest.name.as_str());
                let names = names.collect::<Vec<_>>().join(" ");
                self.tell(event_loop, key, &format!("* {names}\n"));
            }
            _ if guest.name.is_empty() => {
                guest.name = line.chars().filter(|c| c.is_alphanumeric()).take(20).collect();
                if guest.name.is_empty() {
                    self.tell(event_loop, key, "Letters and digits, please.\n");
                } else {
                    let news = format!("* {} is here\n", guest.name);
                    self.tell_others(event_loop, key, &news);
                }
            }
            _ => {
                let said = format!("{}: {line}\n", guest.name);
                self.tell_others(event_loop, key, &said);
            }
        }
        Ok(())
    }

    fn tell_others(&mut self, event_loop: &mut Loop, speaker: Key, text: &str) {
        let named = |(key, guest): (Key, &Guest)| (!guest.name.is_empty()).then_some(key);
        let others: Vec<Key> = self.guests.iter().filter_map(named).collect();
        for key in others.into_iter().filter(|&key| key != speaker) {
            self.tell(event_loop, key, text);
        }
    }

    /// What goes wrong is the matter of the one who is told, not of the one who speaks.
    fn tell(&mut self, event_loop: &mut Loop, key: Key, text: &str) {
        let Some(guest) = self.guests.get_mut(key) else { return };
        let told = if guest.output.push_slice(text.as_bytes()) < text.len() {
            self.leave(event_loop, key, "could not keep up")
        } else if guest.is_behind {
            Ok(())
        } else {
            self.flush(event_loop, key)
        };
        told.unwrap_or_else(|error| self.error(event_loop, On::Guest(key), error));
    }

    fn leave(&mut self, event_loop: &mut Loop, key: Key, how: &str) -> io::Result<()> {
        let Some(guest) = self.guests.remove(key) else { return Ok(()) };
        event_loop.cancel(guest.silence);
        event_loop.close(guest.stream, On::Guest(key))?;
        self.listener.release(&mut event_loop.nested(On::LISTENER))?;
        if !guest.name.is_empty() {
            self.tell_others(event_loop, key, &format!("* {} {how}\n", guest.name));
        }
        Ok(())
    }
}

impl OnHandler for Chat {
    fn accepted(&mut self, event_loop: &mut Loop) -> io::Result<()> {
        while let Some((stream, _)) = self.listener.take() {
            let entry = self.guests.vacant_entry()?;
            let key = entry.key();
            event_loop.register_with(
                &stream,
                On::Guest(key),
                Interest::READABLE,
                Trigger::Level,
            )?;
            entry.insert(Guest {
                stream,
                name: String::new(),
                input: Ring::new([0; LINE_BYTES]),
                output: Ring::new(vec![0; OUTPUT_BYTES].into()),
                is_behind: false,
                silence: event_loop.timeout(On::Silence(key), SILENCE)?,
            });
            self.tell(event_loop, key, "What is your name?\n");
        }
        Ok(())
    }

    fn listen(&mut self, event_loop: &mut Loop, key: Key) -> io::Result<()> {
        let Some(guest) = self.guests.get_mut(key) else { return Ok(()) };
        if guest.input.fill_from(&mut guest.stream)? == 0 {
            return self.leave(event_loop, key, "has left");
        }
        event_loop.reschedule(guest.silence, SILENCE);
        while let Some(line) = self.guests.get_mut(key).and_then(Guest::next_line) {
            self.hear(event_loop, key, line.trim())?;
        }
        Ok(())
    }

    /// Writes what waits, as far as there is room, and has the loop say when there is more.
    fn flush(&mut self, event_loop: &mut Loop, key: Key) -> io::Result<()> {
        let Some(guest) = self.guests.get_mut(key) else { return Ok(()) };
        match guest.output.drain_to(&mut guest.stream) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        let is_behind = !guest.output.is_empty();
        if is_behind != guest.is_behind {
            guest.is_behind = is_behind;
            let mut interest = Interest::READABLE;
            interest.set(Interest::WRITABLE, is_behind);
            event_loop.reregister_with(&guest.stream, On::Guest(key), interest, Trigger::Level)?;
        }
        Ok(())
    }

    fn silence(&mut self, event_loop: &mut Loop, key: Key) -> io::Result<()> {
        self.leave(event_loop, key, "has fallen asleep")
    }

    fn stop(&mut self, event_loop: &mut Loop, _: SignalInfo) -> io::Result<()> {
        let all: Vec<Key> = self.guests.keys().collect();
        for key in all {
            self.tell(event_loop, key, "* that was all, good night\n");
        }
        event_loop.shutdown();
        Ok(())
    }

    fn error(&mut self, event_loop: &mut Loop, source: On, error: io::Error) {
        let done = match source {
            On::Guest(_) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            On::Guest(key) | On::Silence(key) => self.leave(event_loop, key, "was lost"),
            On::Listener(_) | On::Stop => Err(error),
        };
        done.unwrap_or_else(|error| event_loop.fail(error));
    }
}

impl Guest {
    /// Takes a line out of the input, if there is a whole one, or if no more goes in.
    fn next_line(&mut self) -> Option<String> {
        let (first, second) = self.input.as_slices();
        let held = first.iter().chain(second);
        let length = match held.clone().position(|&byte| byte == b'\n') {
            Some(at) => at + 1,
            None if self.input.is_full() => LINE_BYTES,
            None => return None,
        };
        let line = String::from_utf8_lossy(&held.take(length).copied().collect::<Vec<u8>>()).into();
        self.input.consume(length);
        Some(line)
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
    event_loop.run(Chat { listener, guests: Slab::with_capacity(GUESTS_MAX) })?;
    Ok(())
}
