use std::io;

use mio_core::{EventLoop, Handler};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server, trait = Events, state = Server)]
#[handler(trait = Callbacks)]
enum On {
    #[timer]
    Idle,
}

impl Events for Server {
    fn idle(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
