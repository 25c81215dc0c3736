//! What is written builds at once, and carries bytes.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the command says.
fn write(path: &Path, arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_new-proxy");
    let output = Command::new(program).arg(path).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}

#[test]
fn a_new_crate_builds_and_its_test_sends_bytes_through_the_proxy() {
    let folder = Folder(env::temp_dir().join(format!("new-proxy-{}", process::id())));
    let path = folder.0.join("my-edge");
    let written = write(&path, &["Edge"]);
    let relative = written.contains("`path = \"..") && written.contains("/mio-core\"`");
    assert!(relative, "{written}");
    let error = write(&path, &["Edge"]);
    assert!(error.contains("exists"), "it would write over what may have changed since: {error}");
    // Versions that are here already: a test downloads nothing.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::copy(root.join("Cargo.lock"), path.join("Cargo.lock")).unwrap();
    // Built once for all runs of this test.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-proxy");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--offline"])
        .current_dir(&path)
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "-D warnings")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("test bytes_go_both_ways_until_a_signal_ends_it ... ok"), "{text}");
}

#[test]
fn it_says_how_it_is_used() {
    let program = env!("CARGO_BIN_EXE_new-proxy");
    for (argument, helps) in [("--help", true), ("-h", true), ("--hepl", false)] {
        let output = Command::new(program).arg(argument).output().unwrap();
        let (told, silent) = match helps {
            true => (output.stdout, output.stderr),
            false => (output.stderr, output.stdout),
        };
        assert_eq!((output.status.success(), silent.len()), (helps, 0), "{argument}");
        let told = String::from_utf8(told).unwrap();
        assert!(told.starts_with("new-proxy PATH [STRUCT] [--path FOLDER"), "{told}");
    }
}

#[test]
fn where_mio_core_is_can_be_said() {
    let folder = Folder(env::temp_dir().join(format!("new-proxy-from-{}", process::id())));
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mio-core");
    let core = core.to_str().unwrap();
    for (number, (option, value, said)) in [
        ("--path", core, "mio-core\" }"),
        ("--git", "https://example.org/mio", "{ git = \"https://example.org/mio\" }"),
        ("--version", "0.1", "{ version = \"0.1\" }"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.0.join(format!("edge{number}"));
        let written = write(&path, &[option, value]);
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap();
        assert!(manifest.contains(said) && written.starts_with("wrote"), "{written}{manifest}");
    }
    for arguments in [&["--path", "src"][..], &["--git"], &["Edge", "--from", "here"]] {
        let path = folder.0.join("none");
        write(&path, arguments);
        assert!(!path.exists(), "{arguments:?}");
    }
}
