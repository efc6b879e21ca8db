//! Decisions: docs/adr/NNNN-title.md, numbered from 0001 without gaps.

use super::Finding;
use crate::tree::Tree;

const FOLDER: &str = "docs/adr/";
const HEADINGS: [&str; 3] = ["## Context", "## Decision", "## Consequences"];

pub(super) fn decisions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut next = 1;
    for (path, text) in tree.files().filter(|(path, _)| path.starts_with(FOLDER)) {
        match number(path.trim_start_matches(FOLDER)) {
            None => findings.push(Finding::file(path, "is not named NNNN-title.md")),
            Some(got) => {
                if got != next {
                    findings.push(Finding::file(path, format!("is {got:04}, expected {next:04}")));
                }
                next = got + 1;
            }
        }
        let headings = text.lines().filter(|line| line.starts_with("## "));
        if !headings.eq(HEADINGS) {
            findings.push(Finding::file(path, format!("its headings are not {HEADINGS:?}")));
        }
    }
    if next == 1 {
        findings.push(Finding::file(FOLDER, "holds no decision"));
    }
    findings
}

/// The number in a name like `0001-pure-core.md`.
fn number(name: &str) -> Option<u32> {
    let (number, title) = name.strip_suffix(".md")?.split_once('-')?;
    let is_title = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let four_digits = number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit());
    (four_digits && !title.is_empty() && title.chars().all(is_title))
        .then(|| number.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "# A\n\n## Context\n\nA.\n\n## Decision\n\nB.\n\n## Consequences\n\nC.\n";

    fn check(files: &[(&str, &str)]) -> usize {
        decisions(&Tree::of(files)).len()
    }

    #[test]
    fn a_bad_number_is_found() {
        assert_eq!(check(&[("docs/adr/0001-a.md", WHOLE), ("docs/adr/0002-b.md", WHOLE)]), 0);
        assert_eq!(check(&[("docs/adr/0001-a.md", WHOLE), ("docs/adr/0003-b.md", WHOLE)]), 1);
        assert_eq!(check(&[("docs/adr/0001-a.md", WHOLE), ("docs/adr/0001-b.md", WHOLE)]), 1);
        assert_eq!(check(&[("docs/adr/0002-a.md", WHOLE)]), 1);
        assert_eq!(check(&[("docs/adr/0001-a.md", WHOLE), ("docs/adr/notes.md", WHOLE)]), 1);
        assert_eq!(check(&[("docs/adr/0001-a.md", WHOLE), ("docs/adr/2-b.md", WHOLE)]), 1);
        assert_eq!(check(&[]), 1);
    }

    #[test]
    fn a_missing_or_misplaced_heading_is_found() {
        for text in ["# A\n", &WHOLE.replace("## Decision", "## Idea"), &WHOLE.replace("## ", "# ")]
        {
            assert_eq!(check(&[("docs/adr/0001-a.md", text)]), 1);
        }
        let swapped = "## Decision\n## Context\n## Consequences\n";
        assert_eq!(check(&[("docs/adr/0001-a.md", swapped)]), 1);
    }
}
