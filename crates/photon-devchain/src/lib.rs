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
mod saved;
mod server;
mod state;
mod state_file;
mod subscriptions;
mod trie;

pub use config::{Config, Hardfork, MAX_ACCOUNTS, Mining, SPECTRUM_CHAIN_ID, TEST_MNEMONIC};
pub use devchain::{DevChain, SnapshotId};
pub use error::Error;
