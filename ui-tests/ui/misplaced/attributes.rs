use std::io;

use mio_core::{EventLoop, Handler};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
#[io(readable)]
enum On {
    #[handler(method = accept)]
    #[io(readable)]
    Listener,
    #[io = readable]
    Client,
    #[timer]
    Idle = 7,
}

impl OnHandler for Server {
    fn listener_readable(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }

    fn idle(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
