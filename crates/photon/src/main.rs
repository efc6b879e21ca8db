#![doc = include_str!("../README.md")]

mod bench;
mod chain;
mod cli;
mod client;
mod commands;
mod demo;
mod failure;
mod log;
mod progress;
mod show;
mod signals;

use clap::Parser as _;
use cli::Cli;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&error.into()),
    };
    let ended = runtime.block_on(commands::run(cli));
    // What still runs has been told to stop; nobody waits for it longer than this.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    let ended = ended.and_then(|()| std::io::stdout().flush().map_err(Into::into));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
