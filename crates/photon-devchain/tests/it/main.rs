//! The chain as its clients see it: everything goes through alloy, or as raw JSON, over sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod control;
mod hardforks;
mod logs;
mod mining;
mod protocol;
mod support;
mod transactions;
