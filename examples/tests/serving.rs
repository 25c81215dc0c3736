//! The proxy, as a program: its addresses, what signals tell it, and what it prints.
#![cfg(target_os = "linux")]

use std::{
    env,
    io::Write,
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use tests::peers::{PATIENCE, accept, nobody_listens, patient, read, read_to_end};

#[path = "serving/process.rs"]
mod process;
#[path = "../examples/proxy/main.rs"]
#[allow(dead_code, reason = "`main` is started otherwise")]
mod program;

use process::Process;

/// Both outputs are one.
const SHELL: &str = "exec \"$@\" 2>&1";
const ANY: &str = "127.0.0.1:0";

/// The proxy to an upstream, with these options, and that upstream.
fn proxy(options: &[&str]) -> (Process, TcpListener) {
    let upstream = TcpListener::bind(ANY).unwrap();
    let to = upstream.local_addr().unwrap().to_string();
    let arguments = [&["--listen", ANY, "--upstream", &to], options].concat();
    (Process::start(SHELL, &arguments), upstream)
}

fn client(process: &Process, listener: usize) -> TcpStream {
    patient(TcpStream::connect(process.addresses[listener].tcp().unwrap()).unwrap())
}

/// Bytes go both ways between them.
fn talk(mut client: &TcpStream, mut server: &TcpStream) {
    client.write_all(b"question").unwrap();
    assert_eq!(read(server, 8), b"question");
    server.write_all(b"answer").unwrap();
    assert_eq!(read(client, 6), b"answer");
}

/// Once nobody is accepted any more.
fn refuses_soon(process: &Process) {
    let began = Instant::now();
    while TcpStream::connect(process.addresses[0].tcp().unwrap()).is_ok() {
        assert!(began.elapsed() < PATIENCE, "it still accepts");
        thread::sleep(Duration::from_millis(5));
    }
}

const WORKERS: [&[&str]; 3] = [&[], &["--workers", "3"], &["--workers", "3", "--exclusive"]];

#[test]
fn either_signal_drains_all_loops() {
    for options in WORKERS {
        for signal in ["TERM", "INT"] {
            let (mut process, upstream) = proxy(options);
            let pairs: Vec<_> = (0..6).map(|_| (client(&process, 0), accept(&upstream))).collect();
            process.signal(signal);
            refuses_soon(&process);
            for (client, server) in &pairs {
                talk(client, server);
            }
            // Those that knocked too early for the listener to be closed find nobody.
            drop((pairs, upstream));
            let (status, counters) = process.ends();
            assert!(status.success() && counters.contains(" 0 left open"), "{status} {counters}");
        }
    }
}

#[test]
fn the_second_signal_ends_all_loops() {
    for options in WORKERS {
        for signals in [["TERM", "INT"], ["INT", "INT"]] {
            let (mut process, upstream) = proxy(options);
            let pairs: Vec<_> = (0..6).map(|_| (client(&process, 0), accept(&upstream))).collect();
            process.signal(signals[0]);
            refuses_soon(&process);
            process.signal(signals[1]);
            let (status, counters) = process.ends();
            assert!(status.success(), "{status} {counters}");
            assert!(!counters.contains(" 0 left open"), "{counters}");
            for (client, server) in &pairs {
                assert_eq!(read_to_end(client).unwrap(), b"");
                assert_eq!(read_to_end(server).unwrap(), b"");
            }
        }
    }
}

#[test]
fn a_drain_has_its_time() {
    let (mut process, upstream) = proxy(&["--drain-timeout", "0.3"]);
    let _pair = (client(&process, 0), accept(&upstream));
    let began = Instant::now();
    process.signal("TERM");
    let (status, counters) = process.ends();
    assert!(status.success() && counters.contains("1 left open"), "{status} {counters}");
    assert!((Duration::from_millis(300)..PATIENCE).contains(&began.elapsed()));
}

#[test]
fn counters_are_printed_when_they_are_asked_for_and_it_goes_on() {
    // So many that each loop has some, and so has begun.
    const CLIENTS: usize = 40;
    for (options, loops) in [(WORKERS[0], 1), (WORKERS[1], 3)] {
        let (mut process, upstream) = proxy(options);
        let pairs: Vec<_> =
            (0..CLIENTS).map(|_| (client(&process, 0), accept(&upstream))).collect();
        for _ in 0..2 {
            pairs.iter().for_each(|(client, server)| talk(client, server));
            process.signal("USR1");
            // Each loop has its own.
            let accepted = (0..loops).map(|_| {
                let line = process.line_with(" accepted");
                line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap()
            });
            assert_eq!(accepted.sum::<usize>(), CLIENTS);
        }
    }
}

#[test]
fn statistics_are_a_line_a_second() {
    for options in [&["--stats"][..], &["--stats", "--workers", "2"]] {
        let (mut process, upstream) = proxy(options);
        let began = Instant::now();
        let (client, server) = (client(&process, 0), accept(&upstream));
        talk(&client, &server);
        // A loop that looks at its clock after the first one is shown by that a second later.
        process.line_with("1 open, ");
        // That one may be late, and so closer to the next one than a second.
        for _ in 0..2 {
            process.line_with("1 open, 0 clients/s, 0.0 MiB/s up, 0.0 MiB/s down");
        }
        assert!(began.elapsed() >= Duration::from_millis(900));
    }
}

#[test]
fn statistics_are_redrawn_in_a_terminal() {
    let upstream = TcpListener::bind(ANY).unwrap();
    let to = upstream.local_addr().unwrap().to_string();
    let arguments = ["--listen", ANY, "--upstream", &to, "--stats"];
    let mut process = Process::start_in_terminal(SHELL, &arguments);
    let (client, server) = (client(&process, 0), accept(&upstream));
    talk(&client, &server);
    process.line_with("1 open ");
    // Up by as many lines as there were.
    let again = process.line_with("clients/s");
    assert!(again.contains("\x1b[8A") && again.contains("1 open "), "{again:?}");
}

/// A path for a socket, removed at the end.
struct Path(PathBuf);

impl Drop for Path {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn clients_of_all_listeners_get_the_upstreams_in_turn() {
    let path = Path(env::temp_dir().join(format!("proxy-serving-{}", std::process::id())));
    let front = format!("unix:{}", path.0.display());
    let upstreams = [(); 2].map(|()| TcpListener::bind(ANY).unwrap());
    let to = upstreams.each_ref().map(|upstream| upstream.local_addr().unwrap().to_string());
    let arguments = ["--listen", ANY, "--listen", &front, "--listen", ANY];
    let arguments = [&arguments[..], &["--upstream", &to[0], "--upstream", &to[1]]].concat();
    let process = Process::start(SHELL, &arguments);
    assert_eq!(process.addresses[1].to_string(), front);
    let over_tcp = client(&process, 2);
    talk(&over_tcp, &accept(&upstreams[0]));
    let mut over_unix = UnixStream::connect(&path.0).unwrap();
    let server = accept(&upstreams[1]);
    over_unix.write_all(b"over a socket").unwrap();
    assert_eq!(read(&server, 13), b"over a socket");
    (&server).write_all(b"back").unwrap();
    drop(server);
    over_unix.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(read_to_end(&over_unix).unwrap(), b"back");
    talk(&client(&process, 0), &accept(&upstreams[0]));
}

#[test]
fn who_was_not_reached_is_followed_by_the_next_as_often_as_is_said() {
    let (mut process, upstream) = {
        // Nobody else has this address, so that none takes the port over.
        let refuses = TcpListener::bind("127.0.0.6:0").unwrap().local_addr().unwrap();
        nobody_listens(refuses);
        let refuses = refuses.to_string();
        proxy(&["--upstream", &refuses, "--upstream", &refuses, "--retries", "2"])
    };
    for _ in 0..3 {
        talk(&client(&process, 0), &accept(&upstream));
    }
    process.signal("TERM");
    let (_, printed) = process.ends();
    assert!(printed.contains("0 refused"), "{printed}");
    assert!(printed.contains("4 tried after another"), "{printed}");
}

#[test]
fn the_upstream_is_told_of_the_client() {
    for version in ["v1", "v2"] {
        let (process, upstream) = proxy(&["--proxy-protocol", version]);
        let client = client(&process, 0);
        let server = accept(&upstream);
        let own = client.local_addr().unwrap();
        if version == "v1" {
            let to = process.addresses[0].tcp().unwrap().port();
            let line = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {} {to}\r\n", own.port());
            assert_eq!(String::from_utf8(read(&server, line.len())).unwrap(), line);
        } else {
            let header = read(&server, 28);
            assert_eq!(header[..16], *b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c");
            assert_eq!(header[24..26], own.port().to_be_bytes());
        }
        talk(&client, &server);
    }
}
