//! The checked-in artefacts are those of the checked-in sources.
//!
//! This needs no compiler: each artefact carries the hash of the sources that it was made from.
//! `cargo xtask contracts --check` compiles again and compares every byte.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Finding;
use crate::tree::Tree;

const FOLDER: &str = "contracts/artefacts/";
const SOURCES: &str = "contracts/";

/// The part of an artefact that tells its origin.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artefact {
    contract: String,
    source_hash: String,
}

/// A source, in the form in which the compiler takes it.
#[derive(Serialize)]
struct Source<'a> {
    content: &'a str,
}

pub(super) fn hashes(tree: &Tree) -> Vec<Finding> {
    let artefacts = tree.ending(&[".json"]).filter(|(path, _)| path.starts_with(FOLDER));
    let mut findings = Vec::new();
    let mut count = 0;
    for (path, text) in artefacts {
        count += 1;
        let Ok(artefact) = serde_json::from_str::<Artefact>(text) else {
            findings.push(Finding::file(path, "has no contract and sourceHash"));
            continue;
        };
        match folder(tree, &artefact.contract) {
            None => findings.push(Finding::file(path, "has no source")),
            Some(folder) if hash(tree, folder) != artefact.source_hash => {
                let what = format!("is not of {SOURCES}{folder}: run `cargo xtask contracts`");
                findings.push(Finding::file(path, what));
            }
            Some(_) => {}
        }
    }
    if count == 0 {
        findings.push(Finding::file(FOLDER, "holds no artefact"));
    }
    findings
}

/// The folder below contracts/ that has the source of `contract` at its top: a file of that name,
/// or one that declares it among others.
fn folder<'a>(tree: &'a Tree, contract: &str) -> Option<&'a str> {
    let file = format!("{contract}.sol");
    let declaration = format!("\ncontract {contract} ");
    let is_source = |name: &str, text: &str| {
        name == file || (!name.contains('/') && text.contains(&declaration))
    };
    tree.ending(&[".sol"]).find_map(|(path, text)| {
        let (folder, name) = path.strip_prefix(SOURCES)?.split_once('/')?;
        (folder != "test" && is_source(name, text)).then_some(folder)
    })
}

/// The hash of all sources below a folder, as contracts/scripts/compile.js makes it: SHA-256 of the
/// compact JSON `{name: {"content": text}}`, in the order of the names.
fn hash(tree: &Tree, folder: &str) -> String {
    let below = format!("{folder}/");
    let sources: BTreeMap<&str, Source<'_>> = tree
        .ending(&[".sol"])
        .filter_map(|(path, content)| Some((path.strip_prefix(SOURCES)?, Source { content })))
        .filter(|(name, _)| name.starts_with(&below))
        .collect();
    let json = serde_json::to_string(&sources).expect("a map from text to text is JSON");
    format!("{:x}", Sha256::digest(json))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `{"src/A.sol":{"content":"a\n"},"src/b/B.sol":{"content":"\"b\""}}`.
    const HASH: &str = "a096953dcb40353471d214a62071bdf79a85a0998b89aac9d70e2ce62a12b202";

    fn check(a: &str, artefact: &str) -> usize {
        let tree = Tree::of(&[
            ("contracts/src/A.sol", a),
            ("contracts/src/b/B.sol", "\"b\""),
            ("contracts/test/A.t.sol", "not a source"),
            ("contracts/artefacts/A.json", artefact),
        ]);
        hashes(&tree).len()
    }

    #[test]
    fn an_artefact_of_other_sources_is_found() {
        let artefact = format!("{{\"contract\": \"A\", \"sourceHash\": \"{HASH}\", \"abi\": []}}");
        assert_eq!(check("a\n", &artefact), 0);
        assert_eq!(check("a", &artefact), 1);
        assert_eq!(check("a\n", &artefact.replace("\"A\"", "\"C\"")), 1);
        assert_eq!(check("a\n", "{}"), 1);
    }

    #[test]
    fn a_tree_without_artefacts_is_found() {
        assert_eq!(hashes(&Tree::of(&[("contracts/src/A.sol", "a")])).len(), 1);
    }
}
