//! Random life stories of channels through the contract's bytecode and through the Rust arithmetic.

mod author;
mod calls;
mod ending;
mod ledger;
mod run;
mod shrink;
mod spoil;
mod stage;
mod tally;
pub mod trees;

pub use author::{Author, Step};
pub use run::{Failure, tell};
pub use stage::{START, Stage, TERMS};
pub use tally::Tally;

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use revm::primitives::hardfork::SpecId;

use crate::model::Flaw;

/// Which stories to tell.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// The seed of the first; the others follow.
    pub seed: u64,
    /// How many.
    pub stories: u64,
    /// In how many threads.
    pub threads: usize,
    /// What the model does wrong on purpose.
    pub flaw: Option<Flaw>,
}

/// Tells stories until one fails. Every third follows the rules of Spectrum's EVM (Paris), the rest
/// those of Ethereum.
///
/// # Errors
/// The first failure.
pub fn differential(telling: Telling) -> Result<Tally, Box<Failure>> {
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let all = Mutex::new((Tally::default(), None));
    std::thread::scope(|scope| {
        for _ in 0..telling.threads.max(1) {
            scope.spawn(|| {
                let mut tally = Tally::default();
                let mut stages = [SpecId::MERGE, SpecId::PRAGUE, SpecId::OSAKA].map(Stage::new);
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= telling.stories {
                        break;
                    }
                    let seed = telling.seed.wrapping_add(index);
                    let stage = &mut stages[usize::try_from(seed % 3).unwrap_or(0)];
                    if let Err(failure) = tell(stage, seed, telling.flaw, &mut tally) {
                        stop.store(true, Ordering::Relaxed);
                        let mut all = all.lock().expect("no thread panics with it");
                        all.1.get_or_insert(failure);
                        break;
                    }
                    tally.stories += 1;
                }
                all.lock().expect("no thread panics with it").0.add(&tally);
            });
        }
    });
    let (tally, failure) = all.into_inner().expect("no thread panics with it");
    failure.map_or(Ok(tally), Err)
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "story {}: {}", self.seed, self.why)?;
        writeln!(out, "replay: cargo xtask differential --stories 1 --seed {}", self.seed)?;
        writeln!(out, "a token of the kind {:?}; at {START}:", self.manner)?;
        self.story.iter().try_for_each(|step| writeln!(out, "  {step:?}"))
    }
}
