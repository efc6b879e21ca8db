//! `photon completions`.

use crate::cli::Cli;
use crate::show;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Which shell.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// Such as `bash`: put the output where the shell looks for completions
    shell: Shell,
}

/// Prints them.
pub(crate) fn run(arguments: &CompletionsArgs) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "photon", &mut script);
    // A reader who has enough may go before the end.
    show::line(String::from_utf8(script)?.trim_end())
}
