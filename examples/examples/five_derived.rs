//! The example `five` by `#[derive(Handler)]`: all kinds of source in one thread, each with a method of
//! its own. Each one sets off the next; the child ends the program.
//!
//!     cargo run --example five_derived

use std::{
    io::{self, Read, Write},
    process::Child,
    thread,
    time::Duration,
};

use examples::child_that_interrupts;
use mio_core::{ChildExit, EventLoop, Expiry, Handler, SignalInfo, pipe};

#[derive(Clone, Copy, Debug, Handler)]
#[handler(state = Five, message = String)]
enum On {
    #[io(writable)]
    Writer,
    #[io(readable)]
    Reader,
    #[timer(expiry)]
    Timer,
    #[signal(INT)]
    Signal,
    #[child]
    Child,
}

type Loop = EventLoop<String, On>;

struct Five {
    reader: pipe::Reader,
    writer: pipe::Writer,
    child: Option<Child>,
}

impl OnHandler for Five {
    fn writer_writable(&mut self, event_loop: &mut Loop) -> io::Result<()> {
        println!("writable: the pipe has room");
        self.writer.write_all(b"some bytes")?;
        event_loop.deregister(&self.writer, On::Writer)
    }

    fn reader_readable(&mut self, event_loop: &mut Loop) -> io::Result<()> {
        let mut bytes = [0; 64];
        let length = self.reader.read(&mut bytes)?;
        println!("readable: {:?} from the pipe", String::from_utf8_lossy(&bytes[..length]));
        event_loop.timeout(On::Timer, Duration::from_millis(250)).map(drop)
    }

    fn timer(&mut self, event_loop: &mut Loop, expiry: Expiry) -> io::Result<()> {
        let late = event_loop.now() - expiry.deadline();
        println!("timeout:  a quarter of a second has passed, and {late:?}");
        let sender = event_loop.sender();
        thread::spawn(move || sender.send("hello from another thread".into()));
        Ok(())
    }

    fn message(&mut self, event_loop: &mut Loop, message: String) -> io::Result<()> {
        println!("message:  {message}");
        let child = child_that_interrupts()?;
        event_loop.child(self.child.insert(child), On::Child)
    }

    fn signal(&mut self, _: &mut Loop, info: SignalInfo) -> io::Result<()> {
        println!("signal:   {} from process {:?}", info.signal, info.pid);
        Ok(())
    }

    fn child(&mut self, event_loop: &mut Loop, exit: ChildExit) -> io::Result<()> {
        println!("child:    process {} exited with {:?}", exit.pid(), exit.code());
        event_loop.shutdown();
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    let (reader, writer) = pipe::new()?;
    event_loop.register(&reader, On::Reader)?;
    event_loop.register(&writer, On::Writer)?;
    event_loop.signals(On::Signal)?;
    let five = event_loop.run(Five { reader, writer, child: None })?;
    // The loop tells of the exit; its owner reaps the child.
    if let Some(mut child) = five.child {
        child.wait()?;
    }
    Ok(())
}
