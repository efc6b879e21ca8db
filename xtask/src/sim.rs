//! The stories and simulations of the crate `photon-sim`, at full speed.

use anyhow::Result;
use clap::Args;

use crate::shell::{self, cargo};

/// What the differential tells.
#[derive(Args)]
pub(crate) struct Differential {
    /// How many life stories of channels.
    #[arg(long, default_value_t = 2_000)]
    stories: u64,
    /// How many lock trees.
    #[arg(long, default_value_t = 1_000)]
    trees: u64,
    /// The seed of the first of each.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// In how many threads.
    #[arg(long, default_value_t = 1)]
    threads: u64,
}

/// Which nights the simulator lives through.
#[derive(Args)]
pub(crate) struct Sim {
    /// The seed of the first night.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many nights, each with the next seed.
    #[arg(long, default_value_t = 1)]
    nights: u64,
    /// For how many seconds of chain time things go wrong in each.
    #[arg(long, default_value_t = 2_000)]
    seconds: u64,
    /// Print all that happens.
    #[arg(long)]
    trace: bool,
}

/// A town of nodes with the real engine and the real contract, and everything that can go wrong.
pub(crate) fn sim(what: &Sim) -> Result<()> {
    let Sim { seed, nights, seconds, trace } = what;
    let words: &[&str] = if *trace { &["sim", "--trace"] } else { &["sim"] };
    program(words, &[("seed", *seed), ("nights", *nights), ("seconds", *seconds)])
}

/// Random stories and trees through the contract's bytecode and through the Rust arithmetic.
pub(crate) fn differential(what: &Differential) -> Result<()> {
    let Differential { stories, trees, seed, threads } = what;
    program(&["differential"], &[("stories", *stories), ("seed", *seed), ("threads", *threads)])?;
    program(&["trees"], &[("trees", *trees), ("seed", *seed)])
}

/// Runs the program of `photon-sim`, built for speed.
fn program(words: &[&str], numbers: &[(&str, u64)]) -> Result<()> {
    let mut command = cargo();
    command.args(["run", "--release", "--locked", "--package", "photon-sim", "--"]).args(words);
    for (name, number) in numbers {
        command.arg(format!("--{name}")).arg(number.to_string());
    }
    shell::run(&mut command)
}
