use std::io;

use mio_core::{EventLoop, Handler, Key};

struct Server;

struct Command;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server, message = Command)]
enum On {
    #[io(readable, writable)]
    Client(Key),
    #[timer(expiry)]
    Idle { client: Key, side: bool },
    #[signal(INT, TERM)]
    Shutdown,
}

impl OnHandler for Server {
    fn client_readable(&mut self, _: &mut EventLoop<Command, On>, _: Key) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
