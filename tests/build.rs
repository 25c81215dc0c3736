//! Tells the tests what the library does not have everywhere: `cfg(nests)` where a selector is a descriptor.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(nests)");
    println!("cargo::rerun-if-changed=build.rs");
    let system = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let apple = env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|vendor| vendor == "apple");
    let waits_by_poll = env::var_os("CARGO_CFG_MIO_CORE_POLL").is_some();
    let known = ["linux", "android", "freebsd", "dragonfly", "netbsd", "openbsd"];
    if (apple || known.contains(&system.as_str())) && !waits_by_poll {
        println!("cargo::rustc-cfg=nests");
    }
}
