//! What breaks off is told where it does.
mod option {
    use mio_core::Handler;

    struct Server;

    #[derive(Clone, Copy, Handler)]
    #[handler(state = Server, message = Vec<u8)]
    enum On {
        #[timer]
        Idle,
    }
}

mod word {
    use mio_core::Handler;

    struct Server;

    #[derive(Clone, Copy, Handler)]
    #[handler(state = Server)]
    enum On {
        #[io(readable = )]
        Listener,
        #[timer(method = )]
        Idle,
    }
}

mod proxy {
    #[derive(mio_core::Proxy)]
    #[proxy(idle_timeout = )]
    struct Gateway;
}

fn main() {}
