//! The acceptance scenarios, from outside: processes of the command on a real JSON-RPC chain, each
//! node driven through its HTTP API alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agreements;
mod crashes;
mod deadlines;
mod funding;
mod harness;
mod life;
mod outages;
mod punish;
mod refusals;
mod reorgs;
mod routed;
mod tokens;
