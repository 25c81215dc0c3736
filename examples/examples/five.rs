//! All kinds of source in one thread: a descriptor to write to, one to read from, a timer, a
//! message from another thread, a signal and the exit of a child. Each one sets off the next; the
//! child ends the program.
//!
//!     cargo run --example five

use std::{
    io::{self, Read, Write},
    process::Child,
    thread,
    time::Duration,
};

use examples::child_that_interrupts;
use mio_core::{
    ChildExit, EventLoop, Expiry, Handler, Interest, Signal, SignalInfo, Trigger, pipe,
};

const READER: u64 = 1;
const WRITER: u64 = 2;
const TIMER: u64 = 3;
const SIGNAL: u64 = 4;
const CHILD: u64 = 5;

/// What the other thread sends.
type Message = String;

struct Five {
    reader: pipe::Reader,
    writer: pipe::Writer,
    child: Option<Child>,
}

impl Five {
    fn write(&mut self, event_loop: &mut EventLoop<Message>) -> io::Result<()> {
        println!("writable: the pipe has room");
        self.writer.write_all(b"some bytes")?;
        event_loop.deregister(&self.writer, WRITER)
    }

    fn read(&mut self, event_loop: &mut EventLoop<Message>) -> io::Result<()> {
        let mut bytes = [0; 64];
        let length = self.reader.read(&mut bytes)?;
        println!("readable: {:?} from the pipe", String::from_utf8_lossy(&bytes[..length]));
        event_loop.timeout(TIMER, Duration::from_millis(250))?;
        Ok(())
    }

    fn spawn(&mut self, event_loop: &mut EventLoop<Message>) -> io::Result<()> {
        let child = child_that_interrupts()?;
        event_loop.child(&child, CHILD)?;
        self.child = Some(child);
        Ok(())
    }
}

impl Handler<Message> for Five {
    fn writable(&mut self, event_loop: &mut EventLoop<Message>, _token: u64) {
        self.write(event_loop).unwrap_or_else(|error| event_loop.fail(error));
    }

    fn readable(&mut self, event_loop: &mut EventLoop<Message>, _token: u64) {
        self.read(event_loop).unwrap_or_else(|error| event_loop.fail(error));
    }

    fn timeout(&mut self, event_loop: &mut EventLoop<Message>, _token: u64, expiry: Expiry) {
        let late = event_loop.now() - expiry.deadline();
        println!("timeout:  a quarter of a second has passed, and {late:?}");
        let sender = event_loop.sender();
        thread::spawn(move || sender.send("hello from another thread".into()));
    }

    fn message(&mut self, event_loop: &mut EventLoop<Message>, message: Message) {
        println!("message:  {message}");
        self.spawn(event_loop).unwrap_or_else(|error| event_loop.fail(error));
    }

    fn signal(&mut self, _event_loop: &mut EventLoop<Message>, _token: u64, info: SignalInfo) {
        println!("signal:   {} from process {:?}", info.signal, info.pid);
    }

    fn child(&mut self, event_loop: &mut EventLoop<Message>, _token: u64, exit: ChildExit) {
        println!("child:    process {} exited with {:?}", exit.pid(), exit.code());
        event_loop.shutdown();
    }
}

fn main() -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    let (reader, writer) = pipe::new()?;
    event_loop.register_with(&reader, READER, Interest::READABLE, Trigger::Edge)?;
    event_loop.register_with(&writer, WRITER, Interest::WRITABLE, Trigger::Edge)?;
    event_loop.signals_with(Signal::INT.into(), SIGNAL)?;
    let five = event_loop.run(Five { reader, writer, child: None })?;
    // The loop tells of the exit; its owner reaps the child.
    if let Some(mut child) = five.child {
        child.wait()?;
    }
    Ok(())
}
