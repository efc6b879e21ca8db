//! Mutation testing of the contract: each small wrong change must fail a test.
//!
//! What survives needs a reason in contracts/mutation/survivors.toml. It is quick because forge
//! compiles the tests once, and only the contract is compiled anew for each mutant.

mod bench;
mod mutants;
mod results;
mod types;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::{setup, shell};
use bench::Bench;
use mutants::Mutant;
use results::Results;
use types::Types;

/// How many mutants the sample has: so many take some minutes.
const SAMPLE: usize = 16;

/// The results that are checked in.
const CHECKED_IN: &str = "contracts/mutation/results.tsv";

/// What to try.
pub(crate) struct Choice {
    /// Only the fixed small sample.
    pub(crate) sample: bool,
    /// Only files whose path contains one of these; all if empty.
    pub(crate) files: Vec<String>,
    /// The contract as of this commit, instead of the working tree.
    pub(crate) at: Option<String>,
    /// Keep the verdicts of an earlier run on the same mutants.
    pub(crate) resume: bool,
}

/// A mutant that no test fails, and why that is right.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivor {
    id: String,
    /// The change, as the run shows it: for who reads, and so that a stale reason is noticed.
    change: String,
    reason: String,
}

/// The file of survivors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivors {
    #[serde(default)]
    survivor: Vec<Survivor>,
}

/// Tries the sample, and sees that all survivors of the checked-in results have their reasons.
pub(crate) fn sample() -> Result<()> {
    run(&Choice { sample: true, files: Vec::new(), at: None, resume: false })
}

/// Tries the chosen mutants one after the other.
pub(crate) fn run(choice: &Choice) -> Result<()> {
    setup::run()?;
    let folder = bench::copy(choice.at.as_deref())?;
    let all = mutants_below(&folder.join("src"))?;
    let reasons = read_reasons(&shell::root().join("contracts/mutation/survivors.toml"))?;
    check_reasons(&reasons, &all, choice)?;
    let chosen = chosen(&all, &reasons, choice)?;
    println!("{} mutants, {} of them now", all.len(), chosen.len());
    let mut results = Results::open(&results_file(choice), &all, choice.resume)?;
    let mut bench = Bench::start(&folder)?;
    for (index, mutant) in chosen.iter().enumerate() {
        // A survivor is tried again: there may be a test for it now.
        if results.state(mutant).is_some_and(|state| state != bench::SURVIVED) {
            continue;
        }
        let text = fs::read_to_string(folder.join(&mutant.file))
            .with_context(|| format!("cannot read {}", mutant.file))?;
        let verdict = bench.try_mutant(&mutant.file, &mutant.apply(&text))?;
        let place = format!("[{}/{}]", index + 1, chosen.len());
        println!("{place} {} {} {}", line_of(mutant), verdict.state(), verdict.by());
        results.add(mutant, &verdict)?;
    }
    conclude(&chosen, &results, &reasons)
}

/// A whole run is checked in; a sample says nothing of the others.
fn results_file(choice: &Choice) -> PathBuf {
    if choice.sample { bench::folder().join("sample.tsv") } else { shell::root().join(CHECKED_IN) }
}

/// Counts, and refuses unexplained survivors.
fn conclude(
    chosen: &[&Mutant],
    results: &Results,
    reasons: &BTreeMap<String, Survivor>,
) -> Result<()> {
    let count =
        |state: &str| chosen.iter().filter(|mutant| results.state(mutant) == Some(state)).count();
    let unexplained = unexplained(chosen.iter().copied(), results, reasons);
    println!(
        "{} mutants: {} do not compile, {} compile to the same, {} killed, {} survived, \
         {} of these without a reason",
        chosen.len(),
        count(bench::STILLBORN),
        count(bench::SAME),
        count(bench::KILLED),
        count(bench::SURVIVED),
        unexplained.len()
    );
    for line in &unexplained {
        println!("survived: {line}");
    }
    ensure!(
        unexplained.is_empty(),
        "{} mutants survive: write a test that fails, or a reason into \
         contracts/mutation/survivors.toml",
        unexplained.len()
    );
    Ok(())
}

/// Survivors that have no reason.
fn unexplained<'all>(
    mutants: impl IntoIterator<Item = &'all Mutant>,
    results: &Results,
    reasons: &BTreeMap<String, Survivor>,
) -> Vec<String> {
    let survivors = mutants
        .into_iter()
        .filter(|mutant| results.state(mutant) == Some(bench::SURVIVED))
        .filter(|mutant| !reasons.contains_key(&mutant.id));
    survivors.map(line_of).collect()
}

fn line_of(mutant: &Mutant) -> String {
    format!("{} {}:{} {}", mutant.id, mutant.file, mutant.line, mutant.shown())
}

/// All mutants below `source`, file by file.
fn mutants_below(source: &Path) -> Result<Vec<Mutant>> {
    let mut texts = Vec::new();
    for folder in ["", "libraries", "interfaces"] {
        let path = source.join(folder);
        let entries =
            fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let file = entry.context("cannot read a folder's entry")?.path();
            if file.extension().is_some_and(|extension| extension == "sol") {
                files.push(file);
            }
        }
        files.sort();
        for file in files {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let parts = ["src", folder, &name];
            let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            texts.push((parts.join("/"), text));
        }
    }
    let types = Types::of(texts.iter().map(|(_, text)| text.as_str()));
    let mutated = texts.iter().filter(|(file, _)| !file.starts_with("src/interfaces/"));
    Ok(mutated.flat_map(|(file, text)| mutants::of(file, text, &types)).collect())
}

fn read_reasons(file: &Path) -> Result<BTreeMap<String, Survivor>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let parsed: Survivors =
        toml::from_str(&text).with_context(|| format!("cannot parse {}", file.display()))?;
    let mut reasons = BTreeMap::new();
    for survivor in parsed.survivor {
        let id = survivor.id.clone();
        ensure!(!survivor.reason.trim().is_empty(), "the survivor {id} has no reason");
        ensure!(reasons.insert(id.clone(), survivor).is_none(), "the survivor {id} is there twice");
    }
    Ok(reasons)
}

/// Refuses reasons for mutants that are no more: their line changed, so they are to be tried anew.
fn check_reasons(
    reasons: &BTreeMap<String, Survivor>,
    all: &[Mutant],
    choice: &Choice,
) -> Result<()> {
    if choice.at.is_some() {
        return Ok(());
    }
    for (id, survivor) in reasons {
        ensure!(
            all.iter().any(|mutant| mutant.id == *id && mutant.shown() == survivor.change),
            "there is no mutant {id} ({}): take it out of contracts/mutation/survivors.toml",
            survivor.change
        );
    }
    Ok(())
}

/// The sample is drawn from mutants that were killed once, and must be still: by their names, so
/// that it is the same each time, spread over the files, and left as it is by a change elsewhere.
fn chosen<'all>(
    all: &'all [Mutant],
    reasons: &BTreeMap<String, Survivor>,
    choice: &Choice,
) -> Result<Vec<&'all Mutant>> {
    let wanted = |mutant: &&Mutant| {
        choice.files.is_empty() || choice.files.iter().any(|file| mutant.file.contains(file))
    };
    let mut chosen: Vec<_> = all.iter().filter(wanted).collect();
    if choice.sample {
        let known = Results::read(&shell::root().join(CHECKED_IN), all)?;
        let open = unexplained(all, &known, reasons);
        ensure!(open.is_empty(), "{CHECKED_IN} has survivors without a reason: {open:?}");
        chosen.retain(|mutant| known.state(mutant) == Some(bench::KILLED));
        ensure!(!chosen.is_empty(), "{CHECKED_IN} has no killed mutant: run cargo xtask mutate");
        chosen.sort_by(|one, other| one.id.cmp(&other.id));
        chosen.truncate(SAMPLE);
    }
    let rank =
        |mutant: &Mutant| choice.files.iter().position(|file| mutant.file.contains(file.as_str()));
    chosen.sort_by_key(|mutant| rank(mutant));
    Ok(chosen)
}
