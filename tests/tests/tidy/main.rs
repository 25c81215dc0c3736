//! The house rules that the compiler does not hold, held by reading the sources.
//!
//! Rules look at code alone: comments, literals and tests are blanked out first. Each has a test that
//! feeds it a violation.

mod backends;
mod rust;
mod sources;

use std::sync::LazyLock;

use backends::backends_unlike;
use rust::{blanked, branches, imports, without_spaces, words};
use sources::{Source, Sources};

/// The modules of mio-core from the bottom up: each imports only from those before it.
#[rustfmt::skip]
const ORDER: &[&str] = &[
    "cases", "awaited", "sync", "full", "interest", "slab", "timeout_queues", "lull", "buf", "event", "queue", "timer", "sys", "clock",
    "config", "source", "selector", "doorbell", "sender", "signal", "token", "child", "newtype", "pipe", "net",
    "unix", "relay", "event_loop", "running", "embed", "sleep", "handler", "nested", "run", "proxy", "lib",
];
/// Each is a folder in `sys`.
const BACKENDS: &[&str] = &["epoll", "kqueue", "poll", "iocp", "none"];
const PLATFORMS: &[&str] = &["unix", "windows", "wasm"];
const CORE: &str = "mio-core/src/";
const LADDER: &str = "mio-core/src/sys/mod.rs";
const SYNC: &str = "mio-core/src/sync.rs";
/// Without the tests.
const LINES_MAX: usize = 600;

#[test]
fn imports_go_downward_only() {
    holds(imports_upward);
}

#[test]
fn backends_never_import_each_other() {
    holds(backends_in_backends);
}

#[test]
fn backends_have_the_same_files_types_and_order_of_methods() {
    holds(backends_unlike);
}

#[test]
fn the_timer_store_never_reads_a_clock() {
    holds(clocks_in_timers);
}

#[test]
fn only_ffi_files_enter_the_kernel() {
    holds(kernel_entries);
}

#[test]
fn only_the_ladder_spells_target_os() {
    holds(target_os);
}

#[test]
fn only_sync_names_atomics() {
    holds(atomics);
}

#[test]
fn unsafe_is_opened_at_the_top_of_a_file_and_each_block_says_why() {
    holds(unsafe_code);
}

#[test]
fn files_have_telling_names_and_fit_a_head() {
    holds(files);
}

// The rules: each answers with its violations.

fn imports_upward(sources: &Sources) -> Vec<String> {
    let exports = sources.exports();
    let rank = |module: &str| ORDER.iter().position(|&name| name == module);
    let mut found = Vec::new();
    for file in sources.below(CORE) {
        let path = file.module_path();
        let Some(own) = rank(path[0]) else {
            found.push(format!("{} has no place in ORDER, in tidy", file.path));
            continue;
        };
        for name in imports(&file.code, path.len()) {
            let module = exports.get(name).copied().unwrap_or(name);
            if rank(module).is_some_and(|other| other > own) {
                found.push(format!("{} imports {module}, which is above it", file.path));
            }
        }
    }
    found
}

fn backends_in_backends(sources: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    for file in sources.below(CORE) {
        let &[first, own, ..] = &file.module_path()[..] else { continue };
        for other in BACKENDS.iter().filter(|&&other| first == "sys" && other != own) {
            let named = words(&file.code).any(|(at, word)| {
                let (before, after) = (&file.code[..at], &file.code[at + word.len()..]);
                word == *other && (after.starts_with("::") || before.ends_with("::"))
            });
            if named {
                found.push(format!("{} names {other}", file.path));
            }
        }
    }
    found
}

fn clocks_in_timers(sources: &Sources) -> Vec<String> {
    let timers = || sources.below(CORE).filter(|file| file.module_path()[0] == "timer");
    let now = |file: &&Source| without_spaces(&file.code).contains("Instant::now");
    let mut found = naming(timers(), &["SystemTime", "clock", "clock_gettime", "elapsed"]);
    found.extend(timers().filter(now).map(|file| format!("{} reads the time", file.path)));
    found
}

fn kernel_entries(sources: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    for file in sources.below("").filter(|file| file.is_library() && file.name() != "ffi.rs") {
        let dense = without_spaces(&file.code);
        for (at, prefix) in dense.match_indices("libc::") {
            let mut names = Vec::new();
            branches(&dense[at + prefix.len()..], &mut names);
            let prefix = if dense[..at].ends_with("use") { "" } else { prefix };
            // A name in capitals is a constant, or a C macro that only computes.
            for name in names.iter().filter(|name| name.contains(char::is_lowercase)) {
                if dense.contains(&format!("{prefix}{name}(")) {
                    found.push(format!("{} calls libc::{name}", file.path));
                }
            }
        }
        // All calls of Windows are unsafe; its constants and structures are anybody's.
        if file.code.contains("windows_sys::")
            && words(&file.code).any(|(_, word)| word == "unsafe")
        {
            found.push(format!("{} may call windows_sys", file.path));
        }
        if dense.contains("extern\"\"{") || dense.contains("asm!(") {
            found.push(format!("{} declares or writes a foreign call", file.path));
        }
    }
    found
}

fn target_os(sources: &Sources) -> Vec<String> {
    naming(sources.below(CORE).filter(|file| file.path != LADDER), &["target_os", "target_vendor"])
}

fn atomics(sources: &Sources) -> Vec<String> {
    let others = || sources.below(CORE).filter(|file| file.path != SYNC);
    // The bare word is a condition for the compiler, as in `cfg(loom)`.
    let loom = |file: &&Source| file.code.contains("loom::") || file.code.contains("use loom");
    let mut found = naming(others(), &["atomic"]);
    found.extend(others().filter(loom).map(|file| format!("{} names loom", file.path)));
    found
}

fn unsafe_code(sources: &Sources) -> Vec<String> {
    const DOOR: &str = "#![allow(unsafe_code)]";
    let mut found = Vec::new();
    for file in sources.below("") {
        let code = blanked(&file.text);
        let uses: Vec<&str> = words(&code)
            .filter(|&(_, word)| word == "unsafe")
            .map(|(at, word)| code[at + word.len()..].trim_start())
            .collect();
        let door = code.find(DOOR);
        let attribute = |line: &str| line.trim().is_empty() || line.starts_with("#![");
        let at_top = door.is_some_and(|at| code[..at].lines().all(attribute));
        if !uses.is_empty() && !at_top {
            found.push(format!("{} is unsafe without {DOOR} at its top", file.path));
        }
        if uses.is_empty() && door.is_some() {
            found.push(format!("{} opens a door that it does not go through", file.path));
        }
        if code.contains("#[allow(unsafe_code)]") || code.contains("#[expect(unsafe_code") {
            found.push(format!("{} opens unsafe code for an item instead of the file", file.path));
        }
        let block = |rest: &&&str| rest.starts_with('{') || rest.starts_with("impl");
        let blocks = uses.iter().filter(block).count();
        let reasons = file.text.matches("// SAFETY: ").count();
        if blocks > reasons {
            found.push(format!("{}: {blocks} unsafe blocks, {reasons} reasons", file.path));
        }
    }
    found
}

fn files(sources: &Sources) -> Vec<String> {
    const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "misc", "common"];
    let mut found = Vec::new();
    for file in sources.below("") {
        let lines = file.code.lines().count();
        if lines > LINES_MAX {
            found.push(format!("{} has {lines} lines: split it", file.path));
        }
        if file.path.trim_end_matches(".rs").split('/').any(|part| EMPTY_NAMES.contains(&part)) {
            found.push(format!("{}: name it for what is in it", file.path));
        }
    }
    found
}

fn naming<'a>(files: impl Iterator<Item = &'a Source>, forbidden: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let words = words(&file.code).map(|(_, word)| word).filter(|word| forbidden.contains(word));
        found.extend(words.map(|word| format!("{} names {word}", file.path)));
    }
    found
}

fn holds(rule: fn(&Sources) -> Vec<String>) {
    static SOURCES: LazyLock<Sources> = LazyLock::new(Sources::read);
    let sources = &*SOURCES;
    assert_eq!(sources.below(LADDER).count(), 1, "the sources are where they were");
    let violations = rule(sources);
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

mod each_rule_catches {
    use super::*;

    fn count(rule: fn(&Sources) -> Vec<String>, files: &[(&str, &str)]) -> usize {
        rule(&Sources::of(files.iter().map(|&(path, text)| (path.into(), text.into())))).len()
    }

    #[test]
    fn an_import_from_above_however_it_is_spelled() {
        for (text, expected) in [
            ("use crate::run::turn;", 1),
            ("use crate::{interest::{Interest, Trigger}, handler::{self, Handler}, run};", 2),
            ("fn f() { super::run::turn() }", 1),
            ("use crate::EventLoop;", 1),
            ("use crate::{sync::Arc, interest::Interest};", 0),
            ("// use crate::run;\n/// [`run`](crate::run)\nconst A: &str = \"crate::run\";", 0),
            ("#[cfg(test)]\nmod tests {\n    use crate::run;\n}", 0),
            ("#[cfg(not(test))]\nmod m { use crate::run; }", 1),
            ("#[cfg(test)]\nmod tests {}\nuse crate::run;", 1),
        ] {
            let lib = ("mio-core/src/lib.rs", "pub use event_loop::{EventLoop, Other};");
            let files = [("mio-core/src/slab.rs", text), lib];
            assert_eq!(count(imports_upward, &files), expected, "{text}");
        }
        let deep = [("mio-core/src/sys/epoll/waker.rs", "use super::super::super::selector::S;")];
        assert_eq!(count(imports_upward, &deep), 1);
        let near = [("mio-core/src/sys/epoll/waker.rs", "use super::{selector::S, ffi};")];
        assert_eq!(count(imports_upward, &near), 0);
        assert_eq!(count(imports_upward, &[("mio-core/src/novel.rs", "")]), 1);
    }

    #[test]
    fn a_backend_in_a_backend() {
        let file = |text| [("mio-core/src/sys/poll/selector.rs", text)];
        assert_eq!(count(backends_in_backends, &file("use super::super::epoll::ffi;")), 1);
        assert_eq!(count(backends_in_backends, &file("let epoll = poll::wait();")), 0);
    }

    #[test]
    fn a_clock_in_the_timers() {
        let clock = "fn f() -> Instant { Instant::now() }";
        assert_eq!(count(clocks_in_timers, &[("mio-core/src/timer/store.rs", clock)]), 1);
        assert_eq!(count(clocks_in_timers, &[("mio-core/src/timer.rs", clock)]), 1);
        assert_eq!(count(clocks_in_timers, &[("mio-core/src/clock.rs", clock)]), 0);
        let argument = "fn f(now: Instant) {}";
        assert_eq!(count(clocks_in_timers, &[("mio-core/src/timer.rs", argument)]), 0);
    }

    #[test]
    fn a_kernel_entry_outside_ffi() {
        for (text, expected) in [
            ("fn f() { libc::close(3); }", 1),
            ("use libc::{c_int, close}; fn f() { close(c_int::MAX); }", 1),
            ("extern \"C\" { fn close(fd: i32); }", 1),
            ("const A: libc::c_int = libc::O_RDONLY; fn f() { libc::WIFEXITED(0); }", 0),
            ("extern \"C\" fn handler(_: i32) {}", 0),
            ("use windows_sys::A::close; fn f() { unsafe { close(3) } }", 1),
            ("use windows_sys::A::CLOSE; fn f() -> u32 { CLOSE }", 0),
        ] {
            assert_eq!(count(kernel_entries, &[("mio-core/src/net/mod.rs", text)]), expected);
            assert_eq!(count(kernel_entries, &[("mio-core/src/net/ffi.rs", text)]), 0);
        }
    }

    #[test]
    fn a_target_outside_the_ladder() {
        let text = "fn f() { cfg!(target_os = \"linux\"); }";
        assert_eq!(count(target_os, &[("mio-core/src/net/mod.rs", text)]), 1);
        let text = "#[cfg(target_os = \"linux\")]\nfn f() {}";
        assert_eq!(count(target_os, &[("mio-core/src/sys/epoll/mod.rs", text)]), 1);
        assert_eq!(count(target_os, &[(LADDER, text)]), 0);
    }

    #[test]
    fn an_atomic_outside_sync() {
        for text in ["use std::sync::atomic::fence;", "use core::sync::{atomic};", "loom::f()"] {
            assert_eq!(count(atomics, &[("mio-core/src/queue.rs", text)]), 1, "{text}");
            assert_eq!(count(atomics, &[(SYNC, text)]), 0, "{text}");
        }
        let files = [
            ("mio-core/src/queue.rs", "#[cfg(all(test, loom))]\nmod model;\n#[cfg(loom)] use a;"),
            ("mio-core/src/queue/model.rs", "loom::model(|| {})"),
        ];
        assert_eq!(count(atomics, &files), 0);
    }

    #[test]
    fn unsafe_code_without_a_door_or_a_reason() {
        const BLOCK: &str = "fn f() {\n    // SAFETY: so.\n    unsafe { g() }\n}\n";
        const DOOR: &str = "//! Docs.\n#![allow(unsafe_code)]\n";
        for (text, expected) in [
            (BLOCK.to_owned(), 1),
            (format!("{DOOR}{BLOCK}"), 0),
            (format!("{DOOR}{BLOCK}unsafe impl Send for A {{}}\n"), 1),
            (format!("use a;\n{DOOR}{BLOCK}"), 1),
            (DOOR.to_owned(), 1),
            (format!("#[allow(unsafe_code)]\n{BLOCK}"), 2),
            (r##"// unsafe {}"##.to_owned(), 0),
            (r##"fn f<'a>() { "\"unsafe"; '"'; "unsafe"; '\''; r#""unsafe"#; }"##.to_owned(), 0),
        ] {
            assert_eq!(count(unsafe_code, &[("mio-core/src/a.rs", &text)]), expected, "{text}");
        }
    }

    #[test]
    fn a_long_file_and_a_name_that_says_nothing() {
        let long = "/*\n*/\n".repeat(LINES_MAX / 2 + 1);
        assert_eq!(count(files, &[("mio-core/src/a.rs", &long)]), 1);
        let tests = format!("#[cfg(test)]\nmod tests {{{long}}}");
        assert_eq!(count(files, &[("mio-core/src/a.rs", &tests)]), 0);
        assert_eq!(count(files, &[("mio-core/src/sys/utils.rs", "")]), 1);
        assert_eq!(count(files, &[("mio-core/src/a.rs", "")]), 0);
    }
}
