use std::io;

use mio_core::{EventLoop, Handler};

struct Server<T>(T);

struct Other;

mod with_default {
    use super::*;

    #[derive(Clone, Copy, Handler)]
    #[handler(state = Server<T>, generics(<T = u8>))]
    enum On {
        #[timer]
        Idle,
    }

    impl<T> OnHandler for Server<T> {
        fn idle(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
            Ok(())
        }
    }
}

mod assigned {
    use super::*;

    #[derive(Clone, Copy, Handler)]
    #[handler(state = Other, generics = <T>)]
    enum On {
        #[timer]
        Idle,
    }

    impl OnHandler for Other {
        fn idle(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
            Ok(())
        }
    }
}

fn main() {}
