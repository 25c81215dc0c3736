//! An echo server on the raw trait, right also when peers vanish or do not read. Until it is
//! interrupted.
//!
//!     cargo run --example echo
//!     cargo run --example echo -- 127.0.0.1:7777
//!
//! Then, from another terminal, `nc 127.0.0.1 7777`. The server itself is in `src/echo.rs`: it is
//! also the upstream in the example `proxy`.

use std::error::Error;

use examples::echo::Echo;
use mio_core::EventLoop;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7777".into());
    let mut event_loop = EventLoop::new()?;
    let echo = Echo::new(&mut event_loop, address.parse()?)?;
    println!("listening on {}", echo.local_addr()?);
    event_loop.run(echo)?;
    Ok(())
}
