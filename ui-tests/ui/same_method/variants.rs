use std::io;

use mio_core::{EventLoop, Handler};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[io(readable = accept)]
    Listener,
    #[timer(method = accept)]
    Later,
    #[timer]
    Client,
    #[timer]
    client,
}

impl OnHandler for Server {
    fn accept(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }

    fn client(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
