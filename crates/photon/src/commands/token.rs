//! `photon token`.

use super::{address, amount};
use crate::chain::{ChainArgs, KeyArgs};
use crate::failure::Failure;
use crate::progress;
use crate::show;
use clap::Subcommand;
use photon_chain::{Network, TokenKind, token};
use photon_node::api::types::{Decimal, HexAddress};
use photon_wire::Token;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What can be done with test tokens.
#[derive(Subcommand, Debug)]
pub(crate) enum TokenCommand {
    /// Deploy a token of which anybody can make as much as he likes: for development chains
    Deploy {
        #[command(flatten)]
        chain: ChainArgs,
        #[command(flatten)]
        key: KeyArgs,
        /// What kind it is: plain, silent, fee, erc223, fallback, erc1363, erc677,
        /// approve-and-call, permit, eip3009, huge or wrapped-native
        #[arg(long, default_value = "plain")]
        kind: DeployKind,
        /// Its name; only a plain one can be given another
        #[arg(long, default_value = "Test")]
        name: String,
        /// Its symbol; one of another kind has it in the network file only
        #[arg(long, default_value = "TEST")]
        symbol: String,
        /// How many digits of an amount stand behind the point; of a plain one
        #[arg(long, default_value_t = 18)]
        decimals: u8,
        /// A network file to write the token into, under its symbol
        #[arg(long, value_name = "FILE")]
        network: Option<PathBuf>,
    },
    /// Make tokens out of nothing
    Mint {
        /// The token: its address, or its name in the network file
        token: String,
        /// Who gets them
        #[arg(value_parser = address)]
        to: HexAddress,
        /// How many, in base units
        #[arg(value_parser = amount)]
        amount: Decimal,
        #[command(flatten)]
        chain: ChainArgs,
        #[command(flatten)]
        key: KeyArgs,
        /// The network file that has the token's name
        #[arg(long, value_name = "FILE")]
        network: Option<PathBuf>,
    },
    /// What an account has on the chain, outside channels
    Balance {
        /// The token: its address, or its name in the network file
        token: String,
        /// Whose
        #[arg(value_parser = address)]
        account: HexAddress,
        #[command(flatten)]
        chain: ChainArgs,
        /// The network file that has the token's name
        #[arg(long, value_name = "FILE")]
        network: Option<PathBuf>,
    },
}

/// What kind of token to deploy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DeployKind {
    /// As ERC-20 says.
    Plain,
    /// The chain's coin, wrapped.
    WrappedNative,
    /// One that behaves otherwise.
    Odd(TokenKind),
}

impl FromStr for DeployKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "plain" => Ok(Self::Plain),
            "wrapped-native" => Ok(Self::WrappedNative),
            other => other
                .parse()
                .map(Self::Odd)
                .map_err(|reason: String| format!("{reason}, plain or wrapped-native")),
        }
    }
}

/// Does it.
pub(crate) async fn run(command: TokenCommand) -> anyhow::Result<()> {
    match command {
        TokenCommand::Deploy { chain, key, kind, name, symbol, decimals, network } => {
            let mut file = network.as_deref().map(Network::load).transpose()?;
            let wallet = key.wallet(&chain)?;
            let deploying = async {
                match kind {
                    DeployKind::Plain => wallet.deploy_token(&name, &symbol, decimals).await,
                    DeployKind::WrappedNative => wallet.deploy_wrapped_native().await,
                    DeployKind::Odd(kind) => wallet.deploy_kind(kind).await,
                }
            };
            let token = progress::wait("deploying", deploying).await?;
            if let (Some(file), Some(path)) = (&mut file, &network) {
                file.tokens.insert(symbol.clone(), token);
                file.save(path)?;
            }
            show::facts(&[("token", token.to_string()), ("symbol", symbol)])
        }
        TokenCommand::Mint { token, to, amount, chain, key, network } => {
            let token = meant(&token, network.as_deref())?;
            let wallet = key.wallet(&chain)?;
            let mined = progress::wait("minting", wallet.mint(token, to.0, amount.0)).await?;
            let held = token::balance(wallet.endpoint(), token, to.0).await?;
            show::facts(&[
                ("transaction", mined.hash.to_string()),
                ("balance", format!("{held} of token {token} for {to}")),
            ])
        }
        TokenCommand::Balance { token, account, chain, network } => {
            let token = meant(&token, network.as_deref())?;
            show::line(token::balance(&chain.endpoint()?, token, account.0).await?)
        }
    }
}

/// A token by its address, or by its name in a network file.
fn meant(text: &str, network: Option<&Path>) -> anyhow::Result<Token> {
    if text.starts_with("0x") {
        return address(text).map(|address| Token(address.0)).map_err(Failure::usage);
    }
    let Some(path) = network else {
        return Err(Failure::usage(format!(
            "`{text}` is no address; for a token's name, say in which --network file it is"
        )));
    };
    let network = Network::load(path)?;
    network
        .tokens
        .get(text)
        .copied()
        .ok_or_else(|| Failure::usage(format!("{} names no token `{text}`", path.display())))
}
