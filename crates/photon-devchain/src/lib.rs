#![doc = include_str!("../README.md")]

mod accounts;
mod block;
mod chain;
mod config;
mod devchain;
mod draft;
mod error;
mod events;
mod execute;
mod filters;
mod node;
mod pool;
mod rpc;
mod server;
mod state;
mod subscriptions;

pub use config::{Config, Hardfork, MAX_ACCOUNTS, Mining, TEST_MNEMONIC};
pub use devchain::{DevChain, SnapshotId};
pub use error::Error;
