use mio_core::Handler;

mod nothing_at_all {
    use super::*;

    #[derive(Clone, Copy, Handler)]
    #[handler]
    enum On {
        #[timer]
        Idle,
    }
}

mod no_type {
    use super::*;

    #[derive(Clone, Copy, Handler)]
    #[handler(state)]
    enum On {
        #[timer]
        Idle,
    }
}

mod no_such_type {
    use super::*;

    #[derive(Clone, Copy, Handler)]
    #[handler(state = Servre)]
    enum On {
        #[timer]
        Idle,
    }
}

fn main() {}
