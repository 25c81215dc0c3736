use mio_core::Handler;

struct Server<T>(T);

#[derive(Clone, Copy, Handler)]
#[handler(state = Server<T>)]
enum On<'a, T> {
    #[io(readable)]
    Listener(&'a T),
}

fn main() {}
