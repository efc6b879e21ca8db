//! What can be typed.

use crate::bench;
use crate::commands::{
    account, channel, completions, config, contracts, devchain, events, fees, history, invoice,
    node, pay, peers, quote, status, token, tokens,
};
use crate::demo;
use clap::{Parser, Subcommand};

const AFTER: &str = "\
Exit codes:
  0    done
  1    refused, or it failed; the text says why, with a stable code in brackets
  2    the command line makes no sense
  3    no node answers
  4    not over within the time that was waited; it goes on by itself
  130  interrupted

Where the node is:
  --api and --api-token(-file), or PHOTON_API and PHOTON_API_TOKEN(_FILE); without these, the
  address and the token are read from the data directory (--data-dir, PHOTON_DATA_DIR, ~/.photon).

Amounts are in base units of the token. Colours: NO_COLOR turns them off.";

/// Photon: pay over channels, with the chain only as the court of last resort.
#[derive(Parser, Debug)]
#[command(name = "photon", version, after_help = AFTER, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show a chain, three nodes and the whole life of a channel, in a few seconds
    Demo(demo::DemoArgs),
    /// Measure how fast four nodes in a line pay, and check the books
    Bench(bench::BenchArgs),
    /// Run a node
    Node(Box<node::NodeArgs>),
    /// Run a chain for development, with ordinary JSON-RPC
    Devchain(devchain::DevchainArgs),
    /// Deploy the contract, or show what a network file says
    #[command(subcommand)]
    Contracts(contracts::ContractsCommand),
    /// Make, import and list accounts
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Test tokens on development chains: deploy, mint, balance
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Show every setting and where it came from
    Config(config::ConfigArgs),
    /// Open, fund, list, close and settle channels
    #[command(subcommand)]
    Channel(channel::ChannelCommand),
    /// Pay an account or an invoice
    Pay(pay::PayArgs),
    /// Make, read and list invoices
    #[command(subcommand)]
    Invoice(invoice::InvoiceCommand),
    /// What a payment would cost and which way it would go; nothing is paid
    Quote(quote::QuoteArgs),
    /// Payments made, or received
    History(history::HistoryArgs),
    /// Follow what happens, as it happens
    Events(events::EventsArgs),
    /// What the node is and how it fares
    Status(status::StatusArgs),
    /// List, add and remove peers
    Peers(peers::PeersArgs),
    /// Show or set what the node takes for mediating
    Fees(fees::FeesArgs),
    /// Tokens of the network, with what the account holds; examine one before it is deposited
    Tokens(tokens::TokensArgs),
    /// Completions for a shell, on the standard output
    Completions(completions::CompletionsArgs),
}
