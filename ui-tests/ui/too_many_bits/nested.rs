use std::io;

use mio_core::{EventLoop, Handler, Key, Slab};

mod client {
    use super::*;

    pub struct Client;

    #[derive(Clone, Copy, Handler)]
    #[handler(state = Client)]
    pub enum On {
        #[timer]
        Idle(u8, u8),
    }

    impl<L> OnHandler<L> for Client {
        fn idle(&mut self, _: &mut EventLoop<L, On>, _: u8, _: u8) -> io::Result<()> {
            Ok(())
        }
    }
}

struct Server {
    clients: Slab<client::Client>,
}

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[timer]
    Idle,
    #[nested(clients)]
    Client(Key, client::On),
}

impl OnHandler for Server {
    fn idle(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }
}

fn main() {}
