use std::io;

use mio_core::{EventLoop, Handler, Key};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[io(readable)]
    Client(Key),
}

impl OnHandler for Server {
    fn client_readable(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
