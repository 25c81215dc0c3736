//! The sources of the workspace, and what of them is code.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    CORE,
    rust::{blanked, first_word, is_test, without_tests, words},
};

pub(super) struct Sources(Vec<Source>);

pub(super) struct Source {
    /// From the root of the workspace, with slashes.
    pub(super) path: String,
    pub(super) text: String,
    /// `text` without comments, literals and tests; empty if all of it is a test.
    pub(super) code: String,
}

impl Sources {
    pub(super) fn read() -> Sources {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut paths = Vec::new();
        for part in ["mio-core", "mio-derive", "new-proxy", "examples", "tests", "ui-tests"] {
            rust_files(&root.join(part), &mut paths);
        }
        Sources::of(paths.into_iter().map(|path| {
            let text = fs::read_to_string(&path).expect("a source is UTF-8");
            let path = path.strip_prefix(&root).expect("found below the root");
            (path.to_str().expect("a source has a plain name").replace('\\', "/"), text)
        }))
    }

    pub(super) fn of(texts: impl IntoIterator<Item = (String, String)>) -> Sources {
        let source = |(path, text): (String, String)| Source {
            code: without_tests(&blanked(&text)),
            path,
            text,
        };
        let mut sources: Vec<Source> = texts.into_iter().map(source).collect();
        let tests: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
        for source in &mut sources {
            let mut stems = source.path.trim_end_matches(".rs").match_indices('/');
            let folder = stems.any(|(at, _)| tests.iter().any(|test| *test == source.path[..at]));
            if folder || tests.iter().any(|test| *test == source.path.trim_end_matches(".rs")) {
                source.code.clear();
            }
        }
        Sources(sources)
    }

    pub(super) fn below(&self, folder: &str) -> impl Iterator<Item = &Source> {
        self.0.iter().filter(move |file| file.path.starts_with(folder))
    }

    /// The module that each name re-exported by mio-core's lib.rs comes from.
    pub(super) fn exports(&self) -> HashMap<&str, &str> {
        let mut exports = HashMap::new();
        for lib in self.below(CORE).filter(|file| file.module_path() == ["lib"]) {
            for statement in lib.code.split("pub use ").skip(1) {
                let statement = statement.split(';').next().unwrap_or_default();
                let module = first_word(statement);
                exports.extend(words(statement).skip(1).map(|(_, name)| (name, module)));
            }
        }
        exports
    }
}

impl Source {
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub(super) fn is_library(&self) -> bool {
        self.path.contains("/src/")
    }

    /// `["sys", "epoll", "waker"]` for mio-core/src/sys/epoll/waker.rs.
    pub(super) fn module_path(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches(CORE).trim_end_matches(".rs");
        path.trim_end_matches("/mod").split('/').collect()
    }

    /// The paths, without `.rs`, of the files that this one declares as modules for tests.
    fn test_modules(&self) -> Vec<String> {
        let stem = self.path.trim_end_matches(".rs");
        let folder = match stem.rsplit_once('/') {
            Some((folder, "mod" | "lib")) => folder,
            _ => stem,
        };
        let code = blanked(&self.text);
        let mut modules = Vec::new();
        for (start, _) in code.match_indices("#[cfg(") {
            let Some((condition, item)) = code[start..].split_once(']') else { continue };
            let Some(item) = item.trim_start().strip_prefix("mod ") else { continue };
            let name = first_word(item);
            if is_test(condition) && item[name.len()..].starts_with(';') {
                modules.push(format!("{folder}/{name}"));
            }
        }
        modules
    }
}

fn rust_files(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("a folder can be read").path()) {
        // Snapshots are what a macro wrote.
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("snapshots") {
            rust_files(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}
