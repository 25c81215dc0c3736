use mio_core::Handler;

struct Server;

mod option {
    use super::*;

    #[derive(Clone, Copy, Handler)]
    #[handler(state: Server)]
    enum On {
        #[timer]
        Idle,
    }
}

mod words {
    use super::*;

    #[derive(Clone, Copy, Handler)]
    #[handler(state = Server)]
    enum On {
        #[io(readable writable)]
        Client,
        #[io(readable = "accept")]
        Listener,
        #[timer(3)]
        Idle,
    }
}

fn main() {}
