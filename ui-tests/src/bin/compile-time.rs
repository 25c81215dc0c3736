//! What a derive adds to `cargo check`: `cargo run -p ui-tests --release --bin compile-time`.
//!
//! Makes two crates, one with a derive on an enum of 100 variants and its handler, and one with the same
//! enum and the same methods, without the derive. Checks each many times in turn after a change and
//! reports the medians of the time that it took and, on Linux, of that which it spent on a processor: look at
//! the latter on a machine that does something else too.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const VARIANTS: usize = 100;
const RUNS: usize = 11;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("compile-time-{}", std::process::id()));
    let derived = new_crate(&folder, "derived", &sources(true))?;
    let plain = new_crate(&folder, "plain", &sources(false))?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for run in 0..=RUNS {
        let took = [check(&derived, run)?, check(&plain, run)?];
        // The first ones build the dependencies.
        if run > 0 {
            with.push(took[0]);
            without.push(took[1]);
        }
    }
    println!("`cargo check` of a crate with an enum of {VARIANTS} sources, medians of {RUNS}:");
    for (what, of) in [("on the clock", 0), ("on a processor", 1)] {
        let [with, without] =
            [&with, &without].map(|took| median(took.iter().map(|both| both[of])));
        let adds = with.saturating_sub(without).as_millis();
        let (with, without) = (with.as_millis(), without.as_millis());
        println!(
            "  {with:>5} ms with the derive, {without:>5} ms without: it adds {adds} ms {what}"
        );
    }
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// Of every four sources two are I/O, one is a timer and one is another timer with more payload.
fn sources(derived: bool) -> String {
    let mut variants = String::new();
    let mut methods = String::new();
    let mut method = |name: String, payload: &str| {
        writeln!(
            methods,
            "    fn {name}(&mut self, _: &mut EventLoop<(), On>{payload}) -> io::Result<()> {{ Ok(()) }}"
        )
    };
    for i in 0..VARIANTS {
        let (attribute, payload) = match i % 4 {
            0 => ("#[io(readable)]", ""),
            1 => ("#[io(readable, writable)]", "(Key)"),
            2 => ("#[timer]", "(Key)"),
            _ => ("#[timer]", "(u16, bool)"),
        };
        let attribute = if derived { attribute } else { "" };
        writeln!(variants, "    {attribute} Source{i}{payload},").unwrap();
        let arguments = match i % 4 {
            0 => "",
            3 => ", _: u16, _: bool",
            _ => ", _: Key",
        };
        let written = match i % 4 {
            0 => method(format!("source{i}_readable"), arguments),
            1 => method(format!("source{i}_readable"), arguments)
                .and_then(|()| method(format!("source{i}_writable"), arguments)),
            _ => method(format!("source{i}"), arguments),
        };
        written.unwrap();
    }
    let (derive, options, of) = if derived {
        (", Handler", "#[handler(state = Server)]", "OnHandler for Server")
    } else {
        ("", "", "Server")
    };
    format!(
        "#![allow(unused, dead_code)]
use std::io;
use mio_core::{{EventLoop, Handler, Key}};
pub struct Server;
#[derive(Clone, Copy, Debug{derive})]
{options}
pub enum On {{
{variants}}}
impl {of} {{
{methods}}}
"
    )
}

fn new_crate(folder: &Path, name: &str, code: &str) -> io::Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let new = folder.join(name);
    fs::create_dir_all(new.join("src"))?;
    let core = workspace.join("mio-core").canonicalize()?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\nmio-core.path = {core:?}\n"
    );
    fs::write(new.join("Cargo.toml"), manifest)?;
    fs::copy(workspace.join("Cargo.lock"), new.join("Cargo.lock"))?;
    fs::write(new.join("src/lib.rs"), code)?;
    Ok(new)
}

/// Checks a crate after a change.
fn check(folder: &Path, run: usize) -> Result<[Duration; 2], Box<dyn Error>> {
    let lib = folder.join("src/lib.rs");
    let code = fs::read_to_string(&lib)?;
    fs::write(&lib, format!("{code}pub const RUN_{run}: usize = {run};\n"))?;
    let (begin, spent) = (Instant::now(), spent_by_children());
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--quiet", "--offline"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .status()?;
    let took = [begin.elapsed(), spent_by_children().saturating_sub(spent)];
    if status.success() { Ok(took) } else { Err(format!("{lib:?} does not compile").into()) }
}

/// The time that the processes which ended spent on a processor, to a hundredth of a second; zero where it is
/// not known.
fn spent_by_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    // `cutime` and `cstime`: proc_pid_stat(5).
    let ticks = after_name.split_whitespace().skip(13).take(2);
    Duration::from_millis(10 * ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>())
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}
