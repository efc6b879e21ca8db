#![doc = include_str!("../README.md")]

pub mod abi;
mod account;
mod bindings;
mod endpoint;
mod error;
mod fees;
mod follower;
pub mod keystore;
mod mnemonic;
mod network;
mod pauses;
mod pending;
mod revert;
mod sender;
pub mod token;
pub mod typed_data;
mod wallet;
mod witness;

pub use account::Account;
pub use bindings::TokenKind;
pub use endpoint::{Endpoint, Head};
pub use error::{AccountError, ChainError, NetworkFileError, SendError};
pub use follower::{
    AccountInterest, ChainInput, Cursor, Depth, DepthError, FollowerConfig, Interest, follow,
};
pub use mnemonic::Mnemonic;
pub use network::{Difference, Network};
pub use revert::{ContractError, ReceiverError, Revert};
pub use sender::{Done, Intent, Limits, Outcome, Report, Sender, SenderConfig};
pub use wallet::{Deployed, Mined, SentTransaction, Wallet, WalletConfig, estimate};
pub use witness::{Verdict, WitnessConfig, watch};
