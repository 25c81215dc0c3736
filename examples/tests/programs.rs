//! The example programs run as their users run them.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Once,
    time::Duration,
};

/// An example as its source is now. Cargo builds it along with all tests of the package; when it was told to build less
/// than that, what is there may be of another day, and is built first.
fn program(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    let this = env::current_exe().unwrap();
    let profile = this.parent().unwrap().parent().unwrap();
    let path = profile.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    if !is_current(&path) {
        BUILT.call_once(|| build(profile));
    }
    path
}

/// Whether a program is newer than all that it was made of, which cargo lists beside it.
fn is_current(program: &Path) -> bool {
    let age = |path: &Path| path.metadata().and_then(|file| file.modified());
    let Ok(made) = fs::read_to_string(program.with_extension("d")) else { return false };
    let Some((_, sources)) = made.trim_end().split_once(": ") else { return false };
    // A space of a path has a backslash before it.
    let sources = sources.replace("\\ ", "\n");
    let mut sources = sources.split(' ').map(|source| source.replace('\n', " "));
    age(program).is_ok_and(|built| {
        sources.all(|source| age(Path::new(&source)).is_ok_and(|changed| changed <= built))
    })
}

/// Builds all examples for the profile, and the target, whose folder this is.
fn build(profile: &Path) {
    let folder = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let cargo = env::var_os("CARGO").expect("the examples are older than their source: build them");
    let mut build = Command::new(cargo);
    build.args(["build", "--package", "examples", "--examples"]);
    if folder(profile) == "release" {
        build.arg("--release");
    }
    let target = profile.parent().unwrap();
    // Its parts: `x86_64-unknown-linux-gnu`.
    if folder(target).matches('-').count() >= 2 {
        build.args(["--target", &folder(target)]);
    }
    let Output { status, stderr, .. } = build.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
}

fn output(name: &str, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        Command::new(program(name)).args(arguments).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{name}: {status}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

#[test]
fn hello_hears_of_its_pipe() {
    let output = output("hello", &[]);
    assert_eq!(output, "readable: 1\n");
}

#[test]
fn the_first_program_of_the_readme_runs_as_it_stands_there() {
    let (readme, program) =
        (include_str!("../../README.md"), include_str!("../examples/hello_derived.rs"));
    let code = &program[program.find("use std").unwrap()..];
    assert!(readme.contains(&format!("```rust\n{code}```\n")), "it is another one");
    let output = output("hello_derived", &[]);
    assert_eq!(output, "the pipe says hello\ngood night\n");
}

#[test]
fn five_hears_of_every_kind_of_source() {
    for name in ["five", "five_derived"] {
        let output = output(name, &[]);
        for kind in ["writable", "readable", "timeout", "message", "signal", "child"] {
            assert!(output.contains(kind), "no {kind} in\n{output} of {name}");
        }
    }
}

#[test]
fn timers_fire_in_order_and_a_cancelled_one_never() {
    let output = output("timers", &[]);
    let fired: Vec<&str> =
        output.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(fired.iter().filter(|&&name| name == "heartbeat").count(), 5);
    assert_eq!((fired.last(), fired.contains(&"cancelled")), (Some(&"idle"), false));
}

#[test]
fn udp_gives_up_what_is_lost() {
    let output = output("udp", &[]);
    assert!(output.contains("lost") && output.contains("of 20 answered"), "{output}");
}

#[test]
fn the_executor_runs_all_its_tasks() {
    let output = output("executor", &[]);
    for line in ["echoed:  hello from client 1", "tick 3", "answer:  42"] {
        assert!(output.contains(line), "no {line} in\n{output}");
    }
}

#[test]
fn the_proxies_demonstrate_themselves() {
    for name in ["proxy", "proxy_raw"] {
        let output = output(name, &["--seconds", "1"]);
        assert!(output.contains("Every byte that came back was right"), "{output}");
    }
}

#[test]
fn guests_of_the_chat_read_what_the_others_say() {
    for chat in ["chat", "chat_derived"] {
        chatter(chat);
    }
}

fn chatter(name: &str) {
    let mut chat =
        Command::new(program(name)).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(chat.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap();
    let enter = |name: &str| {
        let mut guest = TcpStream::connect(address).unwrap();
        guest.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        guest.write_all(name.as_bytes()).unwrap();
        expect(&mut guest, "What is your name?\n");
        guest
    };
    let mut ada = enter("Ada\n/who\n");
    expect(&mut ada, "* Ada\n");
    let mut bob = enter("Bob\nhello\n");
    expect(&mut ada, "* Bob is here\nBob: hello\n");
    ada.write_all(b"hi").unwrap();
    ada.write_all(b" Bob\n").unwrap();
    expect(&mut bob, "Ada: hi Bob\n");
    drop(ada);
    expect(&mut bob, "* Ada has left\n");
    if cfg!(windows) {
        // Where no process can interrupt another one.
        chat.kill().unwrap();
        chat.wait().unwrap();
        return;
    }
    let kill = format!("kill -INT {}", chat.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    expect(&mut bob, "* that was all, good night\n");
    assert!(chat.wait().unwrap().success());
}

fn expect(guest: &mut TcpStream, text: &str) {
    let mut bytes = vec![0; text.len()];
    guest.read_exact(&mut bytes).unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), text);
}
