use std::io;

use mio_core::{EventLoop, Handler};

struct Server;

struct Command;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server, mesage = Command, colour = Vec<(u8, u16)>)]
enum On {
    #[timer]
    Idle,
}

impl OnHandler for Server {
    fn idle(&mut self, _: &mut EventLoop<Command, On>) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
