//! The rules that no compiler checks. Each rule is a function from the tree to what it found.

mod artefacts;
mod crates;
mod decisions;
mod glossary;
mod size;
mod text;
mod words;

use std::fmt;

use anyhow::{Result, ensure};

use crate::tree::Tree;
use crate::{shell, walls};

/// One place where a rule does not hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: Option<usize>,
    what: String,
}

impl Finding {
    /// The whole file at `path` breaks a rule.
    pub(crate) fn file(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, what: what.into() }
    }

    /// The line with this `index`, counted from 0, breaks a rule.
    fn line(path: &str, index: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(index + 1), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

/// A rule: where it does not hold in the tree.
type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: [(&str, Rule); 11] = [
    ("files are short", size::long_files),
    ("lines of Rust are short", size::long_lines),
    ("nothing is left for later", words::left_for_later),
    ("no name says nothing", words::empty_names),
    ("no place of work is named", words::places),
    ("lock files name only public registries", words::registries),
    ("letters are English and visible", text::letters),
    ("crates are documented by their README", crates::readmes),
    ("decisions are numbered and whole", decisions::decisions),
    ("names in the glossary exist", glossary::names),
    ("artefacts are of these sources", artefacts::hashes),
];

/// Prints every finding; fails if there is one.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::read(&shell::root())?;
    let mut findings: Vec<_> = RULES.iter().flat_map(|(_, rule)| rule(&tree)).collect();
    findings.extend(walls::check()?);
    for finding in &findings {
        println!("{finding}");
    }
    ensure!(findings.is_empty(), "{} places are not tidy", findings.len());
    println!("tidy: {} rules and the walls hold", RULES.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let tree = Tree::read(&shell::root()).expect("the repository can be read");
        let mut broken = String::new();
        for (name, rule) in RULES {
            for finding in rule(&tree) {
                broken += &format!("\n{name}: {finding}");
            }
        }
        assert!(broken.is_empty(), "{broken}");
    }

    #[test]
    fn a_finding_says_where() {
        assert_eq!(Finding::line("a.rs", 6, "too long").to_string(), "a.rs:7: too long");
        assert_eq!(Finding::file("a.rs", "too long").to_string(), "a.rs: too long");
    }
}
