//! The demonstration: four kinds of load, and what came of them.

use std::{error::Error, io, net::SocketAddr, thread, time::Duration};

use examples::{echo::Echo, service::Service};
use mio_core::EventLoop;

use super::{
    load::{self, Outcome, Plan, WITHOUT_END},
    pattern::Pattern,
};

/// Runs everything, in about `duration`, through the proxy that `start` starts to this upstream. What fails, a
/// wrong byte above all, is an error.
pub(crate) fn run(
    duration: Duration,
    start: impl FnOnce(SocketAddr) -> io::Result<Service>,
) -> Result<(), Box<dyn Error>> {
    let mut upstream_loop = EventLoop::new()?;
    let upstream = Echo::new(&mut upstream_loop, "127.0.0.1:0".parse()?)?;
    let (upstream_address, stop_upstream) = (upstream.local_addr()?, upstream_loop.sender());
    let upstream_thread = thread::spawn(move || upstream_loop.run(upstream).map(drop));

    let proxy = start(upstream_address)?;
    println!("clients -> proxy {} -> upstream {upstream_address}\n", proxy.address());

    let pattern = Pattern::new();
    let mut bytes = 0;
    print_head();
    for plan in plans(duration) {
        let outcome = load::run(&plan, proxy.address(), &pattern)?;
        print_row(&plan, &outcome);
        bytes += outcome.bytes;
    }

    let counters = proxy.drain()?;
    stop_upstream.send(())?;
    upstream_thread.join().map_err(|_| "the upstream panicked")??;
    println!("\nEvery byte that came back was right: {bytes} of them. What the proxy did:\n");
    print!("{counters}");
    if counters.finished != counters.accepted {
        return Err("the proxy has lost track of pairs".into());
    }
    Ok(())
}

fn plans(duration: Duration) -> [Plan; 4] {
    [
        Plan {
            name: "small requests",
            connections: 64,
            request_bytes: [64, 1024],
            requests: u64::MAX,
            half_closes_early: false,
            duration: duration.mul_f64(0.35),
        },
        Plan {
            name: "connection churn",
            connections: 32,
            request_bytes: [64, 1024],
            requests: 1,
            half_closes_early: false,
            duration: duration.mul_f64(0.25),
        },
        Plan {
            name: "bulk both ways",
            connections: 4,
            request_bytes: [WITHOUT_END, WITHOUT_END],
            requests: 1,
            half_closes_early: true,
            duration: duration.mul_f64(0.25),
        },
        Plan {
            name: "half-closed early",
            connections: 16,
            request_bytes: [1, 256 * 1024],
            requests: 1,
            half_closes_early: true,
            duration: duration.mul_f64(0.15),
        },
    ]
}

fn print_head() {
    println!("                                                              latency, µs");
    println!(
        "load               connections   requests/s    MiB/s      p50      p90      p99      max"
    );
}

fn print_row(plan: &Plan, outcome: &Outcome) {
    let seconds = outcome.elapsed.as_secs_f64();
    let mib = outcome.bytes as f64 / f64::from(1 << 20) / seconds;
    print!("{:<18} {:>11}", plan.name, outcome.connections);
    if plan.request_bytes[0] == WITHOUT_END {
        println!(" {:>12} {mib:>8.1} {:>8} {:>8} {:>8} {:>8}", "-", "-", "-", "-", "-");
        return;
    }
    print!(" {:>12.0} {mib:>8.1}", outcome.requests as f64 / seconds);
    for quantile in [0.5, 0.9, 0.99, 1.0] {
        let nanoseconds = outcome.latency_ns.value_at_quantile(quantile);
        print!(" {:>8.0}", nanoseconds as f64 / 1000.0);
    }
    println!();
}
