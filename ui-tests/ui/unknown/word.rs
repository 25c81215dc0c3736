use std::io;

use mio_core::{ChildExit, EventLoop, Handler};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[io(readabel)]
    Listener,
    #[io(readable, one_shot)]
    Client,
    #[io(readable, colour)]
    Other,
    #[timer(expire)]
    Idle,
    #[child(name = reaped)]
    Worker,
}

impl OnHandler for Server {
    fn listener_readable(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }

    fn client_readable(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }

    fn other_readable(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }

    fn idle(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }

    fn worker(&mut self, _: &mut EventLoop<(), On>, _: ChildExit) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
