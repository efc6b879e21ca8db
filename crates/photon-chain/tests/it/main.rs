//! The chain client against a chain in this process.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on has failed"
)]

#[cfg(feature = "anvil")]
mod anvil;
mod calls;
mod faults;
mod fees;
mod follower;
mod hostile;
mod life;
mod networks;
mod proxy;
mod reverts;
mod rollback;
mod sending;
mod stage;
mod tokens;
#[cfg(feature = "anvil")]
mod typed_data;
mod witness;
