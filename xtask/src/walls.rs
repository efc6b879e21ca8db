//! The walls between the crates: walls.toml, held against what Cargo says.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::shell;
use crate::tidy::Finding;

const TABLE: &str = "xtask/walls.toml";

/// One row of walls.toml; its first comment tells the meaning.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wall {
    may: BTreeSet<String>,
    #[serde(default)]
    never: BTreeSet<String>,
    #[serde(default)]
    never_directly: BTreeSet<String>,
    #[serde(default)]
    no_std: bool,
}

/// What a crate of the workspace is, as far as a wall is concerned.
#[derive(Default)]
struct Crate {
    /// Normal dependencies that its manifest names.
    direct: BTreeSet<String>,
    /// Normal dependencies at any depth, when it is built by itself.
    all: BTreeSet<String>,
    /// The text of its lib.rs or main.rs.
    root: String,
}

/// Where the workspace breaks the table.
pub(crate) fn check() -> Result<Vec<Finding>> {
    let text = std::fs::read_to_string(shell::root().join(TABLE))
        .with_context(|| format!("cannot read {TABLE}"))?;
    let walls = toml::from_str(&text).with_context(|| format!("cannot understand {TABLE}"))?;
    Ok(breaches(&walls, &workspace()?))
}

fn breaches(walls: &BTreeMap<String, Wall>, crates: &BTreeMap<String, Crate>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = |what: String| findings.push(Finding::file(TABLE, what));
    for name in walls.keys().filter(|name| !crates.contains_key(*name)) {
        found(format!("{name} is no crate of the workspace"));
    }
    for (name, krate) in crates {
        let Some(wall) = walls.get(name) else {
            found(format!("{name} has no row"));
            continue;
        };
        let ours = krate.direct.iter().filter(|other| crates.contains_key(*other));
        for other in ours.filter(|other| !wall.may.contains(*other)) {
            found(format!("{name} depends on {other} and may not"));
        }
        for other in wall.never.intersection(&krate.all) {
            found(format!("{name} sees {other}: `cargo tree -p {name} -e normal -i {other}`"));
        }
        for other in wall.never_directly.intersection(&krate.direct) {
            found(format!("{name} names {other}"));
        }
        if wall.no_std && !is_no_std(&krate.root) {
            found(format!("{name} does not say `#![no_std]`"));
        }
    }
    findings
}

fn is_no_std(root: &str) -> bool {
    root.lines().any(|line| matches!(line, "#![no_std]" | "#![cfg_attr(not(test), no_std)]"))
}

/// The crates of the workspace.
fn workspace() -> Result<BTreeMap<String, Crate>> {
    let text = shell::read(shell::cargo().args(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: Metadata = serde_json::from_str(&text).context("cannot read cargo's metadata")?;
    metadata.packages.into_iter().map(krate).collect()
}

fn krate(package: Package) -> Result<(String, Crate)> {
    let Package { name, dependencies, targets } = package;
    let direct =
        dependencies.into_iter().filter(|it| it.kind.is_none()).map(|it| it.name).collect();
    // Cargo's metadata unites the features of the whole workspace, where alloy adds serde to what
    // photon-wire uses. The tree of one package has only the features that this package asks for.
    let flags =
        ["--edges=normal,no-proc-macro", "--prefix=none", "--format={p}", "--package", &name];
    let tree = shell::read(shell::cargo().arg("tree").args(flags))?;
    let root = targets
        .iter()
        .find(|target| target.kind.iter().any(|kind| kind == "lib" || kind == "bin"))
        .with_context(|| format!("{name} has neither a library nor a command"))?;
    let root = std::fs::read_to_string(&root.src_path)
        .with_context(|| format!("cannot read {}", root.src_path))?;
    let all = names(&tree).filter(|other| *other != name).map(ToOwned::to_owned).collect();
    Ok((name, Crate { direct, all, root }))
}

/// The names in what `cargo tree` prints: each line begins with one.
fn names(tree: &str) -> impl Iterator<Item = &str> {
    tree.lines().filter_map(|line| line.split_whitespace().next())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Nothing for a normal dependency, else `dev` or `build`.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walls_hold() {
        let findings: Vec<_> = check()
            .expect("cargo answers and the table can be read")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }

    #[test]
    fn cargo_tells_what_a_crate_sees() {
        let crates = workspace().expect("cargo answers");
        assert!(crates["photon-core"].all.contains("photon-wire"));
        assert!(crates["photon-chain"].all.contains("alloy-provider"));
        assert!(!crates["photon-chain"].direct.contains("alloy-provider"));
        assert!(crates["photon-chain"].direct.contains("photon-wire"));
    }

    const WALLS: &str = "
        [core]
        may = ['wire']
        never = ['tokio']
        never_directly = ['keys']
        no_std = true
        [wire]
        may = []
    ";

    fn check_planted(plant: impl Fn(&mut BTreeMap<String, Crate>)) -> Vec<String> {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let core = Crate {
            direct: set(&["wire", "hash"]),
            all: set(&["wire", "hash", "keys"]),
            root: "#![no_std]\n".to_owned(),
        };
        let mut crates =
            BTreeMap::from([("core".to_owned(), core), ("wire".to_owned(), Crate::default())]);
        plant(&mut crates);
        let walls = toml::from_str(WALLS).expect("the table is written here");
        let prefix = format!("{TABLE}: ");
        let told = |finding: &Finding| finding.to_string().trim_start_matches(&prefix).to_owned();
        breaches(&walls, &crates).iter().map(told).collect()
    }

    #[test]
    fn a_planted_breach_is_found() {
        assert!(check_planted(|_| {}).is_empty());
        let core = |crates: &mut BTreeMap<String, Crate>, change: fn(&mut Crate)| {
            change(crates.get_mut("core").expect("core is there"));
        };
        let found = check_planted(|crates| core(crates, |it| it.root = "extern crate std;".into()));
        assert_eq!(found, ["core does not say `#![no_std]`"]);
        let found = check_planted(|crates| core(crates, |it| _ = it.all.insert("tokio".into())));
        assert_eq!(found, ["core sees tokio: `cargo tree -p core -e normal -i tokio`"]);
        let found = check_planted(|crates| core(crates, |it| _ = it.direct.insert("keys".into())));
        assert_eq!(found, ["core names keys"]);
    }

    #[test]
    fn an_arrow_upward_is_found() {
        let found = check_planted(|crates| {
            let wire = crates.get_mut("wire").expect("wire is there");
            wire.direct.insert("core".to_owned());
        });
        assert_eq!(found, ["wire depends on core and may not"]);
    }

    #[test]
    fn a_crate_and_its_row_go_together() {
        let found = check_planted(|crates| _ = crates.insert("new".to_owned(), Crate::default()));
        assert_eq!(found, ["new has no row"]);
        let found = check_planted(|crates| _ = crates.remove("wire"));
        assert_eq!(found, ["wire is no crate of the workspace"]);
    }
}
