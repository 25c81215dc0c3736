use std::io;

use mio_core::{EventLoop, Handler, Key};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[timer]
    Idle,
    #[io(readable)]
    Client(Key, u16),
}

impl OnHandler for Server {
    fn idle(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }

    fn client_readable(&mut self, _: &mut EventLoop<(), On>, _: Key, _: u16) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
