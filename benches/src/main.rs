//! mio-core and its peers side by side: `cargo run --release --manifest-path benches/Cargo.toml`.
//!
//! Every figure comes from a run in a process of its own (`unit`), so that no peer inherits another's
//! heap or caches. Counts (`counts`) are the difference between a short and a long run, divided by
//! the difference in units of work; walls (`walls`) are ratios between two runs made one after the
//! other, many times over, all peers interleaved. The tables, the plots, the bars and every single
//! round end up in `benches/results`.

#[cfg(not(target_os = "linux"))]
compile_error!("the benchmark counts with epoll, callgrind and strace: Linux only");

use std::env;
use std::process::ExitCode;

use lexopt::Parser;
use lexopt::prelude::{Long, ValueExt};

mod alloc;
mod bars;
mod chain;
mod counts;
mod dispatch;
mod echo;
mod jumps;
mod loops;
mod measure;
mod messages;
mod options;
mod os;
mod plan;
mod plot;
mod proxies;
mod raw;
mod report;
mod stats;
mod timers;
mod unit;
mod uv_sys;
mod walls;

use options::Options;
use plan::Plan;
use timers::Operation;
use unit::{Manner, Workload};

const HELP: &str = "\
mio-core and its peers side by side

  benches [options]      run everything and write the tables
    --quick              a sample of the workloads, few rounds: about a minute
    --counts             only instructions, system calls and allocations
    --walls              only wall-clock ratios
    --rounds N           rounds of wall-clock pairs (default 21, quick 5)
    --only PREFIX        only workloads whose name begins so (pipes, echo, dispatch, ...)
    --out DIR            where the results go (default benches/results)
    --strict             exit with 1 if a bar is missed

  benches unit --peer P --workload W [--n N] [--lockstep] [--operation O]
                         one run of one peer, figures on standard output
";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1).peekable();
    let command = arguments.peek().and_then(|first| first.to_str()).unwrap_or_default().to_owned();
    let done = match command.as_str() {
        "unit" => one_unit(Parser::from_args(arguments.skip(1))),
        "client" => client(Parser::from_args(arguments.skip(1))),
        "drive" => proxies::drive(Parser::from_args(arguments.skip(1))),
        "proxies" => match proxies::run(Parser::from_args(arguments.skip(1))) {
            Ok(Some(code)) => return code,
            Ok(None) => {
                println!("{HELP}\n{}", proxies::HELP);
                Ok(())
            }
            Err(error) => Err(error),
        },
        _ => match options(Parser::from_args(arguments)) {
            Ok(Some(options)) => return everything(&options),
            Ok(None) => {
                println!("{HELP}\n{}", proxies::HELP);
                Ok(())
            }
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}\n\n{HELP}\n{}", proxies::HELP);
            ExitCode::from(2)
        }
    }
}

fn options(parser: Parser) -> Result<Option<Options>, lexopt::Error> {
    let options = Options::parse(parser, "results")?;
    if options.as_ref().is_some_and(|options| !options.only_peers.is_empty()) {
        return Err("--peer chooses among proxies only".into());
    }
    Ok(options)
}

fn everything(options: &Options) -> ExitCode {
    os::raise_file_limit();
    let plan = Plan::new(options);
    let counts = counts::take(&plan);
    let walls = walls::take(&plan);
    let bars = bars::check(&plan, &counts, &walls);
    let report = report::write(&options.out, &plan, &counts, &walls, &bars);
    match report {
        Ok(table) => println!("{table}\nWritten to {}", options.out.display()),
        Err(error) => {
            eprintln!("{}: {error}", options.out.display());
            return ExitCode::FAILURE;
        }
    }
    if options.strict && bars.iter().any(|bar| !bar.passed) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn one_unit(mut parser: Parser) -> Result<(), lexopt::Error> {
    os::give_up_after(120);
    let (mut peer, mut workload) = (String::new(), String::new());
    let mut manner = Manner { units: 10_000, lockstep: false, operation: None };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("peer") => peer = parser.value()?.string()?,
            Long("workload") => workload = parser.value()?.string()?,
            Long("n") => manner.units = parser.value()?.parse()?,
            Long("lockstep") => manner.lockstep = true,
            Long("operation") => {
                let name = parser.value()?.string()?;
                manner.operation = Some(Operation::parse(&name).ok_or("no such operation")?);
            }
            other => return Err(other.unexpected()),
        }
    }
    let workload = Workload::parse(&workload).ok_or("no such workload")?;
    let metrics = unit::run(&peer, workload, manner).ok_or("no such peer")?;
    for (name, value) in metrics {
        println!("{name}={value}");
    }
    Ok(())
}

/// The client of an echo server, started by it.
fn client(mut parser: Parser) -> Result<(), lexopt::Error> {
    os::give_up_after(120);
    let (port, connections) = (parser.value()?.parse()?, parser.value()?.parse()?);
    let (rounds, lockstep) = (parser.value()?.parse()?, parser.value()?.parse()?);
    echo::client(port, connections, rounds, lockstep);
    Ok(())
}
