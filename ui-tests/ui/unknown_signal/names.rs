use std::io;

use mio_core::{EventLoop, Handler, SignalInfo};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[signal(SIGINT, TREM, int)]
    Misspelt,
    #[signal(KILL, SIGSTOP, SEGV)]
    Refused,
    #[signal(SINGALONG)]
    Nonsense,
    #[signal]
    None,
    #[signal(method = stop)]
    NoneEither,
}

impl OnHandler for Server {
    fn misspelt(&mut self, _: &mut EventLoop<(), On>, _: SignalInfo) -> io::Result<()> {
        Ok(())
    }

    fn refused(&mut self, _: &mut EventLoop<(), On>, _: SignalInfo) -> io::Result<()> {
        Ok(())
    }

    fn nonsense(&mut self, _: &mut EventLoop<(), On>, _: SignalInfo) -> io::Result<()> {
        Ok(())
    }

    fn none(&mut self, _: &mut EventLoop<(), On>, _: SignalInfo) -> io::Result<()> {
        Ok(())
    }

    fn stop(&mut self, _: &mut EventLoop<(), On>, _: SignalInfo) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
