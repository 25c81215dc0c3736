use std::io;

use mio_core::{EventLoop, Handler};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[timer]
    Idle(#[timer] u8),
    #[io(readable)]
    Client {
        #[handler(state = Server)]
        id: u8,
    },
}

impl OnHandler for Server {
    fn idle(&mut self, _: &mut EventLoop<(), On>, _: u8) -> io::Result<()> {
        Ok(())
    }

    fn client_readable(&mut self, _: &mut EventLoop<(), On>, _: u8) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
