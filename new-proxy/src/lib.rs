//! A TCP proxy on `mio-core` as a new crate: what `#[derive(Proxy)]` makes of a struct, as source that is
//! yours to change.
//!
//! The code is the skeleton in `mio-derive`, which the derive expands to as well, token for token.

use std::{
    fmt, fs, io,
    path::{Component, Path, PathBuf},
};

/// What the skeleton calls the crate and the struct.
const CRATE: &str = "gateway";
const STRUCT: &str = "Gateway";

/// What else has a name where the struct has its own.
const TAKEN: &[&str] = &["Address", "Client", "Hooks", "Server", "Self"];

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

/// Where the skeleton says that `mio-core` is.
const CORE: &str = "path = \"../../mio-core\"";

/// Where a new crate has `mio-core` from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Core {
    /// A folder, as seen from the new crate.
    Path(PathBuf),
    /// A repository: its default branch, as of the first build.
    Git(String),
    /// The registry: a version, as Cargo reads it.
    Version(String),
}

impl Core {
    /// `mio-core` of this checkout, as seen from a crate at `path`.
    ///
    /// # Errors
    ///
    /// `NotFound` if the checkout is there no more; the system's.
    pub fn here(path: &Path) -> io::Result<Core> {
        Core::folder(path, &Path::new(env!("CARGO_MANIFEST_DIR")).join("../mio-core"))
    }

    /// `mio-core` in this folder, as seen from a crate at `path`.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none; the system's.
    pub fn folder(path: &Path, folder: &Path) -> io::Result<Core> {
        if !folder.join("Cargo.toml").is_file() {
            let error = format!("there is no mio-core in {}", folder.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, error));
        }
        Ok(Core::Path(from(&to_be(path)?, &folder.canonicalize()?)))
    }
}

/// What stands for it in `Cargo.toml`.
impl fmt::Display for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Core::Path(path) => write!(f, "path = {path:?}"),
            Core::Git(url) => write!(f, "git = {url:?}"),
            Core::Version(version) => write!(f, "version = {version:?}"),
        }
    }
}

/// A crate to be written.
#[derive(Clone, Debug)]
pub struct NewProxy {
    /// The name of the crate: letters, digits, `-` and `_`.
    pub name: String,
    /// What the struct with the hooks is called: a name in Rust.
    pub hooks: String,
    /// What it is built on.
    pub core: Core,
}

impl NewProxy {
    /// The crate at `path`, named for its last part.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if its last part is no name for a crate, or `hooks` none for a struct, or something else's.
    pub fn at(path: &Path, hooks: &str, core: Core) -> io::Result<NewProxy> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let refused = |error: String| Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        if !is_name(name, "-_") {
            return refused("its last part is no name for a crate".to_owned());
        }
        if !is_name(hooks, "_") {
            return refused(format!("`{hooks}` is no name for a struct"));
        }
        if TAKEN.contains(&hooks) {
            return refused(format!("the crate has something else called `{hooks}`"));
        }
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
            let text = text.replace(CORE, &self.core.to_string());
            (path, named(&text.replace(CRATE, &self.name)))
        });
        let others = OTHERS.iter().map(|&(path, text)| (path, named(text)));
        [("Cargo.toml", self.manifest())].into_iter().chain(naming).chain(others).collect()
    }

    fn manifest(&self) -> String {
        let NewProxy { name, core, .. } = self;
        format!(
            "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\nmio-core = {{ {core} }}\n\n\
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
        if let Some((file, _)) = files.iter().find(|(file, _)| path.join(file).exists()) {
            let error = format!("{file} exists already");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, error));
        }
        for (file, text) in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap_or(path))?;
            fs::write(file, text)?;
        }
        Ok(())
    }
}

/// The absolute path of what need not be there yet, without links and without `..`.
fn to_be(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let here = Path::new(".");
    let parent = if parent.as_os_str().is_empty() { here } else { parent };
    Ok(to_be(parent)?.join(name))
}

/// The way from one folder to another; the whole one, if they are on different drives. Both are absolute.
fn from(folder: &Path, to: &Path) -> PathBuf {
    let both = folder.components().zip(to.components());
    let shared = both.take_while(|(one, other)| one == other).count();
    if shared == 0 {
        return to.to_owned();
    }
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

fn is_name(name: &str, others: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(path: &str, hooks: &str, core: Core) -> io::Result<NewProxy> {
        NewProxy::at(Path::new(path), hooks, core)
    }

    #[test]
    fn names_are_put_where_the_skeletons_were() {
        let new = new("/tmp/my-edge", "Edge", Core::Version("1.2".to_owned())).unwrap();
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
    fn where_mio_core_is_is_said_in_the_manifest_and_explained() {
        let git = || Core::Git("https://example.org/mio".to_owned());
        for (core, said) in [
            (Core::Path("../mio/mio-core".into()), "path = \"../mio/mio-core\""),
            (git(), "git = \"https://example.org/mio\""),
            (Core::Version("0.1".to_owned()), "version = \"0.1\""),
        ] {
            let files = new("/tmp/edge", "Edge", core).unwrap().files();
            let text = |path: &str| &files.iter().find(|(file, _)| *file == path).unwrap().1;
            assert!(text("Cargo.toml").contains(&format!("\nmio-core = {{ {said} }}\n")));
            assert_eq!(text("README.md").matches(said).count(), 1, "{said}");
        }
    }

    #[test]
    fn a_folder_is_named_as_seen_from_the_crate() {
        let ways = [
            ("/home/me/edge", "/home/me/mio/core", "../mio/core"),
            ("/home/me/mio/edge", "/home/me/mio/core", "../core"),
            ("/tmp/edge", "/home/mio", "../../home/mio"),
        ];
        for (folder, to, way) in ways {
            assert_eq!(from(Path::new(folder), Path::new(to)), Path::new(way));
        }
        let here = Core::here(Path::new("../not-there-yet/edge")).unwrap();
        assert_eq!(here, Core::Path(Path::new("../../mio-core").to_owned()));
        let error = Core::folder(Path::new("edge"), Path::new("src")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (path, hooks) in
            [("/tmp/a b", "Edge"), ("/tmp/..", "Edge"), ("/tmp/edge", "2"), ("/tmp/edge", "Server")]
        {
            let error = new(path, hooks, Core::Version("1".to_owned())).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path} {hooks}");
        }
    }
}
