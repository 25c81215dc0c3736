//! Reading Rust, as far as the rules need it.

/// Code with a space in place of each comment and character and with empty strings, line for line.
pub(super) fn blanked(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let raw = !code.ends_with(is_word) && (rest.starts_with("r\"") || rest.starts_with("r#\""));
        let (length, instead) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), " ")
        } else if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |end| end + "*/".len()), " ")
        } else if raw {
            let fence = if rest.starts_with("r#") { "\"#" } else { "\"" };
            let start = "r".len() + fence.len();
            (rest[start..].find(fence).map_or(rest.len(), |end| start + end + fence.len()), "\"\"")
        } else if next == '"' {
            (string_length(rest), "\"\"")
        } else {
            (character_length(rest), " ")
        };
        if length == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            code.push_str(instead);
            code.extend(rest[..length].chars().filter(|&c| c == '\n'));
            rest = &rest[length..];
        }
    }
    code
}

fn string_length(text: &str) -> usize {
    let mut escaped = true;
    let end = text.find(|c| {
        let end = c == '"' && !escaped;
        // The opening quote counts as escaped, and what follows it not.
        escaped = c == '\\' && !escaped;
        end
    });
    end.map_or(text.len(), |at| at + 1)
}

/// The length of the character literal that `text` starts with; 0 if it starts with none.
fn character_length(text: &str) -> usize {
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('\''), Some('\\'), Some(escaped)) => {
            let start = r"'\".len() + escaped.len_utf8();
            text[start..].find('\'').map_or(0, |end| start + end + 1)
        }
        (Some('\''), Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => 0,
    }
}

/// Blanked code without the items that are there for tests alone.
pub(super) fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some((before, condition)) = rest.split_once("cfg(") {
        let (condition, item) = condition.split_once(']').unwrap_or((condition, ""));
        kept.push_str(before);
        rest = match is_test(condition) {
            true if before.ends_with("#![") => "",
            true if before.ends_with("#[") => &item[item_length(item)..],
            _ => {
                kept.push_str(condition);
                item
            }
        };
    }
    kept + rest
}

pub(super) fn is_test(condition: &str) -> bool {
    let dense = without_spaces(condition);
    words(&dense).any(|(_, word)| word == "test") && !dense.contains("not(test")
}

/// The length of the item that `code` starts with: to its semicolon or its closing brace.
pub(super) fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    let end = code.find(|c| {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(c, '}' | ';')
    });
    end.map_or(code.len(), |at| at + 1)
}

/// What code in a module `depth` deep names at the root of its crate.
pub(super) fn imports(code: &str, depth: usize) -> Vec<&str> {
    let mut names = Vec::new();
    let up = "super::".repeat(depth);
    for root in ["crate::", &up] {
        for (at, _) in code.match_indices(root) {
            if !code[..at].ends_with(is_word) && !code[..at].ends_with("super::") {
                branches(&code[at + root.len()..], &mut names);
            }
        }
    }
    names
}

/// The first names of the `use` tree that `code` starts with.
pub(super) fn branches<'a>(code: &'a str, names: &mut Vec<&'a str>) {
    let mut depth = 0_usize;
    let mut expected = true;
    for (at, c) in code.char_indices() {
        match c {
            c if expected && is_word(c) => {
                names.push(first_word(&code[at..]));
                expected = false;
            }
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' => expected = depth == 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

pub(super) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = code.split(|c| !is_word(c)).filter(|word| !word.is_empty());
    words.map(|word| (word.as_ptr().addr() - code.as_ptr().addr(), word))
}

pub(super) fn first_word(code: &str) -> &str {
    &code[..code.find(|c| !is_word(c)).unwrap_or(code.len())]
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub(super) fn without_spaces(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}
