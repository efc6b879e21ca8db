//! GLOSSARY.md: each name in its last column, in backticks, is a name in the sources.

use std::collections::BTreeSet;

use super::Finding;
use crate::tree::Tree;

const GLOSSARY: &str = "GLOSSARY.md";

pub(super) fn names(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(GLOSSARY) else {
        return vec![Finding::file(GLOSSARY, "is missing")];
    };
    let known: BTreeSet<&str> = tree
        .ending(&[".rs", ".sol"])
        .filter(|(path, _)| !path.starts_with("xtask/"))
        .flat_map(|(_, text)| text.lines())
        .flat_map(|line| words(line.split("//").next().unwrap_or(line)))
        .collect();
    let mut findings = Vec::new();
    let mut rows = 0;
    for (index, line) in text.lines().enumerate() {
        let Some(column) = last_column(line) else { continue };
        rows += 1;
        let unknown = code(column).flat_map(words).filter(|word| !known.contains(word));
        findings.extend(
            unknown.map(|word| Finding::line(GLOSSARY, index, format!("no source has `{word}`"))),
        );
    }
    if rows == 0 {
        findings.push(Finding::file(GLOSSARY, "has no table of three columns"));
    }
    findings
}

/// The third of a row's three columns.
fn last_column(line: &str) -> Option<&str> {
    let row = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let columns: Vec<_> = row.split('|').collect();
    let is_data = columns.len() == 3 && !row.contains("---") && columns[2].trim() != "in code";
    is_data.then(|| columns[2])
}

/// What stands in backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The words that can be names.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(glossary: &str, source: &str) -> Vec<Finding> {
        names(&Tree::of(&[(GLOSSARY, glossary), ("crates/a/src/lib.rs", source)]))
    }

    #[test]
    fn a_name_that_is_nowhere_is_found() {
        let table =
            "| term | meaning | in code |\n|---|---|---|\n| end | `half` a channel | `End` |\n";
        assert!(check(table, "struct End;").is_empty());
        let missing = [Finding::line(GLOSSARY, 2, "no source has `End`")];
        assert_eq!(check(table, "struct Ending;"), missing);
    }

    #[test]
    fn a_comment_is_no_source() {
        let row = "| end | half a channel | `End` |\n";
        assert_eq!(check(row, "/// End of it.\nfn a() {} // The End.\n").len(), 1);
        assert!(check(row, "struct End; // Of a channel.\n").is_empty());
    }

    #[test]
    fn every_part_of_a_path_and_every_name_of_a_cell_is_looked_for() {
        let row = "| a | b | `Channel::send_lock`, `Lock` |\n";
        assert!(check(row, "impl Channel { fn send_lock(lock: Lock) {} }").is_empty());
        assert_eq!(check(row, "impl Channel {}").len(), 2);
    }

    #[test]
    fn a_glossary_without_rows_is_found() {
        assert_eq!(check("# Glossary\n", "").len(), 1);
        assert_eq!(names(&Tree::of(&[])).len(), 1);
    }
}
