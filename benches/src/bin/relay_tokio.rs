//! A peer of the proxies: `relay_tokio --listen ADDR --upstream ADDR`, tokio's `copy_bidirectional` on
//! one thread, with buffers as long as everybody's.

#[path = "../proxies/arguments.rs"]
mod arguments;

use std::net::SocketAddrV4;

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};

const BUFFER_BYTES: usize = 64 * 1024;

fn main() {
    let (listen, upstream) = arguments::addresses(std::env::args().skip(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    runtime.expect("a runtime").block_on(relay(listen, upstream));
}

async fn relay(listen: SocketAddrV4, upstream: SocketAddrV4) {
    let listener = TcpListener::bind(listen).await.expect("listen");
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        tokio::spawn(async move { pair(client, upstream).await });
    }
}

async fn pair(mut client: TcpStream, upstream: SocketAddrV4) -> std::io::Result<()> {
    let mut server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER_BYTES, BUFFER_BYTES).await?;
    Ok(())
}
