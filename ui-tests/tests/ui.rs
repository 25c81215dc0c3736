//! What the derives accept compiles and runs; what they refuse is refused in the blessed words.

use std::{env, fs, io::Write, path::Path, process::Command};

/// Whose words are blessed.
const BLESSED_BY: &str = "1.95.0";

#[test]
fn what_is_right_compiles_and_runs() {
    trybuild::TestCases::new().pass("pass/*.rs");
}

/// `TRYBUILD=overwrite cargo +1.95.0 test -p ui-tests` blesses what is said now.
#[test]
fn mistakes_are_reported_in_the_blessed_words() {
    let compiler = compiler();
    if compiler != BLESSED_BY {
        // Not captured, as the output of a test that passes is.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: {} messages of the compiler are blessed for {BLESSED_BY}, this is {compiler}",
            cases(),
        );
        return;
    }
    trybuild::TestCases::new().compile_fail("ui/*/*.rs");
}

/// The version of the compiler that runs the cases.
fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().unwrap();
    let version = String::from_utf8(output.stdout).unwrap();
    version.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// How many mistakes there are.
fn cases() -> usize {
    let count = |folder: &Path| {
        let files = fs::read_dir(folder).unwrap();
        files
            .filter(|file| file.as_ref().unwrap().path().extension() == Some("rs".as_ref()))
            .count()
    };
    fs::read_dir("ui").unwrap().map(|folder| count(&folder.unwrap().path())).sum()
}
