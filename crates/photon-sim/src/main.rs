//! `cargo xtask differential` and `cargo xtask sim` start this.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use photon_sim::differential::{Telling, differential, trees};
use photon_sim::model::Flaw;
use photon_sim::town::{self, Night, Plant, Report};

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
    /// Nights of a town of nodes with the real engine and the real contract.
    Sim {
        /// The seed of the first night.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many nights, each with the next seed.
        #[arg(long, default_value_t = 1)]
        nights: u64,
        /// How many seconds of chain time things go wrong in each.
        #[arg(long, default_value_t = 2_000)]
        seconds: u64,
        /// A mistake to plant on purpose.
        #[arg(long)]
        plant: Option<Plant>,
        /// Print all that happens.
        #[arg(long)]
        trace: bool,
    },
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Differential { stories, seed, threads, flaw } => {
            tell(Telling { seed, stories, threads, flaw })
        }
        Command::Trees { trees, seed } => grow(seed, trees),
        Command::Sim { seed, nights, seconds, plant, trace } => {
            sim(Night { seed, seconds, plant, trace }, nights)
        }
    }
}

/// Stores live in memory where there is a file system in memory.
fn space() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    base.join(format!("photon-sim-{}", std::process::id()))
}

/// After so many bad nights the rest is not told.
const MOST_FAILURES: u64 = 20;

fn sim(first: Night, nights: u64) -> ExitCode {
    let (start, space) = (Instant::now(), space());
    let (mut all, mut failures) = (Report::default(), 0_u64);
    for index in 0..nights {
        let night = Night { seed: first.seed.wrapping_add(index), ..first };
        let lived = town::live(&night, &space);
        let _ = std::fs::remove_dir_all(&space);
        match lived {
            Ok(report) => all.add(&report),
            Err(why) => {
                let Night { seed, seconds, .. } = night;
                println!("{why}\nreplay: cargo xtask sim --seed {seed} --seconds {seconds}");
                failures += 1;
                if failures == MOST_FAILURES {
                    return ExitCode::FAILURE;
                }
            }
        }
        if (index + 1) % 100 == 0 {
            println!("{} nights, {} steps", index + 1, all.steps);
        }
    }
    let elapsed = start.elapsed().as_secs_f64();
    println!("{all:#?}\n{nights} nights in {elapsed:.1} s, {failures} of them bad");
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
