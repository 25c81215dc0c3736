use std::io;

use mio_core::{EventLoop, Handler};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[io(readable)]
    #[io(writable)]
    Client,
}

impl OnHandler for Server {
    fn client_readable(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
