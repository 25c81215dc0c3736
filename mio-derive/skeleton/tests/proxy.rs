//! The program, as it is run.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

#[test]
fn bytes_go_both_ways_until_a_signal_ends_it() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = upstream.local_addr().unwrap().to_string();
    let mut program = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(["127.0.0.1:0", &to])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(program.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let from = line.split_whitespace().nth(1).unwrap();

    let mut client = TcpStream::connect(from).unwrap();
    let (mut server, _) = upstream.accept().unwrap();
    for stream in [&client, &server] {
        stream.set_read_timeout(PATIENCE).unwrap();
    }
    client.write_all(b"ping").unwrap();
    let mut bytes = [0; 4];
    server.read_exact(&mut bytes).unwrap();
    server.write_all(b"pong").unwrap();
    client.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"pong");
    drop((client, server));

    let kill = format!("kill -TERM {}", program.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    assert!(program.wait().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("1 accepted"), "{rest}");
}
