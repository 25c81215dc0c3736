use std::io;

use mio_core::{EventLoop, Handler};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[timer]
    Idle(bool, bool, bool, bool, bool, bool, bool, bool, bool),
}

impl OnHandler for Server {
    #[rustfmt::skip]
    fn idle(
        &mut self, _: &mut EventLoop<(), On>, _: bool, _: bool, _: bool,
        _: bool, _: bool, _: bool, _: bool, _: bool, _: bool,
    ) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
