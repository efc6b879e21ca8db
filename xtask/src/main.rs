#![doc = include_str!("../README.md")]

mod ci;
mod contracts;
mod gas;
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
    /// Hold the contract's bytecode against the Rust arithmetic: random stories and lock trees.
    Differential(sim::Differential),
    /// Check the rules that no compiler checks.
    Tidy,
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Ci => ci::run(),
        Command::Setup => setup::run(),
        Command::Contracts { check: false } => contracts::compile(),
        Command::Contracts { check: true } => contracts::check(),
        Command::Differential(what) => sim::differential(&what),
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
