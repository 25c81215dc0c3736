//! That the folders in `sys` are columns of one table, whose rows are in the contract, at the head of the ladder.

use super::{
    BACKENDS, CORE, LADDER, PLATFORMS,
    rust::{first_word, item_length, words},
    sources::{Source, Sources},
};

/// A line of the contract: what a file has, in this order.
#[derive(Debug, PartialEq)]
struct Row<'a> {
    file: &'a str,
    /// Whose methods they are; empty if they are functions.
    of: &'a str,
    functions: Vec<&'a str>,
}

pub(super) fn backends_unlike(sources: &Sources) -> Vec<String> {
    // Without line breaks, within which names may stand.
    let ladder = sources.below(LADDER).next().map_or("", |file| &file.text);
    let text: String = ladder.lines().filter_map(|line| line.strip_prefix("//!")).collect();
    let Some((backends, platforms)) = text.split_once("What belongs to the platform") else {
        return vec![format!("{LADDER} has no contract")];
    };
    let mut found = unlike(sources, BACKENDS, &rows(backends));
    found.extend(unlike(sources, PLATFORMS, &rows(platforms)));
    found
}

/// Of what reads "`FILE.rs`: `TYPE::{NAME, NAME}`", where `TYPE` or the names may be missing.
fn rows(text: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for (at, _) in text.match_indices(".rs`: `") {
        let file = text[..at].rsplit('`').next().unwrap_or_default();
        let item = text[at..].split('`').nth(2).unwrap_or_default();
        let (of, names) = item.split_once('{').unwrap_or((item, ""));
        rows.push(Row {
            file,
            of: first_word(of),
            functions: words(names).map(|(_, word)| word).collect(),
        });
    }
    rows
}

fn unlike(sources: &Sources, folders: &[&str], rows: &[Row<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for folder in folders {
        let path = format!("{CORE}sys/{folder}");
        let Some(root) = sources.below(&format!("{path}/mod.rs")).next() else {
            found.push(format!("{path} is not there"));
            continue;
        };
        // Those in a macro are indented, and stand where they may.
        let lines = root.code.lines().filter(|line| !line.starts_with(' '));
        let modules: Vec<&str> = lines.flat_map(|line| names_after(line, "mod ")).collect();
        if !modules.is_sorted() {
            found.push(format!("{} names its modules in another order", root.path));
        }
        for row in rows {
            if !modules.contains(&row.file) {
                found.push(format!("{} has no module {}", root.path, row.file));
            }
            // Where there is none, another folder's serves.
            if let Some(file) = sources.below(&format!("{path}/{}.rs", row.file)).next() {
                found.extend(row.misses(file).map(|what| format!("{}: {what}", file.path)));
            }
            if sources.below(&format!("{path}/{}/mod.rs", row.file)).next().is_some() {
                found.push(format!("{path}/{0}/mod.rs is {0}.rs elsewhere", row.file));
            }
        }
    }
    found
}

impl Row<'_> {
    /// What of the row is not so in a file.
    fn misses(&self, file: &Source) -> Option<String> {
        let Row { of, functions, .. } = self;
        if of.is_empty() {
            let all = names_after(&file.code, "\npub(crate) fn ");
            let kept: Vec<&str> = all.into_iter().filter(|name| functions.contains(name)).collect();
            return (kept != *functions).then(|| format!("{kept:?} instead of {functions:?}"));
        }
        let types = ["struct", "enum", "type"].map(|kind| format!("pub(crate) {kind} {of}"));
        if !types.iter().any(|kind| file.code.contains(kind)) {
            return Some(format!("there is no type {of}"));
        }
        if functions.is_empty() {
            return None;
        }
        let (_, block) = file.code.split_once(&format!("\nimpl {of} ")).unwrap_or_default();
        let kept = names_after(&block[..item_length(block)], "pub(crate) fn ");
        (functions.iter().ne(&kept)).then(|| format!("{kept:?} instead of {functions:?}"))
    }
}

/// The words that follow a prefix, which itself does not follow a word.
fn names_after<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let starts =
        code.match_indices(prefix).filter(|(at, _)| !code[..*at].ends_with(char::is_alphanumeric));
    starts.map(|(at, prefix)| first_word(&code[at + prefix.len()..])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = "//! - `selector.rs`: `Selector::{new,\n//!   select}`, which waits.\n//!\n//! What belongs to \
         the platform\n//! - `pipe.rs`: `{new, end}`.\n";
    const ROOT: &str = "mod ffi;\nmod selector;";
    const SELECTOR: &str = "pub(crate) struct Selector;\nimpl Selector {\n    pub(crate) fn new() {}\n    fn own() {}\n    \
         pub(crate) fn select() {}\n}\nimpl A { pub(crate) fn other() {} }";

    /// Sources in which each folder obeys, but for one file.
    fn violations(path: &str, text: &str) -> Vec<String> {
        let mut files = vec![(LADDER.to_owned(), CONTRACT.to_owned())];
        for folder in BACKENDS {
            files.push((format!("{CORE}sys/{folder}/mod.rs"), ROOT.to_owned()));
            files.push((format!("{CORE}sys/{folder}/selector.rs"), SELECTOR.to_owned()));
        }
        for folder in PLATFORMS {
            files.push((format!("{CORE}sys/{folder}/mod.rs"), "pub(crate) mod pipe;".to_owned()));
            files.push((
                format!("{CORE}sys/{folder}/pipe.rs"),
                "\npub(crate) fn new() {}\npub(crate) fn end() {}".to_owned(),
            ));
        }
        files.retain(|(other, _)| other != path);
        files.push((path.to_owned(), text.to_owned()));
        backends_unlike(&Sources::of(files))
    }

    #[test]
    fn a_row_of_the_contract_is_read() {
        let rows = rows("- `a.rs`: `A::{b, c}` and `d`. - `e.rs`: `E`, - `f.rs`: `{g}`");
        let row =
            |file, of, functions: &[&'static str]| Row { file, of, functions: functions.to_vec() };
        assert_eq!(rows, [row("a", "A", &["b", "c"]), row("e", "E", &[]), row("f", "", &["g"])]);
    }

    #[test]
    fn a_folder_that_is_unlike_the_others_is_caught() {
        let violation =
            |path: &str, text: &str| violations(&format!("{CORE}sys/{path}"), text).len();
        assert_eq!(violation("epoll/novel.rs", ""), 0);
        assert_eq!(violation("epoll/mod.rs", "mod ffi;"), 1);
        assert_eq!(violation("epoll/mod.rs", "mod selector;\nmod ffi;"), 1);
        assert_eq!(violation("epoll/selector/mod.rs", SELECTOR), 1);
        assert_eq!(violation("epoll/selector.rs", &SELECTOR.replace("Selector", "Chooser")), 1);
        assert_eq!(violation("epoll/selector.rs", &SELECTOR.replace("select(", "wait(")), 1);
        assert_eq!(
            violation("epoll/selector.rs", &SELECTOR.replace("fn own", "pub(super) fn own")),
            0
        );
        assert_eq!(
            violation("epoll/selector.rs", &SELECTOR.replace("fn own", "pub(crate) fn own")),
            1
        );
        assert_eq!(
            violation("unix/pipe.rs", "\npub(crate) fn end() {}\npub(crate) fn new() {}"),
            1
        );
        assert_eq!(violation("unix/pipe.rs", "\npub(crate) fn new() {}"), 1);
        assert_eq!(violation("mod.rs", "//! Nothing."), 1);
    }
}
