//! The program: `gateway LISTEN UPSTREAM [WORKERS]`.

use std::{env, io, process::ExitCode};

use gateway::{Gateway, Server};
use mio_core::proxy::Address;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match &arguments[..] {
        [from, to] => run(from, to, "1"),
        [from, to, workers] => run(from, to, workers),
        _ => {
            eprintln!("gateway LISTEN UPSTREAM [WORKERS]: addresses are IP:PORT or unix:PATH");
            return ExitCode::FAILURE;
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until INT or TERM.
fn run(from: &str, to: &str, workers: &str) -> io::Result<()> {
    let mut config = Server::config();
    config.listen.push(from.parse()?);
    let upstream: Address = to.parse()?;
    let workers: usize = workers.parse().map_err(|_| io::ErrorKind::InvalidInput)?;
    let make = |_| Gateway { upstream: upstream.clone() };
    let counters = if workers > 1 {
        let listeners = config.shared_listeners(workers)?;
        println!("from {} to {upstream}", listeners[0][0].local_addr()?);
        Server::serve_in_threads(make, &config, listeners)?
    } else {
        let listeners = config.listeners()?;
        println!("from {} to {upstream}", listeners[0].local_addr()?);
        Server::serve(make(0), config, listeners)?.counters()
    };
    print!("{counters}");
    Ok(())
}
