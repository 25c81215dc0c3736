//! The first program, by the derive: a pipe and a timer, each with a method of its own.
//!
//!     cargo run --example hello_derived
//!
//! The example `hello` is about as much without the derive.

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use mio_core::{EventLoop, Handler, pipe};

#[derive(Clone, Copy, Debug, Handler)]
#[handler(state = Hello)]
enum On {
    #[io(readable)]
    Pipe,
    #[timer]
    Bedtime,
}

struct Hello {
    pipe: pipe::Reader,
}

impl OnHandler for Hello {
    fn pipe_readable(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
        let mut bytes = [0; 64];
        let length = self.pipe.read(&mut bytes)?;
        println!("the pipe says {}", String::from_utf8_lossy(&bytes[..length]));
        event_loop.timeout(On::Bedtime, Duration::from_millis(250))?;
        Ok(())
    }

    fn bedtime(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
        println!("good night");
        event_loop.shutdown();
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    let (pipe, mut writer) = pipe::new()?;
    event_loop.register(&pipe, On::Pipe)?;
    writer.write_all(b"hello")?;
    event_loop.run(Hello { pipe })?;
    Ok(())
}
