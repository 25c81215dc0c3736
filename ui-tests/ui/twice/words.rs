use std::io;

use mio_core::{EventLoop, Expiry, Handler, SignalInfo};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[io(readable, writable, readable, level, level)]
    Client,
    #[timer(expiry, method = tired, expiry, method = bored)]
    Idle,
    #[signal(INT, INT)]
    Stop,
}

impl OnHandler for Server {
    fn client_readable(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }

    fn client_writable(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }

    fn tired(&mut self, _: &mut EventLoop<(), On>, _: Expiry) -> io::Result<()> {
        Ok(())
    }

    fn stop(&mut self, _: &mut EventLoop<(), On>, _: SignalInfo) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
