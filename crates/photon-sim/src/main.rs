//! `cargo xtask differential` and `cargo xtask sim` start this.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use photon_sim::differential::{Telling, differential, trees};
use photon_sim::model::Flaw;

/// The real contract and the real engine in one thread from one seed.
#[derive(Parser)]
#[command(name = "photon-sim")]
enum Command {
    /// Random life stories through the bytecode and through the Rust arithmetic.
    Differential {
        /// How many stories.
        #[arg(long, default_value_t = 2_000)]
        stories: u64,
        /// The seed of the first story.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// In how many threads.
        #[arg(long, default_value_t = 1)]
        threads: usize,
        /// Let the model make this mistake on purpose: the first story that shows it is printed.
        #[arg(long)]
        flaw: Option<Flaw>,
    },
    /// Random lock trees with random multiproofs against the contract.
    Trees {
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        trees: u64,
        /// The seed of the first tree.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Differential { stories, seed, threads, flaw } => {
            tell(Telling { seed, stories, threads, flaw })
        }
        Command::Trees { trees, seed } => grow(seed, trees),
    }
}

fn grow(seed: u64, count: u64) -> ExitCode {
    let start = Instant::now();
    match trees::trees(seed, count) {
        Ok(tried) => {
            println!("{tried:?} in {:.1} s, all agree", start.elapsed().as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("{why}\nreplay: cargo xtask differential --trees 1 --seed {seed}");
            ExitCode::FAILURE
        }
    }
}

fn tell(telling: Telling) -> ExitCode {
    let start = Instant::now();
    let told = differential(telling);
    let seconds = start.elapsed().as_secs_f64();
    match told {
        Ok(tally) => {
            println!("{tally}");
            let (stories, calls) = (tally.stories, tally.calls());
            println!("{stories} stories, {calls} calls in {seconds:.1} s, all agree");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}
