//! Every crate is documented by its README.

use super::Finding;
use crate::tree::Tree;

const INCLUDE: &str = "#![doc = include_str!(\"../README.md\")]";

pub(super) fn readmes(tree: &Tree) -> Vec<Finding> {
    let astray = |path: &str| path.starts_with("crates/") && path.contains("/src/");
    let mut findings: Vec<_> = tree
        .ending(&["/README.md"])
        .filter(|(path, _)| astray(path))
        .map(|(path, _)| Finding::file(path, "is not beside the manifest"))
        .collect();
    for folder in folders(tree) {
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let readme = format!("{folder}/README.md");
        match tree.text(&readme) {
            None => findings.push(Finding::file(&readme, "is missing")),
            Some(text) if !text.starts_with(&format!("# {name}\n")) => {
                findings.push(Finding::file(&readme, format!("does not begin with `# {name}`")));
            }
            Some(_) => {}
        }
        for root in ["src/lib.rs", "src/main.rs"].map(|file| format!("{folder}/{file}")) {
            let text = tree.text(&root);
            // A command that also is a library is documented by the library.
            let by_library =
                root.ends_with("main.rs") && tree.text(&format!("{folder}/src/lib.rs")).is_some();
            if text.is_some_and(|text| !text.contains(INCLUDE)) && !by_library {
                findings.push(Finding::file(&root, format!("has no `{INCLUDE}`")));
            }
        }
    }
    findings
}

/// The folders of the crates: `crates/NAME` and `xtask`.
fn folders(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.ending(&["/Cargo.toml"])
        .map(|(path, _)| path.trim_end_matches("/Cargo.toml"))
        .filter(|folder| *folder == "xtask" || folder.starts_with("crates/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(readme: &str, root: &str) -> usize {
        let manifest = ("crates/a/Cargo.toml", "[package]\n");
        readmes(&Tree::of(&[
            manifest,
            ("crates/a/README.md", readme),
            ("crates/a/src/lib.rs", root),
        ]))
        .len()
    }

    #[test]
    fn a_crate_without_its_readme_is_found() {
        assert_eq!(check("# a\n\nWhat it is.\n", &format!("{INCLUDE}\n")), 0);
        assert_eq!(check("# b\n", &format!("{INCLUDE}\n")), 1);
        assert_eq!(check("# a\n", "//! What it is.\n"), 1);
        assert_eq!(readmes(&Tree::of(&[("crates/a/Cargo.toml", "")])).len(), 1);
    }

    #[test]
    fn a_readme_among_the_sources_is_found() {
        assert_eq!(readmes(&Tree::of(&[("crates/a/src/README.md", "# a\n")])).len(), 1);
    }

    #[test]
    fn a_command_is_documented_too() {
        let files = [("crates/a/Cargo.toml", ""), ("crates/a/README.md", "# a\n")];
        let command = Tree::of(&[files[0], files[1], ("crates/a/src/main.rs", "fn main() {}\n")]);
        assert_eq!(readmes(&command).len(), 1);
    }
}
