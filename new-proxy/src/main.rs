//! Writes a TCP proxy as a new crate:
//!
//!     cargo run -p new-proxy -- PATH [STRUCT]

use std::{env, io, path::Path, process::ExitCode};

use new_proxy::NewProxy;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (path, hooks) = match &arguments[..] {
        [path] if !path.starts_with('-') => (path, "Gateway"),
        [path, hooks] => (path, hooks.as_str()),
        _ => {
            eprintln!("new-proxy PATH [STRUCT]: writes a TCP proxy as a new crate");
            return ExitCode::FAILURE;
        }
    };
    match write(Path::new(path), hooks) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("new-proxy: {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(path: &Path, hooks: &str) -> io::Result<()> {
    NewProxy::at(path, hooks)?.write(path)?;
    println!("wrote a proxy to {0}; `cd {0} && cargo test` builds and tries it", path.display());
    Ok(())
}
