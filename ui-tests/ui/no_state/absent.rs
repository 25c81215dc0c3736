use mio_core::Handler;

#[derive(Clone, Copy, Handler)]
enum On {
    #[io(readable)]
    Listener,
}

fn main() {
    let _ = On::Listener;
}
