//! A chat server: what one says, all others read.
//!
//!     cargo run --example chat
//!     cargo run --example chat -- 127.0.0.1:7878
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

use mio_core::{
    EventLoop, Expiry, Handler, Interest, Key, Readiness, Signal, SignalInfo, Slab, Timeout,
    Trigger,
    buf::Ring,
    net::{TcpListener, TcpStream},
};

const GUESTS_MAX: usize = 256;
const LINE_BYTES: usize = 512;
const OUTPUT_BYTES: usize = 16 * 1024;
const SILENCE: Duration = Duration::from_secs(600);
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// No key has so high a bit.
const LISTENER: u64 = 1 << 63;

struct Chat {
    listener: TcpListener,
    guests: Slab<Guest>,
    /// A timer is set to accept again.
    retries: bool,
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
    fn accept(&mut self, event_loop: &mut EventLoop) -> io::Result<()> {
        while let Ok(entry) = self.guests.vacant_entry() {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(_) if self.retries => return Ok(()),
                // No descriptor left, say. No edge will tell when there is one again.
                Err(_) => {
                    self.retries = true;
                    return event_loop.timeout(LISTENER, ACCEPT_RETRY).map(drop);
                }
            };
            let token = entry.key().to_bits();
            event_loop.register_with(&stream, token, Interest::READABLE, Trigger::Level)?;
            let guest = Guest {
                stream,
                name: String::new(),
                input: Ring::new([0; LINE_BYTES]),
                output: Ring::new(vec![0; OUTPUT_BYTES].into()),
                is_behind: false,
                silence: event_loop.timeout(token, SILENCE)?,
            };
            let key = entry.insert(guest);
            self.tell(event_loop, key, "What is your name?\n");
        }
        Ok(())
    }

    fn listen(&mut self, event_loop: &mut EventLoop, key: Key) {
        let Some(guest) = self.guests.get_mut(key) else { return };
        match guest.input.fill_from(&mut guest.stream) {
            Ok(0) => return self.leave(event_loop, key, "has left"),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => return self.leave(event_loop, key, "was lost"),
        }
        event_loop.reschedule(guest.silence, SILENCE);
        while let Some(line) = self.guests.get_mut(key).and_then(Guest::next_line) {
            self.hear(event_loop, key, line.trim());
        }
    }

    fn hear(&mut self, event_loop: &mut EventLoop, key: Key, line: &str) {
        let Some(guest) = self.guests.get_mut(key) else { return };
        match line {
            "" => {}
            "/quit" => self.leave(event_loop, key, "has left"),
            "/who" => {
                let names = self.guests.iter().map(|(_, guest)| guest.name.as_str());
                let names = names.collect::<Vec<_>>().join(" ");
                self.tell(event_loop, key, &format!("* {names}\n"));
            }
            _ if guest.name.is_empty() => {
                guest.name = line.chars().filter(|c| c.is_alphanumeric()).take(20).collect();
                if guest.name.is_empty() {
                    return self.tell(event_loop, key, "Letters and digits, please.\n");
                }
                let news = format!("* {} is here\n", guest.name);
                self.tell_others(event_loop, key, &news);
            }
            _ => {
                let said = format!("{}: {line}\n", guest.name);
                self.tell_others(event_loop, key, &said);
            }
        }
    }

    fn tell_others(&mut self, event_loop: &mut EventLoop, speaker: Key, text: &str) {
        let named = |(key, guest): (Key, &Guest)| (!guest.name.is_empty()).then_some(key);
        let others: Vec<Key> = self.guests.iter().filter_map(named).collect();
        for key in others.into_iter().filter(|&key| key != speaker) {
            self.tell(event_loop, key, text);
        }
    }

    fn tell(&mut self, event_loop: &mut EventLoop, key: Key, text: &str) {
        let Some(guest) = self.guests.get_mut(key) else { return };
        if guest.output.push_slice(text.as_bytes()) < text.len() {
            self.leave(event_loop, key, "could not keep up");
        } else if !guest.is_behind {
            self.flush(event_loop, key);
        }
    }

    /// Writes what waits, as far as there is room, and has the loop say when there is more.
    fn flush(&mut self, event_loop: &mut EventLoop, key: Key) {
        let Some(guest) = self.guests.get_mut(key) else { return };
        match guest.output.drain_to(&mut guest.stream) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => {
                return self.leave(event_loop, key, "was lost");
            }
            _ => {}
        }
        let is_behind = !guest.output.is_empty();
        if is_behind != guest.is_behind {
            guest.is_behind = is_behind;
            let mut interest = Interest::READABLE;
            interest.set(Interest::WRITABLE, is_behind);
            let token = key.to_bits();
            event_loop
                .reregister_with(&guest.stream, token, interest, Trigger::Level)
                .unwrap_or_else(|error| event_loop.fail(error));
        }
    }

    fn leave(&mut self, event_loop: &mut EventLoop, key: Key, how: &str) {
        let was_full = self.guests.is_full();
        let Some(guest) = self.guests.remove(key) else { return };
        event_loop.cancel(guest.silence);
        let _ = event_loop.close(guest.stream, key.to_bits());
        if !guest.name.is_empty() {
            self.tell_others(event_loop, key, &format!("* {} {how}\n", guest.name));
        }
        if was_full {
            let again = event_loop.again(LISTENER, Readiness::READABLE);
            again.unwrap_or_else(|error| event_loop.fail(error));
        }
    }
}

impl Handler for Chat {
    fn ready(&mut self, event_loop: &mut EventLoop, token: u64, readiness: Readiness) {
        let Some(key) = Key::from_bits(token) else {
            return self.accept(event_loop).unwrap_or_else(|error| event_loop.fail(error));
        };
        if readiness.wants_write() {
            self.flush(event_loop, key);
        }
        if readiness.wants_read() {
            self.listen(event_loop, key);
        }
    }

    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, _expiry: Expiry) {
        match Key::from_bits(token) {
            Some(key) => self.leave(event_loop, key, "has fallen asleep"),
            None => {
                self.retries = false;
                self.accept(event_loop).unwrap_or_else(|error| event_loop.fail(error));
            }
        }
    }

    fn signal(&mut self, event_loop: &mut EventLoop, _token: u64, _info: SignalInfo) {
        let all: Vec<Key> = self.guests.keys().collect();
        for key in all {
            self.tell(event_loop, key, "* that was all, good night\n");
        }
        event_loop.shutdown();
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
    let listener = TcpListener::bind(address.parse()?)?;
    let mut event_loop = EventLoop::new()?;
    event_loop.register_with(&listener, LISTENER, Interest::READABLE, Trigger::Edge)?;
    event_loop.signals_with(Signal::INT.into(), 0u64)?;
    println!("listening on {}", listener.local_addr()?);
    event_loop.run(Chat { listener, guests: Slab::with_capacity(GUESTS_MAX), retries: false })?;
    Ok(())
}
