//! The chain as its clients see it: everything goes through alloy, or as raw JSON, over sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
#[cfg(feature = "clients")]
mod clients;
mod control;
mod hardforks;
mod kept;
mod logs;
mod methods;
mod mining;
mod noise;
mod protocol;
mod support;
mod transactions;
mod wallets;
