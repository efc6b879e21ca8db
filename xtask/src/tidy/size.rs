//! Files and lines that one can still read.

use super::Finding;
use crate::tree::Tree;

/// The most lines of a source file, its tests not counted. Functions are clippy's (clippy.toml).
const FILE_LINES_MAX: usize = 600;

/// The most characters of a line of Rust; rustfmt leaves long strings and comments alone.
const LINE_CHARS_MAX: usize = 100;

pub(super) fn long_files(tree: &Tree) -> Vec<Finding> {
    let written = tree.ending(&[".rs", ".sol", ".js", ".mjs", ".ts"]);
    written
        .filter(|(path, _)| !is_test(path))
        .filter_map(|(path, text)| {
            let lines = lines_without_tests(text);
            let what = format!("{lines} lines without tests, at most {FILE_LINES_MAX}");
            (lines > FILE_LINES_MAX).then(|| Finding::file(path, what))
        })
        .collect()
}

pub(super) fn long_lines(tree: &Tree) -> Vec<Finding> {
    let lines = tree.ending(&[".rs"]).flat_map(|(path, text)| {
        text.lines().enumerate().map(move |(index, line)| (path, index, line.chars().count()))
    });
    lines
        .filter(|(_, _, chars)| *chars > LINE_CHARS_MAX)
        .map(|(path, index, chars)| {
            let what = format!("{chars} characters, at most {LINE_CHARS_MAX}");
            Finding::line(path, index, what)
        })
        .collect()
}

/// Whether all of the file is tests.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "test" | "benches"))
        || path.ends_with(".t.sol")
}

/// The lines before the module of tests, which is the last thing in a file.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<_> = text.lines().collect();
    let is_tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests {");
    lines.windows(2).position(is_tests).unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(path: &str, lines: usize, tests: usize) -> bool {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    // A line.\n".repeat(tests));
        let text = "// A line.\n".repeat(lines) + &tests;
        !long_files(&Tree::of(&[(path, &text)])).is_empty()
    }

    #[test]
    fn a_file_is_long_above_the_limit_without_its_tests() {
        assert!(!long("crates/a/src/lib.rs", 600, 900));
        assert!(long("crates/a/src/lib.rs", 601, 0));
        assert!(long("contracts/src/A.sol", 601, 0));
        assert!(!long("crates/a/tests/story.rs", 601, 0));
        assert!(!long("notes.txt", 601, 0));
    }

    #[test]
    fn a_single_item_for_tests_does_not_hide_what_follows_it() {
        let text =
            "#[cfg(test)]\nfn only_for_tests() {}\n".to_owned() + &"// A line.\n".repeat(600);
        assert_eq!(long_files(&Tree::of(&[("crates/a/src/lib.rs", &text)])).len(), 1);
    }

    #[test]
    fn a_line_is_long_above_the_limit() {
        let lines = |chars: usize| format!("fn a() {{}}\n//{}\n", "\u{2192}".repeat(chars - 2));
        assert!(long_lines(&Tree::of(&[("a.rs", &lines(100))])).is_empty());
        let found = long_lines(&Tree::of(&[("a.rs", &lines(101))]));
        assert_eq!(found, [Finding::line("a.rs", 1, "101 characters, at most 100")]);
    }
}
