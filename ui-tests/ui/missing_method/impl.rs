use mio_core::{EventLoop, Handler};

struct Server;

#[derive(Clone, Copy, Handler)]
#[handler(state = Server)]
enum On {
    #[io(readable)]
    Listener,
}

fn main() -> std::io::Result<()> {
    EventLoop::new()?.run(Server)?;
    Ok(())
}
