//! Characters that everybody can read and nobody can hide in.

use super::Finding;
use crate::tree::Tree;

/// The micro sign, as in µs.
const LETTERS_ALLOWED: [char; 1] = ['\u{b5}'];

/// Letters outside docs are English; control characters and marks that change the order or the look
/// of a line without being seen are nowhere.
pub(super) fn letters(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        let may_be_foreign = path.starts_with("docs/");
        for (index, line) in text.lines().enumerate() {
            let bad = line.chars().find(|c| is_hidden(*c) || (is_foreign(*c) && !may_be_foreign));
            if let Some(c) = bad {
                findings.push(Finding::line(path, index, format!("has U+{:04X}", u32::from(c))));
            }
        }
    }
    findings
}

fn is_foreign(c: char) -> bool {
    c.is_alphabetic() && !c.is_ascii() && !LETTERS_ALLOWED.contains(&c)
}

/// `str::lines` has taken the ends of lines away; a tab is a matter of rustfmt.
fn is_hidden(c: char) -> bool {
    let is_invisible = matches!(
        u32::from(c),
        0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x2069 | 0xfeff
    );
    is_invisible || (c.is_control() && c != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, c: char) -> bool {
        !letters(&Tree::of(&[(path, &format!("a\nb {c} c\n"))])).is_empty()
    }

    #[test]
    fn foreign_letters_are_found_outside_docs() {
        for c in ['\u{901a}', '\u{44f}', '\u{e9}', '\u{3bb}'] {
            assert!(check("crates/a/src/lib.rs", c));
            assert!(check("README.md", c));
            assert!(!check("docs/adr/0001-pure-core.md", c));
        }
        for c in ['a', '\u{b5}', '\u{2192}', '\u{2264}', '\u{d7}', '\u{2013}', '\u{1f680}'] {
            assert!(!check("crates/a/src/lib.rs", c));
        }
    }

    #[test]
    fn hidden_characters_are_found_everywhere() {
        for c in ['\0', '\u{1b}', '\u{7f}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}'] {
            assert!(check("crates/a/src/lib.rs", c));
            assert!(check("docs/adr/0001-pure-core.md", c));
        }
        assert!(letters(&Tree::of(&[("a.md", "one\r\ntwo\n\tthree\n")])).is_empty());
    }
}
