use std::io;

use mio_core::{EventLoop, Handler};

struct Server;

#[derive(Handler)]
#[handler(state = Server)]
enum On {
    #[timer]
    Idle(u8),
}

impl OnHandler for Server {
    fn idle(&mut self, _: &mut EventLoop<(), On>, _: u8) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
