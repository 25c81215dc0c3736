//! Each mistake is reported once, and nothing follows from any of them.

use std::io;

use mio_core::{Any, EventLoop, Handler, Key, SignalInfo, Token};

struct Server;

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Server, mesage = u8)]
enum On {
    #[io(readabel, writable)]
    Client(Key),
    #[timer(level)]
    Idle(Key),
    #[signal(SIGTERM)]
    Shutdown,
    #[nested]
    Metrics(Any),
    Worker,
}

impl OnHandler for Server {
    fn client_readable(&mut self, event_loop: &mut EventLoop<u8, On>, client: Key) -> io::Result<()> {
        event_loop.timeout(On::Idle(client), std::time::Duration::ZERO)?;
        Ok(())
    }

    fn client_writable(&mut self, _: &mut EventLoop<u8, On>, _: Key) -> io::Result<()> {
        Ok(())
    }

    fn idle(&mut self, _: &mut EventLoop<u8, On>, _: Key) -> io::Result<()> {
        Ok(())
    }

    fn shutdown(&mut self, event_loop: &mut EventLoop<u8, On>, _: SignalInfo) -> io::Result<()> {
        event_loop.shutdown();
        Ok(())
    }

    fn error(&mut self, _: &mut EventLoop<u8, On>, source: On, error: io::Error) {
        eprintln!("{source:?}: {error}");
    }
}

fn main() -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    event_loop.signals(On::Shutdown)?;
    assert_eq!(On::unpack(On::Shutdown.bits()), Some(On::Shutdown));
    println!("{:?}", On::TABLE);
    event_loop.run(Server)?;
    Ok(())
}
