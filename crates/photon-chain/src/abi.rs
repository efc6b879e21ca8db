//! The contract's interface in bytes: what a transaction says, what a log says, what deploys.

pub use crate::bindings::{LogError, events, input, network_code, token_code};
