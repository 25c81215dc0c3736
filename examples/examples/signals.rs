//! Signals as events: who sent which, in the same thread as everything else. No handler to write,
//! no mask to set, nothing that children would inherit.
//!
//!     cargo run --example signals
//!
//! Press Ctrl-C, or send it something: `kill -USR1 <pid>`. It ends on SIGTERM, on a second SIGINT,
//! or after a minute.

use std::{io, process, time::Duration};

use mio_core::{EventLoop, Expiry, Handler, Signal, SignalInfo, SignalSet};

const SIGNALS: SignalSet = SignalSet::EMPTY
    .with(Signal::INT)
    .with(Signal::TERM)
    .with(Signal::HUP)
    .with(Signal::USR1)
    .with(Signal::WINCH);

#[derive(Default)]
struct Signals {
    interrupts: u32,
}

impl Handler for Signals {
    fn signal(&mut self, event_loop: &mut EventLoop, _token: u64, info: SignalInfo) {
        match (info.pid, info.uid) {
            (Some(pid), Some(uid)) => println!("{} from process {pid} of user {uid}", info.signal),
            _ => println!("{} from the system", info.signal),
        }
        self.interrupts += u32::from(info.signal == Signal::INT);
        match info.signal {
            Signal::TERM => event_loop.shutdown(),
            Signal::INT if self.interrupts == 2 => event_loop.shutdown(),
            Signal::INT => println!("once more to end"),
            _ => {}
        }
    }

    fn timeout(&mut self, event_loop: &mut EventLoop, _token: u64, _expiry: Expiry) {
        println!("that was a minute");
        event_loop.shutdown();
    }
}

fn main() -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    event_loop.signals_with(SIGNALS, 0u64)?;
    event_loop.timeout(0u64, Duration::from_secs(60))?;
    println!("process {} waits for {SIGNALS:?}", process::id());
    event_loop.run(Signals::default())?;
    Ok(())
}
