//! The echo server of the example `echo`, by `#[derive(Handler)]`. Until it is interrupted.
//!
//!     cargo run --example echo_derived
//!     cargo run --example echo_derived -- 127.0.0.1:7777
//!
//! The server itself is in `src/echo_derived.rs`.

use std::error::Error;

use examples::echo_derived::Echo;
use mio_core::EventLoop;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7777".into());
    let mut event_loop = EventLoop::new()?;
    let echo = Echo::new(&mut event_loop, address.parse()?)?;
    println!("listening on {}", echo.local_addr()?);
    event_loop.run(echo)?;
    Ok(())
}
