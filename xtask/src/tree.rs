//! The files of the repository, as the tidy checks see them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Folders that are made, not written.
const MADE: [&str; 7] = [
    ".git",
    "target",
    "node_modules",
    "contracts/out",
    "contracts/cache",
    "fuzz/corpus",
    "mutants.out",
];

/// Text files by their path from the root, with `/` between the parts.
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads every text file below `root` that a person wrote or checked in.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self { files: BTreeMap::new() };
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    fn read_folder(&mut self, root: &Path, below: &str) -> Result<()> {
        let folder = root.join(below);
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {below}"))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {below}"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            let kind = entry.file_type().with_context(|| format!("cannot read {path}"))?;
            if MADE.contains(&name.as_str()) || MADE.contains(&path.as_str()) {
                continue;
            }
            if kind.is_dir() {
                self.read_folder(root, &path)?;
            } else if kind.is_file() {
                let bytes =
                    fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
                // What is not UTF-8 is a picture or another thing without lines.
                if let Ok(text) = String::from_utf8(bytes) {
                    self.files.insert(path, text);
                }
            }
        }
        Ok(())
    }

    /// A tree made of `files`, to plant a bad example in.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Self { files: files.iter().map(owned).collect() }
    }

    /// All files, in the order of their paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The files whose names end with one of `endings`, as in `.rs`.
    pub(crate) fn ending(&self, endings: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| endings.iter().any(|ending| path.ends_with(ending)))
    }

    /// The text of the file at `path`.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell;

    #[test]
    fn written_files_are_seen_and_made_ones_are_not() {
        let tree = Tree::read(&shell::root()).expect("the repository can be read");
        assert!(tree.text("Cargo.toml").is_some());
        assert!(tree.text("xtask/src/tree.rs").is_some());
        assert!(tree.text(".ci/run").is_some());
        let made = |path: &str| path.starts_with("target/") || path.contains("node_modules/");
        assert!(!tree.files().any(|(path, _)| made(path)));
    }
}
