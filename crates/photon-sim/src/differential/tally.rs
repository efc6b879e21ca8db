//! How often what happened.

use std::collections::BTreeMap;
use std::fmt;

use crate::call::Call;

/// Counts of all calls of many stories.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Stories told.
    pub stories: u64,
    kinds: BTreeMap<&'static str, [u64; 2]>,
    errors: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn done(&mut self, call: &Call) {
        self.kinds.entry(call.kind()).or_default()[0] += 1;
    }

    pub(super) fn refused(&mut self, call: &Call, error: &str) {
        self.kinds.entry(call.kind()).or_default()[1] += 1;
        *self.errors.entry(error.to_owned()).or_default() += 1;
    }

    /// Takes over the counts of another.
    pub fn add(&mut self, other: &Self) {
        self.stories += other.stories;
        for (kind, counts) in &other.kinds {
            let mine = self.kinds.entry(kind).or_default();
            *mine = [mine[0] + counts[0], mine[1] + counts[1]];
        }
        for (error, count) in &other.errors {
            *self.errors.entry(error.clone()).or_default() += count;
        }
    }

    /// All calls.
    pub fn calls(&self) -> u64 {
        self.kinds.values().flatten().sum()
    }

    /// The kinds of calls that never succeeded, or were never refused.
    pub fn missing(&self) -> Vec<&'static str> {
        let lacks = |kind: &&&str| self.kinds.get(**kind).is_none_or(|counts| counts.contains(&0));
        Call::KINDS.iter().filter(lacks).copied().collect()
    }

    /// How many different errors the contract answered.
    pub fn errors(&self) -> usize {
        self.errors.len()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<22}{:>12}{:>12}", "call", "succeeded", "refused")?;
        for (kind, [done, refused]) in &self.kinds {
            writeln!(out, "{kind:<22}{done:>12}{refused:>12}")?;
        }
        writeln!(out, "\n{:<26}{:>8}", "refused with", "times")?;
        for (error, count) in &self.errors {
            writeln!(out, "{error:<26}{count:>8}")?;
        }
        Ok(())
    }
}
