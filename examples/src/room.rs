//! The room where guests chat: what one says, all others read. It knows no event loop, which is told
//! afterwards what [changes](Change) for it.
//!
//! Everything is bounded. A line that is too long is cut. Nobody waits for a slow reader: what others
//! say goes into its ring, and when that is full it is shown the door.

use std::{
    io::{self, ErrorKind},
    mem,
};

use mio_core::{Interest, Key, Slab, Timeout, VacantEntry, buf::Ring, net::TcpStream};

const LINE_BYTES: usize = 512;
const OUTPUT_BYTES: usize = 16 * 1024;
const NAME_LETTERS: usize = 20;

/// A room for so many guests.
#[derive(Debug)]
pub struct Room {
    guests: Slab<Guest>,
    /// Who was told something, or has to go.
    stirred: Vec<Key>,
}

/// One of those who chat.
#[derive(Debug)]
pub struct Guest {
    /// Where it is.
    pub stream: TcpStream,
    /// The timer that fires when it was silent for too long.
    pub silence: Timeout,
    /// Empty until it is told.
    name: String,
    input: Ring<Box<[u8]>>,
    output: Ring<Box<[u8]>>,
    /// It is asked about room to write.
    is_behind: bool,
    /// Why it has to go.
    leaves: Option<&'static str>,
}

/// What an event loop has to do for a guest.
#[derive(Debug)]
pub enum Change {
    /// Wait for this from now on.
    Interest(Key, Interest),
    /// Forget and close it.
    Left(Key, Guest),
}

impl Room {
    /// A room for `guests`.
    #[must_use]
    pub fn new(guests: usize) -> Room {
        Room { guests: Slab::with_capacity(guests), stirred: Vec::new() }
    }

    /// A place for a guest, and its key; none if the room is full.
    pub fn place(&mut self) -> Option<VacantEntry<'_, Guest>> {
        self.guests.vacant_entry().ok()
    }

    /// The guest of this key, if it is still here.
    #[must_use]
    pub fn guest(&self, key: Key) -> Option<&Guest> {
        self.guests.get(key)
    }

    /// Reads once what a guest says, and passes it on.
    pub fn listen(&mut self, key: Key) {
        let Some(guest) = self.guests.get_mut(key) else { return };
        let leaves = match guest.input.fill_from(&mut guest.stream) {
            Ok(0) => Some("has left"),
            Ok(_) => None,
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(_) => Some("was lost"),
        };
        let next_line = |guest: &mut Guest| guest.next_line(leaves.is_some());
        while let Some(line) = self.guests.get_mut(key).and_then(next_line) {
            self.hear(key, line.trim());
        }
        if let Some(why) = leaves {
            self.dismiss(key, why);
        }
    }

    /// Keeps `text` for one guest.
    pub fn tell(&mut self, key: Key, text: &str) {
        let Some(guest) = self.guests.get_mut(key) else { return };
        if guest.output.push_slice(text.as_bytes()) < text.len() {
            guest.leaves = Some("could not keep up");
        }
        self.stirred.push(key);
    }

    /// Keeps `text` for all of them but `speaker`.
    pub fn tell_all(&mut self, speaker: Option<Key>, text: &str) {
        let named = |(key, guest): (Key, &Guest)| (!guest.name.is_empty()).then_some(key);
        let others: Vec<Key> = self.guests.iter().filter_map(named).collect();
        for key in others.into_iter().filter(|&key| Some(key) != speaker) {
            self.tell(key, text);
        }
    }

    /// It is to go.
    pub fn dismiss(&mut self, key: Key, why: &'static str) {
        if let Some(guest) = self.guests.get_mut(key) {
            guest.leaves = Some(why);
            self.stirred.push(key);
        }
    }

    /// There is room to write to it.
    pub fn flush(&mut self, key: Key) {
        self.stirred.push(key);
    }

    /// Writes to those who were told something. To be called until nothing changes for the event loop.
    pub fn next_change(&mut self) -> Option<Change> {
        while let Some(key) = self.stirred.pop() {
            let Some(guest) = self.guests.get_mut(key) else { continue };
            let flushed = guest.flush();
            if let Some(why) = guest.leaves.or(flushed.is_err().then_some("was lost")) {
                let guest = self.guests.remove(key)?;
                if !guest.name.is_empty() {
                    self.tell_all(None, &format!("* {} {why}\n", guest.name));
                }
                return Some(Change::Left(key, guest));
            }
            if let Ok(Some(interest)) = flushed {
                return Some(Change::Interest(key, interest));
            }
        }
        None
    }

    fn hear(&mut self, key: Key, line: &str) {
        let Some(guest) = self.guests.get_mut(key) else { return };
        match line {
            "" => {}
            "/quit" => self.dismiss(key, "has left"),
            "/who" => {
                let names = self.guests.iter().map(|(_, guest)| guest.name.as_str());
                let names = names.collect::<Vec<_>>().join(" ");
                self.tell(key, &format!("* {names}\n"));
            }
            _ if guest.name.is_empty() => {
                let letters = line.chars().filter(|c| c.is_alphanumeric());
                guest.name = letters.take(NAME_LETTERS).collect();
                if guest.name.is_empty() {
                    self.tell(key, "Letters and digits, please.\n");
                } else {
                    let news = format!("* {} is here\n", guest.name);
                    self.tell_all(Some(key), &news);
                }
            }
            _ => {
                let said = format!("{}: {line}\n", guest.name);
                self.tell_all(Some(key), &said);
            }
        }
    }
}

impl Guest {
    /// A guest without a name.
    #[must_use]
    pub fn new(stream: TcpStream, silence: Timeout) -> Guest {
        Guest {
            stream,
            silence,
            name: String::new(),
            input: Ring::new(vec![0; LINE_BYTES].into()),
            output: Ring::new(vec![0; OUTPUT_BYTES].into()),
            is_behind: false,
            leaves: None,
        }
    }

    /// Takes a line out of the input, if there is a whole one, or if no more goes in or comes. What ends
    /// or moves a line on the screens of others is no part of it.
    fn next_line(&mut self, is_last: bool) -> Option<String> {
        if self.leaves.is_some() {
            return None;
        }
        let (first, second) = self.input.as_slices();
        let held = first.iter().chain(second);
        let length = match held.clone().position(|&byte| byte == b'\n') {
            Some(at) => at + 1,
            None if self.input.is_full() || (is_last && !self.input.is_empty()) => self.input.len(),
            None => return None,
        };
        let bytes: Vec<u8> = held.take(length).copied().collect();
        self.input.consume(length);
        Some(String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).collect())
    }

    /// Writes what waits, as far as there is room. Answers what is waited for now, if it is something else
    /// than before.
    fn flush(&mut self) -> io::Result<Option<Interest>> {
        match self.output.drain_to(&mut self.stream) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        let is_behind = !self.output.is_empty();
        let was_behind = mem::replace(&mut self.is_behind, is_behind);
        let mut interest = Interest::READABLE;
        interest.set(Interest::WRITABLE, is_behind);
        Ok((is_behind != was_behind).then_some(interest))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net,
        time::Duration,
    };

    use ::tests::peers::awaited;
    use mio_core::{EventLoop, net::TcpListener};

    use super::*;

    struct Visitor {
        key: Key,
        stream: net::TcpStream,
    }

    impl Visitor {
        fn says(&mut self, room: &mut Room, what: &str) {
            self.stream.write_all(what.as_bytes()).unwrap();
            // Loopback hands it over at once, or nearly so.
            std::thread::sleep(Duration::from_millis(5));
            room.listen(self.key);
        }

        fn reads(&mut self, expected: &str) {
            let mut read = vec![0; expected.len()];
            self.stream.read_exact(&mut read).unwrap();
            assert_eq!(String::from_utf8(read).unwrap(), expected);
        }
    }

    fn visitors<const N: usize>(room: &mut Room) -> [Visitor; N] {
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        [(); N].map(|()| {
            let stream = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let (guest, _) = listener.accept().unwrap();
            let silence = event_loop.timeout(0u64, Duration::MAX).unwrap();
            let key = room.place().unwrap().insert(Guest::new(guest, silence));
            Visitor { key, stream }
        })
    }

    /// Who left.
    fn settle(room: &mut Room) -> Vec<Key> {
        let mut left = Vec::new();
        while let Some(change) = room.next_change() {
            if let Change::Left(key, _) = change {
                left.push(key);
            }
        }
        left
    }

    #[test]
    fn what_one_says_all_others_read() {
        let mut room = Room::new(3);
        let [mut ann, mut bob, mut eve] = visitors(&mut room);
        assert!(room.place().is_none());
        ann.says(&mut room, "ann\n");
        bob.says(&mut room, "b.o.b\n");
        bob.says(&mut room, "hel");
        bob.says(&mut room, "lo\n/who\n");
        eve.says(&mut room, "?!\n");
        assert_eq!(settle(&mut room), []);
        ann.reads("* bob is here\nbob: hello\n");
        bob.reads("* ann bob \n");
        eve.reads("Letters and digits, please.\n");
        bob.says(&mut room, "/quit\n");
        assert_eq!(settle(&mut room), [bob.key]);
        ann.reads("* bob has left\n");
        drop(eve.stream);
        std::thread::sleep(Duration::from_millis(5));
        room.listen(eve.key);
        assert_eq!(settle(&mut room), [eve.key]);
    }

    #[test]
    fn what_is_said_last_is_heard_and_nothing_after_quitting() {
        let mut room = Room::new(3);
        let [mut ann, mut bob, mut eve] = visitors(&mut room);
        ann.says(&mut room, "ann\n");
        bob.says(&mut room, "bob\n/quit\nnobody hears this\n");
        eve.says(&mut room, "eve\nlast words");
        eve.stream.shutdown(net::Shutdown::Write).unwrap();
        let mut left = settle(&mut room);
        awaited(
            || (),
            || {
                room.listen(eve.key);
                left.extend(settle(&mut room));
                left.contains(&eve.key).then_some(())
            },
        );
        drop(room);
        let mut heard = String::new();
        ann.stream.read_to_string(&mut heard).unwrap();
        assert_eq!(heard.lines().next(), Some("* bob is here"));
        assert!(heard.contains("eve: last words\n* ") && !heard.contains("nobody"), "{heard}");
    }

    #[test]
    fn nobody_writes_to_the_screens_of_others_but_behind_the_own_name() {
        let mut room = Room::new(2);
        let [mut ann, mut eve] = visitors(&mut room);
        ann.says(&mut room, "ann\n");
        eve.says(&mut room, "eve\nwell\r* ann has left\x1b[2J\n");
        settle(&mut room);
        ann.reads("* eve is here\neve: well* ann has left[2J\n");
    }

    #[test]
    fn who_does_not_read_is_shown_the_door() {
        let mut room = Room::new(2);
        let [mut ann, mut slow] = visitors(&mut room);
        ann.says(&mut room, "ann\n");
        slow.says(&mut room, "slow\n");
        settle(&mut room);
        room.tell(slow.key, &"x".repeat(OUTPUT_BYTES + 1));
        assert_eq!(settle(&mut room), [slow.key]);
        ann.reads("* slow is here\n* slow could not keep up\n");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut() {
        let mut room = Room::new(2);
        let [mut ann, mut bob] = visitors(&mut room);
        ann.says(&mut room, "ann\n");
        bob.says(&mut room, "bob\n");
        bob.says(&mut room, &"y".repeat(LINE_BYTES + 1));
        settle(&mut room);
        ann.reads(&format!("* bob is here\nbob: {}\n", "y".repeat(LINE_BYTES)));
    }
}
