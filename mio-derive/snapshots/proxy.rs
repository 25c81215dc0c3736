#[derive(Proxy)]
#[proxy(idle_timeout = "2m", buffer = "16KiB", inspect(up), server = Front, sources = FrontOn)]
pub struct Louder {
    upstream: Address,
}
