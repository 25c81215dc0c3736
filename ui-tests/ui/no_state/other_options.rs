use mio_core::Handler;

struct Command;

#[derive(Clone, Copy, Handler)]
#[handler(message = Command)]
enum On {
    #[io(readable)]
    Listener,
}

fn main() {
    let _ = On::Listener;
}
