//! `photon contracts`.

use super::address;
use crate::chain::{ChainArgs, KeyArgs};
use crate::progress;
use crate::show;
use clap::Subcommand;
use photon_chain::Network;
use photon_node::api::types::HexAddress;
use photon_wire::contract::Parameters;
use photon_wire::{Seconds, Token};
use std::path::PathBuf;

/// What can be done with contracts.
#[derive(Subcommand, Debug)]
pub(crate) enum ContractsCommand {
    /// Deploy the contract and write a network file
    Deploy {
        #[command(flatten)]
        chain: ChainArgs,
        #[command(flatten)]
        key: KeyArgs,
        /// The file to write, for everybody's nodes
        #[arg(long, value_name = "FILE", default_value = "network.toml")]
        network: PathBuf,
        /// A name for people
        #[arg(long)]
        name: Option<String>,
        /// The shortest settle timeout of a channel, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
        least_settle_timeout: u64,
        /// The longest
        #[arg(long, value_name = "SECONDS", default_value_t = 30 * 24 * 3_600)]
        greatest_settle_timeout: u64,
        /// How long claimed locks can be challenged after the dispute window, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 1_800)]
        challenge: u64,
        /// Deploy also a token that is the chain's own coin, one for one: for development chains
        #[arg(long, conflicts_with = "wrapped_native")]
        deploy_wrapped_native: bool,
        /// The token that is the chain's own coin, where there is one already
        #[arg(long, value_name = "TOKEN", value_parser = address)]
        wrapped_native: Option<HexAddress>,
    },
    /// Show a network file, and with --check whether the chain agrees with it
    Show {
        #[command(flatten)]
        chain: ChainArgs,
        /// The file
        #[arg(long, value_name = "FILE", default_value = "network.toml")]
        network: PathBuf,
        /// Ask the chain whether the contract is there, with these parameters
        #[arg(long)]
        check: bool,
    },
}

/// Does it.
pub(crate) async fn run(command: ContractsCommand) -> anyhow::Result<()> {
    match command {
        ContractsCommand::Deploy {
            chain,
            key,
            network: path,
            name,
            least_settle_timeout,
            greatest_settle_timeout,
            challenge,
            deploy_wrapped_native,
            wrapped_native,
        } => {
            let wallet = key.wallet(&chain)?;
            let parameters = Parameters {
                least_settle_timeout: Seconds(least_settle_timeout),
                greatest_settle_timeout: Seconds(greatest_settle_timeout),
                challenge: Seconds(challenge),
            };
            let deploying = Network::deploy(&wallet, parameters);
            let mut network = progress::wait("deploying", deploying).await?;
            network.name = name;
            network.wrapped_native = wrapped_native.map(|token| Token(token.0));
            if deploy_wrapped_native {
                let deploying = wallet.deploy_wrapped_native();
                network.wrapped_native = Some(progress::wait("deploying", deploying).await?);
            }
            network.save(&path)?;
            show::line(&network)?;
            show::line(format_args!("\nwritten to {}", path.display()))
        }
        ContractsCommand::Show { chain, network: path, check } => {
            let network = Network::load(&path)?;
            show::line(&network)?;
            if check {
                let endpoint = chain.endpoint()?;
                network.verify(&endpoint).await?;
                show::line(format_args!("\nthe chain at {} agrees", endpoint.shown()))?;
            }
            Ok(())
        }
    }
}
