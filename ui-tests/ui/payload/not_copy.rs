use std::io;

use mio_core::{EventLoop, Handler};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[timer]
    Idle(String),
}

impl OnHandler for Server {
    fn idle(&mut self, _: &mut EventLoop<(), On>, _: String) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
