use std::io;

use mio_core::{EventLoop, Handler};

struct Server;

#[derive(Clone, Copy)]
struct Id(u8);

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[timer]
    Idle(Id),
    #[io(readable)]
    Client { weight: f32, side: bool },
}

impl OnHandler for Server {
    fn idle(&mut self, _: &mut EventLoop<(), On>, _: Id) -> io::Result<()> {
        Ok(())
    }

    fn client_readable(&mut self, _: &mut EventLoop<(), On>, _: f32, _: bool) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
