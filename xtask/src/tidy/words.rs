//! Words that must not be in the tree.
//!
//! The words are written in halves, so that the lists do not find themselves.

use super::Finding;
use crate::tree::Tree;

/// Promises. Work that is left is an issue, or a decision not to do it.
const LATER: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX:"),
    concat!("to", "do!("),
    concat!("unimplem", "ented!("),
    concat!("#[ig", "nore"),
];

/// Leftovers of a search for a fault.
const SEARCH: [&str; 2] = [concat!("db", "g!("), concat!("console.", "debug(")];

/// Folders of one person's machine, and words of how a text came to be.
const PLACES: [&str; 8] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("C:\\Us", "ers"),
    concat!(".lib", "rary"),
    concat!("sub", "agent"),
    concat!("sha", "red/study"),
    concat!("helper", "-rules"),
];

/// The only hosts that a lock file may name.
const REGISTRIES: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "https://registry.npmjs.org/"];

/// Beginnings of functions that a better verb replaces, and endings of types that say nothing.
/// `handle_` is missing because a trait of libp2p demands it.
const EMPTY_VERBS: [&str; 3] =
    [concat!("fn ge", "t_"), concat!("fn proc", "ess_"), concat!("fn d", "o_")];
const EMPTY_NOUNS: [&str; 5] = ["Manager", "Helper", "Helpers", "Util", "Utils"];

pub(super) fn left_for_later(tree: &Tree) -> Vec<Finding> {
    let words: Vec<_> = LATER.into_iter().chain(SEARCH).collect();
    found(tree.files().filter(|(path, _)| !is_lock(path)), &words)
}

pub(super) fn places(tree: &Tree) -> Vec<Finding> {
    found(tree.files(), &PLACES)
}

pub(super) fn empty_names(tree: &Tree) -> Vec<Finding> {
    let mut findings = found(tree.ending(&[".rs"]), &EMPTY_VERBS);
    for (path, text) in tree.ending(&[".rs"]) {
        for (index, line) in text.lines().enumerate() {
            let name = type_name(line).unwrap_or_default();
            if EMPTY_NOUNS.iter().any(|noun| name.ends_with(noun)) {
                findings.push(Finding::line(path, index, format!("`{name}` says nothing")));
            }
        }
    }
    findings
}

pub(super) fn registries(tree: &Tree) -> Vec<Finding> {
    let locks = tree.files().filter(|(path, _)| is_lock(path));
    let lines = locks.flat_map(|(path, text)| {
        text.lines().enumerate().map(move |(index, line)| (path, index, line.trim()))
    });
    lines
        .filter_map(|(path, index, line)| {
            let source = source(line)?;
            let public = REGISTRIES.iter().any(|registry| source.starts_with(registry));
            (!public).then(|| Finding::line(path, index, format!("comes from {source}")))
        })
        .collect()
}

fn found<'a>(files: impl Iterator<Item = (&'a str, &'a str)>, words: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in files {
        for (index, line) in text.lines().enumerate() {
            let words = words.iter().filter(|word| line.contains(**word));
            findings.extend(words.map(|word| Finding::line(path, index, format!("has `{word}`"))));
        }
    }
    findings
}

fn is_lock(path: &str) -> bool {
    path.ends_with("Cargo.lock") || path.ends_with("package-lock.json")
}

/// Where a line of a lock file says that a package comes from.
fn source(line: &str) -> Option<&str> {
    let source = line
        .strip_prefix("source = \"")
        .or_else(|| line.strip_prefix("\"resolved\": \""))?
        .trim_end_matches(',')
        .trim_end_matches('"');
    // npm writes a package of this repository as its folder.
    source.contains("://").then_some(source)
}

/// The name of the type or trait that a line declares.
fn type_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    words.find(|word| matches!(*word, "struct" | "enum" | "trait"))?;
    words.next()?.split(|c: char| !c.is_alphanumeric()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&Tree) -> Vec<Finding>, path: &str, line: &str) -> bool {
        !rule(&Tree::of(&[(path, &format!("\n    {line}\n"))])).is_empty()
    }

    #[test]
    fn every_word_of_the_lists_is_found() {
        for word in LATER.into_iter().chain(SEARCH) {
            assert!(check(left_for_later, "crates/a/src/lib.rs", word), "{word}");
            assert!(!check(left_for_later, "Cargo.lock", word), "{word}");
        }
        for word in PLACES {
            assert!(check(places, "README.md", &format!("see {word}x")), "{word}");
        }
        assert!(!check(places, "README.md", "the network/transport layer"));
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        for verb in EMPTY_VERBS {
            assert!(check(empty_names, "a.rs", &format!("pub {verb}it() {{}}")), "{verb}");
        }
        for noun in EMPTY_NOUNS {
            assert!(check(empty_names, "a.rs", &format!("pub(crate) struct Nonce{noun}<T> {{")));
        }
        assert!(!check(empty_names, "a.rs", "pub struct Utility;"));
        assert!(!check(empty_names, "a.rs", "fn target() {}"));
    }

    #[test]
    fn a_lock_file_may_name_only_public_registries() {
        let private = "source = \"registry+https://example.org/index\"";
        assert!(check(registries, "Cargo.lock", private));
        assert!(!check(registries, "Cargo.lock", &format!("source = \"{}\"", REGISTRIES[0])));
        let private = "\"resolved\": \"http://10.0.0.1/solc/-/solc-0.8.37.tgz\",";
        assert!(check(registries, "contracts/package-lock.json", private));
        let public = "\"resolved\": \"https://registry.npmjs.org/solc/-/solc-0.8.37.tgz\",";
        assert!(!check(registries, "contracts/package-lock.json", public));
        assert!(!check(registries, "contracts/package-lock.json", "\"resolved\": \"packages/a\","));
    }
}
