use crate::network::Difference;
use crate::revert::Revert;
use crate::token::{AuthorizeError, Oddity};
use alloy::primitives::{Address, B256};
use photon_wire::contract::Way;
use std::path::PathBuf;

/// Why the chain could not be asked, or what it answered.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The text is no URL that can be connected to.
    #[error("`{url}` is no address of a chain ({reason}); it begins with http, https, ws or wss")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answers, or only an error of the transport.
    #[error("no chain answers at {url}: {reason}")]
    Unreachable {
        /// Scheme, host and port; a key in the path is never shown.
        url: String,
        /// What the transport says.
        reason: String,
    },
    /// The chain took too long.
    #[error("the chain at {url} did not answer {method} within {seconds} s")]
    Silent {
        /// Scheme, host and port.
        url: String,
        /// What was asked.
        method: &'static str,
        /// How long we waited.
        seconds: u64,
    },
    /// The chain answered with an error.
    #[error("the chain refused {method}: {message} (code {code})")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// JSON-RPC's code.
        code: i64,
        /// The chain's words.
        message: String,
    },
    /// The chain is asked more often than it allows.
    #[error("{url} limits how often it is asked ({reason}); ask it less, or name another endpoint")]
    Limited {
        /// Scheme, host and port.
        url: String,
        /// The chain's words.
        reason: String,
    },
    /// The answer is not what the method answers.
    #[error("the chain's answer to {method} makes no sense: {reason}")]
    Answer {
        /// What was asked.
        method: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The call was refused by a contract.
    #[error("{0}")]
    Reverted(Revert),
    /// Another chain than expected.
    #[error("chain id is {got} at {url}, expected {expected}")]
    WrongChain {
        /// Scheme, host and port.
        url: String,
        /// What the chain says.
        got: u64,
        /// What the network file says.
        expected: u64,
    },
    /// Nothing is deployed there.
    #[error("no contract at {contract} on chain {chain_id}")]
    NoContract {
        /// The address.
        contract: Address,
        /// The chain.
        chain_id: u64,
    },
    /// There is a contract, but another one.
    #[error("the contract at {contract} is not Photon's: {reason}")]
    OtherContract {
        /// The address.
        contract: Address,
        /// How that shows.
        reason: String,
    },
    /// The contract was deployed with other parameters than the network file says.
    #[error("the contract at {contract} was deployed with {difference}")]
    OtherParameters {
        /// The address.
        contract: Address,
        /// Which, and how.
        difference: Difference,
    },
    /// It has no `balanceOf`.
    #[error("no token at {0}")]
    NotAToken(Address),
    /// The chain is not as far as we were already.
    #[error("the chain is at block {head}, but block {handled} was handled already")]
    Behind {
        /// The newest block.
        head: u64,
        /// What the consumer told us to go on after.
        handled: u64,
    },
    /// The endpoint that stands in for another one knows another chain than that one told.
    #[error(
        "{url} stands in for another endpoint, and disagrees with it: block {block} is another"
    )]
    Disagrees {
        /// Scheme, host and port of the one that stands in.
        url: String,
        /// Where they differ.
        block: u64,
    },
    /// A block was replaced while we read it; the next look will see the new one.
    #[error("block {0} was replaced while it was read")]
    Moved(u64),
}

impl ChainError {
    /// Whether the same question may be answered a moment later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Silent { .. }
            | Self::Refused { .. }
            | Self::Answer { .. }
            | Self::Limited { .. }
            | Self::Behind { .. }
            | Self::Disagrees { .. }
            | Self::Moved(_) => true,
            Self::Url { .. }
            | Self::Reverted(_)
            | Self::WrongChain { .. }
            | Self::NoContract { .. }
            | Self::OtherContract { .. }
            | Self::OtherParameters { .. }
            | Self::NotAToken(_) => false,
        }
    }
}

impl ChainError {
    /// Whether it is a failure of the endpoint, so that another one may answer.
    pub(crate) const fn is_of_the_endpoint(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Silent { .. }
            | Self::Limited { .. }
            | Self::Answer { .. }
            | Self::WrongChain { .. } => true,
            // Source: JSON-RPC 2.0, internal error.
            Self::Refused { code, .. } => *code == -32_603,
            Self::Url { .. }
            | Self::Reverted(_)
            | Self::NoContract { .. }
            | Self::OtherContract { .. }
            | Self::OtherParameters { .. }
            | Self::NotAToken(_)
            | Self::Behind { .. }
            | Self::Disagrees { .. }
            | Self::Moved(_) => false,
        }
    }
}

/// Why something did not get onto the chain.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The chain could not be asked in time, or not at all.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// It would revert; nothing was sent.
    #[error("{0}")]
    Reverts(Revert),
    /// It was mined and reverted.
    #[error("transaction {hash} reverted: {}", reason(.revert.as_ref()))]
    Reverted {
        /// The transaction.
        hash: B256,
        /// Why, where asking again tells it.
        revert: Option<Revert>,
    },
    /// The account has too few tokens.
    #[error("{account} has {balance} of token {token}, needs {needed}")]
    TooFewTokens {
        /// The account.
        account: Address,
        /// The token.
        token: Address,
        /// What it has.
        balance: u128,
        /// What the call takes.
        needed: u128,
    },
    /// The token is not fit for this deposit; nothing was sent.
    #[error("token {token}: {oddity}")]
    OddToken {
        /// The token.
        token: Address,
        /// Why.
        oddity: Oddity,
    },
    /// The token cannot be deposited in this way, or in none; nothing was sent.
    #[error("token {token} cannot be deposited {} now", by(.way.as_ref()))]
    NoSuchWay {
        /// The token.
        token: Address,
        /// None where every way was tried.
        way: Option<Way>,
    },
    /// What the way needs was not signed; nothing was sent.
    #[error("token {token}: {source}")]
    Unsigned {
        /// The token.
        token: Address,
        /// Why.
        source: Box<AuthorizeError>,
    },
    /// The account cannot pay for the gas.
    #[error("{account} has {balance} wei and needs up to {needed} for a transaction; give it some")]
    TooFewCoins {
        /// The account.
        account: Address,
        /// What it has.
        balance: u128,
        /// What the transaction can cost with the coins that it gives, as far as that is known.
        needed: u128,
    },
    /// It takes more gas than its limit; nothing was sent.
    #[error("it takes {needed} gas, its limit is {most}")]
    TooMuchGas {
        /// What it takes.
        needed: u64,
        /// The limit that it was handed over with.
        most: u64,
    },
    /// Somebody else used the account's nonce; nothing of ours was mined.
    #[error("another transaction of {account} took nonce {nonce}")]
    NonceTaken {
        /// The account.
        account: Address,
        /// The nonce.
        nonce: u64,
    },
    /// The transaction could not be written down, and so was not sent.
    #[error("cannot write down a transaction: {0}")]
    Journal(#[source] std::io::Error),
    /// The sender was stopped.
    #[error("the sender has stopped")]
    Stopped,
}

fn by(way: Option<&Way>) -> String {
    way.map_or_else(|| "in any way".to_owned(), |way| format!("by {way}"))
}

fn reason(revert: Option<&Revert>) -> String {
    revert.map_or_else(|| "the chain does not tell why".to_owned(), ToString::to_string)
}

impl SendError {
    /// Whether trying again may help.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Chain(error) => error.is_transient(),
            Self::NonceTaken { .. } | Self::Journal(_) => true,
            Self::Unsigned { source, .. } => source.is_transient(),
            Self::Reverts(_)
            | Self::Reverted { .. }
            | Self::TooFewTokens { .. }
            | Self::OddToken { .. }
            | Self::NoSuchWay { .. }
            | Self::TooFewCoins { .. }
            | Self::TooMuchGas { .. }
            | Self::Stopped => false,
        }
    }

    /// The revert, where this is one.
    pub const fn revert(&self) -> Option<&Revert> {
        match self {
            Self::Reverts(revert) | Self::Reverted { revert: Some(revert), .. } => Some(revert),
            Self::Chain(ChainError::Reverted(revert)) => Some(revert),
            Self::Chain(_)
            | Self::Reverted { revert: None, .. }
            | Self::TooFewTokens { .. }
            | Self::OddToken { .. }
            | Self::NoSuchWay { .. }
            | Self::Unsigned { .. }
            | Self::TooFewCoins { .. }
            | Self::TooMuchGas { .. }
            | Self::NonceTaken { .. }
            | Self::Journal(_)
            | Self::Stopped => None,
        }
    }
}

/// Why a network file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum NetworkFileError {
    /// The disk.
    #[error("network file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no TOML of a network.
    #[error("network file {}: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: Box<toml::de::Error>,
    },
}

/// Why an account could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The disk.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The key file is there already; it is never overwritten.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// Not what geth's keystore V3 looks like.
    #[error("{} is no keystore file: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The password does not open it.
    #[error("wrong password for {}", .0.display())]
    WrongPassword(PathBuf),
    /// The words are no BIP-39 mnemonic.
    #[error("these words are no mnemonic: {0}")]
    Mnemonic(String),
    /// The number is no private key.
    #[error("the private key is zero or too great")]
    PrivateKey,
}
