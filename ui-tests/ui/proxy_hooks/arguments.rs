use mio_core::{
    EventLoop, Proxy,
    proxy::{Address, Client, Command, Hooks},
};

trait Router {
    fn route(&mut self) -> Option<Address>;
}

#[derive(Proxy)]
struct Gate<R> {
    router: R,
}

impl<R: Router> Hooks for Gate<R> {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        self.router.route()
    }
}

fn main() -> std::io::Result<()> {
    let gate = Gate { router: "nowhere" };
    let config = GateServer::<&str>::config();
    let mut event_loop = EventLoop::<Command>::with_config(config.event_loop())?;
    GateServer::new(event_loop.scoped(), gate, config, Vec::new())?;
    Ok(())
}
