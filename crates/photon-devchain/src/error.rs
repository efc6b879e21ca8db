//! Why a chain does not start, and why it refuses a transaction.

use std::{io, net::SocketAddr, path::PathBuf};

use alloy::{
    primitives::{Address, B256, U256},
    signers::local::LocalSignerError,
};

/// Why a chain could not be started or moved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, or not of this machine.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The words are no BIP-39 mnemonic.
    #[error("the mnemonic cannot be used")]
    Mnemonic(#[source] LocalSignerError),
    /// Blocks would come without pause.
    #[error("the mining interval is 0")]
    ZeroInterval,
    /// More accounts than [`MAX_ACCOUNTS`](crate::MAX_ACCOUNTS).
    #[error("{got} accounts asked for, at most {max} are derived")]
    TooManyAccounts {
        /// What was asked for.
        got: u32,
        /// The most there can be.
        max: u32,
    },
    /// Without any state kept there is no head.
    #[error("the history is 0 blocks, at least 1 is needed")]
    NoHistory,
    /// No set of rules has that name.
    #[error("there is no hard fork named {0}")]
    UnknownHardfork(String),
    /// A reorganisation deeper than the chain, or than its kept states.
    #[error("cannot drop {depth} blocks, at most {max}")]
    ReorgTooDeep {
        /// What was asked for.
        depth: u64,
        /// How many blocks can be dropped now.
        max: u64,
    },
    /// A new branch is one block longer than what it replaces.
    #[error("there is no new block {got}: they are numbered from 0 to {last}")]
    NoSuchNewBlock {
        /// What was asked for.
        got: u64,
        /// The place of the last.
        last: u64,
    },
    /// A transaction is not possible where a reorganisation should put it.
    #[error("transaction {hash} cannot be in the new block {number}: {why}")]
    NotInBranch {
        /// The transaction.
        hash: B256,
        /// The number of the block.
        number: u64,
        /// What the rules say.
        why: String,
    },
    /// A transaction could not be read.
    #[error("transaction {index} cannot be read: {why}")]
    NoTransaction {
        /// Its place among those given.
        index: usize,
        /// What is wrong.
        why: String,
    },
    /// The state file could not be read or written.
    #[error("cannot use the state file {path}")]
    StateFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another chain writes into the state file.
    #[error("the state file {path} is in use by another chain")]
    StateInUse {
        /// The file.
        path: PathBuf,
    },
    /// The state file is there, but not one that this chain can go on from.
    #[error("the state file {path} cannot be used: {why}; it was left as it is")]
    StateRefused {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Time does not run backwards.
    #[error("timestamp {got} is not after the head's, which is {head}")]
    TimestampNotAfterHead {
        /// What was asked for.
        got: u64,
        /// The timestamp of the head.
        head: u64,
    },
    /// The clock would come to its end.
    #[error("timestamp {got} is later than {max}")]
    TimestampTooLate {
        /// What was asked for.
        got: u64,
        /// The last that can be set.
        max: u64,
    },
}

/// Why the pool does not take a transaction; the words are those of geth, which clients look for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("already known")]
    AlreadyKnown,
    #[error("transaction type not supported")]
    TypeNotSupported,
    #[error("invalid chain id for signer: have {got} want {expected}")]
    WrongChainId { got: u64, expected: u64 },
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    NotReplayProtected,
    #[error("invalid sender: {0}")]
    InvalidSender(String),
    #[error("nonce too low: next nonce {expected}, tx nonce {got}")]
    NonceTooLow { got: u64, expected: u64 },
    #[error("nonce too high: next nonce {expected}, tx nonce {got}")]
    NonceTooHigh { got: u64, expected: u64 },
    #[error(
        "insufficient funds for gas * price + value: address {address} have {balance} want {cost}"
    )]
    InsufficientFunds { address: Address, balance: U256, cost: U256 },
    #[error("exceeds block gas limit: {got} > {max}")]
    AboveBlockGasLimit { got: u64, max: u64 },
    #[error("transaction gas limit too high (cap: {max}, tx: {got})")]
    AboveTransactionGasCap { got: u64, max: u64 },
    #[error("intrinsic gas too low: gas {got}, minimum needed {needed}")]
    IntrinsicGasTooLow { got: u64, needed: u64 },
    #[error("insufficient gas for floor data gas cost: gas {got}, minimum needed {needed}")]
    FloorGasTooLow { got: u64, needed: u64 },
    #[error(
        "max priority fee per gas higher than max fee per gas: \
         maxPriorityFeePerGas: {tip}, maxFeePerGas: {max}"
    )]
    TipAboveFee { tip: u128, max: u128 },
    #[error("max fee per gas less than block base fee: maxFeePerGas: {got}, baseFee: {base_fee}")]
    FeeBelowBaseFee { got: u128, base_fee: u64 },
    #[error("max initcode size exceeded: code size {got}, limit {max}")]
    InitCodeTooLong { got: usize, max: usize },
    #[error("replacement transaction underpriced")]
    ReplacementUnderpriced,
    #[error("txpool is full")]
    PoolFull,
    #[error("account limit exceeded")]
    SenderFull,
    #[error("{0}")]
    Invalid(String),
}
