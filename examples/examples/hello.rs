//! The first program: wait for one source, hear of it once, end.
//!
//!     cargo run --example hello

use std::io::{self, Write};

use mio_core::{EventLoop, Handler, pipe};

struct Hello;

impl Handler for Hello {
    fn readable(&mut self, event_loop: &mut EventLoop, token: u64) {
        println!("readable: {token}");
        event_loop.shutdown();
    }
}

fn main() -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    let (reader, mut writer) = pipe::new()?;
    event_loop.register(&reader, 1u64)?;
    writer.write_all(b"hello")?;
    event_loop.run(Hello)?;
    Ok(())
}
