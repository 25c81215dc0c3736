//! What the derives write, kept in `snapshots/` beside what it was written for, so that a change of it
//! is seen and read. `BLESS=1 cargo test -p mio-derive --lib snapshots` takes what is written now.

use std::{env, fs, path::Path};

use syn::DeriveInput;

use crate::{check, proxy, token_field};

#[test]
fn expansions_are_the_blessed_ones() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let bless = env::var_os("BLESS").is_some();
    let mut differing = Vec::new();
    let mut compared = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".expanded.rs") {
            continue;
        }
        let blessed = path.with_extension("expanded.rs");
        let expanded = expand(&fs::read_to_string(&path).unwrap());
        if bless {
            fs::write(&blessed, &expanded).unwrap();
        }
        if fs::read_to_string(&blessed).unwrap_or_default() != expanded {
            differing.push(path);
        }
        compared += 1;
    }
    assert!(compared > 0, "nothing in {}", folder.display());
    assert!(differing.is_empty(), "look at it, then bless it: {differing:#?}");
}

/// What stands in a file, expanded and formatted.
fn expand(source: &str) -> String {
    let input: DeriveInput = syn::parse_str(source).unwrap();
    let expanded = if source.contains("Handler)]") {
        check::handler(&input)
    } else if source.contains("Proxy)]") {
        proxy::proxy(&input)
    } else {
        token_field::token_field(&input)
    };
    prettyplease::unparse(&syn::parse2(expanded).unwrap())
}
