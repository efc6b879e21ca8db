//! One module for each subcommand.

pub(crate) mod account;
pub(crate) mod channel;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod contracts;
pub(crate) mod devchain;
pub(crate) mod events;
pub(crate) mod fees;
pub(crate) mod history;
pub(crate) mod invoice;
pub(crate) mod node;
pub(crate) mod pay;
pub(crate) mod peers;
pub(crate) mod quote;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod tokens;

use crate::bench;
use crate::cli::{Cli, Command};
use crate::demo;
use photon_node::api::types::{Decimal, HexAddress};

/// Runs what was typed.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Demo(arguments) => demo::run(&arguments).await,
        Command::Bench(arguments) => bench::run(arguments).await,
        Command::Node(arguments) => node::run(*arguments).await,
        Command::Devchain(arguments) => devchain::run(arguments).await,
        Command::Contracts(command) => contracts::run(command).await,
        Command::Account(command) => account::run(command),
        Command::Token(command) => token::run(command).await,
        Command::Config(arguments) => config::run(&arguments),
        Command::Channel(command) => channel::run(command).await,
        Command::Pay(arguments) => pay::run(arguments).await,
        Command::Invoice(command) => invoice::run(command).await,
        Command::Quote(arguments) => quote::run(arguments).await,
        Command::History(arguments) => history::run(arguments).await,
        Command::Events(arguments) => events::run(arguments).await,
        Command::Status(arguments) => status::run(arguments).await,
        Command::Peers(arguments) => peers::run(arguments).await,
        Command::Fees(arguments) => fees::run(arguments).await,
        Command::Tokens(arguments) => tokens::run(arguments).await,
        Command::Completions(arguments) => completions::run(&arguments),
    }
}

/// Reads an amount off the command line.
pub(crate) fn amount(text: &str) -> Result<Decimal, String> {
    text.parse().map_err(|malformed: photon_node::api::types::Malformed| malformed.to_string())
}

/// Reads an address off the command line.
pub(crate) fn address(text: &str) -> Result<HexAddress, String> {
    text.parse().map_err(|malformed: photon_node::api::types::Malformed| malformed.to_string())
}
