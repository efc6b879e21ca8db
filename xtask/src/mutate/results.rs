//! The verdicts so far, in a file that is read by people, and by a run that goes on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::bench::Verdict;
use super::mutants::Mutant;

/// A line for each mutant that was tried: its name, what became of it, where it is, what it
/// changes, and by what test it was killed.
pub(super) struct Results {
    file: PathBuf,
    lines: Vec<String>,
}

impl Results {
    /// Forgets what was said of mutants that are no more, or of all unless a run goes on.
    pub(super) fn open(file: &Path, all: &[Mutant], resume: bool) -> Result<Self> {
        let results = if resume {
            Self::read(file, all)?
        } else {
            Self { file: file.to_path_buf(), lines: Vec::new() }
        };
        results.write()?;
        Ok(results)
    }

    /// What is said of these mutants.
    pub(super) fn read(file: &Path, all: &[Mutant]) -> Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let known: BTreeSet<_> = all.iter().map(|mutant| mutant.id.as_str()).collect();
        let lines = text.lines().filter(|line| known.contains(column(line, 0)));
        let lines = lines.map(str::to_owned).collect();
        Ok(Self { file: file.to_path_buf(), lines })
    }

    /// What became of a mutant, if it was tried.
    pub(super) fn state(&self, mutant: &Mutant) -> Option<&str> {
        self.lines.iter().find(|line| column(line, 0) == mutant.id).map(|line| column(line, 1))
    }

    /// Writes a verdict down, in the place of an earlier one.
    pub(super) fn add(&mut self, mutant: &Mutant, verdict: &Verdict) -> Result<()> {
        let place = format!("{}:{}", mutant.file, mutant.line);
        let (state, by) = (verdict.state(), verdict.by());
        let line = format!("{}\t{state}\t{place}\t{}\t{by}", mutant.id, mutant.shown());
        self.lines.retain(|line| column(line, 0) != mutant.id);
        self.lines.push(line.trim_end().to_owned());
        self.write()
    }

    fn write(&self) -> Result<()> {
        let text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&self.file, text).with_context(|| format!("cannot write {}", self.file.display()))
    }
}

fn column(line: &str, which: usize) -> &str {
    line.split('\t').nth(which).unwrap_or_default()
}
