use std::io;

use mio_core::{EventLoop, Handler, Readiness};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[io(readable = accept, ready, closed, ready)]
    Listener,
    #[io(ready)]
    Client,
}

impl OnHandler for Server {
    fn listener_ready(&mut self, _: &mut EventLoop<(), On>, _: Readiness) -> io::Result<()> {
        Ok(())
    }

    fn client_ready(&mut self, _: &mut EventLoop<(), On>, _: Readiness) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
