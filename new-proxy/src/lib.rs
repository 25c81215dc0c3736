//! A TCP proxy on `mio-core` as a new crate: what `#[derive(Proxy)]` makes of a struct, as source that is
//! yours to change.
//!
//! The code is the skeleton in `mio-derive`, which the derive expands to as well, token for token.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What the skeleton calls the crate and the struct.
const CRATE: &str = "gateway";
const STRUCT: &str = "Gateway";

/// Files that name the crate, and files that do not.
const NAMING: &[(&str, &str)] = &[
    ("README.md", include_str!("../../mio-derive/skeleton/README.md")),
    ("src/main.rs", include_str!("../../mio-derive/skeleton/src/main.rs")),
    ("tests/proxy.rs", include_str!("../../mio-derive/skeleton/tests/proxy.rs")),
];
const OTHERS: &[(&str, &str)] = &[
    ("src/lib.rs", include_str!("../../mio-derive/skeleton/src/lib.rs")),
    ("src/server.rs", include_str!("../../mio-derive/skeleton/src/server.rs")),
    ("src/server/accepting.rs", include_str!("../../mio-derive/skeleton/src/server/accepting.rs")),
    ("src/server/pair.rs", include_str!("../../mio-derive/skeleton/src/server/pair.rs")),
    ("src/server/relaying.rs", include_str!("../../mio-derive/skeleton/src/server/relaying.rs")),
    ("src/server/seen.rs", include_str!("../../mio-derive/skeleton/src/server/seen.rs")),
    ("src/server/waiting.rs", include_str!("../../mio-derive/skeleton/src/server/waiting.rs")),
    (".gitignore", "/target\n"),
];

/// A crate to be written.
#[derive(Clone, Debug)]
pub struct NewProxy {
    /// The name of the crate: letters, digits, `-` and `_`.
    pub name: String,
    /// What the struct with the hooks is called: a name in Rust.
    pub hooks: String,
    /// Where `mio-core` is.
    pub core: PathBuf,
}

impl NewProxy {
    /// The crate at `path`, named for its last part, with `mio-core` of this checkout.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if its last part is no name for a crate, or `hooks` none for a struct.
    pub fn at(path: &Path, hooks: &str) -> io::Result<NewProxy> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !is_name(name, "-_") || !is_name(hooks, "_") {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mio-core").canonicalize()?;
        Ok(NewProxy { name: name.to_owned(), hooks: hooks.to_owned(), core })
    }

    /// Its files: their paths in the crate, and what is in them.
    #[must_use]
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let named = |text: &str| text.replace(STRUCT, &self.hooks);
        let library = self.name.replace('-', "_");
        let naming = NAMING.iter().map(|&(path, text)| {
            // Where code names the crate it is a path; elsewhere it is the program.
            let text = text.replace("gateway::", &format!("{library}::"));
            (path, named(&text.replace(CRATE, &self.name)))
        });
        let others = OTHERS.iter().map(|&(path, text)| (path, named(text)));
        [("Cargo.toml", self.manifest())].into_iter().chain(naming).chain(others).collect()
    }

    fn manifest(&self) -> String {
        let NewProxy { name, core, .. } = self;
        format!(
            "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\nmio-core = {{ path = {core:?} }}\n\n\
             # It belongs to no workspace around it.\n[workspace]\n"
        )
    }

    /// Writes it. What is there already stays as it is.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if one of its files is there, before any is written; and the system's.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let files = self.files();
        if files.iter().any(|(file, _)| path.join(file).exists()) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        for (file, text) in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap_or(path))?;
            fs::write(file, text)?;
        }
        Ok(())
    }
}

fn is_name(name: &str, others: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_where_the_skeletons_were() {
        let new = NewProxy::at(Path::new("/tmp/my-edge"), "Edge").unwrap();
        let files = new.files();
        let text = |path: &str| &files.iter().find(|(file, _)| *file == path).unwrap().1;
        assert!(text("Cargo.toml").contains("name = \"my-edge\""));
        assert!(text("src/main.rs").contains("use my_edge::{Edge, Server};"));
        assert!(text("src/lib.rs").contains("server::Server<Edge>"));
        for (path, text) in &files {
            assert!(!text.contains(STRUCT), "{path}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (path, hooks) in [("/tmp/a b", "Edge"), ("/tmp/..", "Edge"), ("/tmp/edge", "2")] {
            let error = NewProxy::at(Path::new(path), hooks).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path} {hooks}");
        }
    }
}
