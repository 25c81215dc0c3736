//! Writes a TCP proxy as a new crate:
//!
//!     cargo run -p new-proxy -- PATH [STRUCT] [--path FOLDER | --git URL | --version VERSION]
//!
//! Without an option the crate is built on `mio-core` of this checkout, by its path from there; with `--path` on the
//! one in another folder, with `--git` on that of a repository, and with `--version` on that of the registry.

use std::{env, io, path::Path, process::ExitCode};

use new_proxy::{Core, NewProxy};

const USAGE: &str = "new-proxy PATH [STRUCT] [--path FOLDER | --git URL | --version VERSION]:
writes a TCP proxy as a new crate, on mio-core of this checkout if nothing else is said";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (names, from) = match &arguments[..] {
        [names @ .., option @ ("--path" | "--git" | "--version"), value] => {
            (names, Some((*option, *value)))
        }
        names => (names, None),
    };
    let (path, hooks) = match names {
        [path] => (*path, "Gateway"),
        [path, hooks] => (*path, *hooks),
        _ => ("-", ""),
    };
    if matches!(arguments[..], ["--help" | "-h"]) {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    if path.starts_with('-') || hooks.starts_with('-') {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    }
    match write(Path::new(path), hooks, from) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("new-proxy: {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(path: &Path, hooks: &str, from: Option<(&str, &str)>) -> io::Result<()> {
    let core = match from {
        None => Core::here(path)?,
        Some(("--git", url)) => Core::Git(url.to_owned()),
        Some(("--version", version)) => Core::Version(version.to_owned()),
        Some((_, folder)) => Core::folder(path, Path::new(folder))?,
    };
    let new = NewProxy::at(path, hooks, core)?;
    new.write(path)?;
    let NewProxy { core, .. } = new;
    println!("wrote a proxy to {}, which has mio-core by `{core}`", path.display());
    println!("`cd {} && cargo test` builds and tries it", path.display());
    Ok(())
}
