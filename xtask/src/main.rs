#![doc = include_str!("../README.md")]

mod ci;
mod contracts;
mod gas;
mod mutate;
mod prove;
mod setup;
mod shell;
mod sim;
mod tidy;
mod tree;
mod walls;

use std::process::ExitCode;

use clap::Parser;

/// All automation of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Run everything that CI runs, in its order; stop at the first failure.
    Ci,
    /// Install what the contract's compiler and tests need.
    Setup,
    /// Compile the contract and rewrite the checked-in artefacts and the report of gas.
    Contracts {
        /// Change nothing: compare artefacts and report, and run the contract's tests.
        #[arg(long)]
        check: bool,
    },
    /// Change the contract wrongly in one place after the other: a test must fail each time.
    Mutate {
        /// Try only a small sample, the same each time.
        #[arg(long)]
        sample: bool,
        /// Try only files whose path contains this; these files first, in this order.
        #[arg(long)]
        file: Vec<String>,
        /// Take the contract as of this commit, instead of the working tree.
        #[arg(long)]
        at: Option<String>,
        /// Go on where the last run was stopped.
        #[arg(long)]
        resume: bool,
    },
    /// Prove the contract's properties by halmos, see their broken twins refuted, and run slither.
    Prove,
    /// Hold the contract's bytecode against the Rust arithmetic: random stories and lock trees.
    Differential(sim::Differential),
    /// Live through nights of a town of nodes in which everything goes wrong that can.
    Sim(sim::Sim),
    /// Check the rules that no compiler checks.
    Tidy,
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Ci => ci::run(),
        Command::Setup => setup::run(),
        Command::Contracts { check: false } => contracts::compile(),
        Command::Contracts { check: true } => contracts::check(),
        Command::Mutate { sample, file, at, resume } => {
            mutate::run(&mutate::Choice { sample, files: file, at, resume })
        }
        Command::Prove => prove::run(),
        Command::Differential(what) => sim::differential(&what),
        Command::Sim(what) => sim::sim(&what),
        Command::Tidy => tidy::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
