//! `photon completions`.

use crate::cli::Cli;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Which shell.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// Such as `bash`: put the output where the shell looks for completions
    shell: Shell,
}

/// Prints them.
pub(crate) fn run(arguments: &CompletionsArgs) {
    clap_complete::generate(arguments.shell, &mut Cli::command(), "photon", &mut std::io::stdout());
}
