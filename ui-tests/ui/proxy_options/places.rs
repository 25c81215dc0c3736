use mio_core::Proxy;

#[derive(Proxy)]
enum Choice {
    Of,
}

#[derive(Proxy)]
union Generic<T: Copy, const N: usize = 1> {
    of: [T; N],
}

#[derive(Proxy)]
struct Field {
    #[proxy(idle_timeout = "1s")]
    field: u8,
}

#[derive(Proxy)]
#[proxy(inspect(up, sideways, up))]
struct Ways;

fn main() {}
