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

#[test]
fn a_new_crate_builds_and_its_test_sends_bytes_through_the_proxy() {
    let folder = Folder(env::temp_dir().join(format!("new-proxy-{}", process::id())));
    let path = folder.0.join("my-edge");
    let write = || {
        let program = env!("CARGO_BIN_EXE_new-proxy");
        Command::new(program).arg(&path).arg("Edge").output().unwrap().status.success()
    };
    assert!(write());
    assert!(!write(), "it would write over what may have changed since");
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
