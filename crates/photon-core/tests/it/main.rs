//! Stories of the core: several machines, a chain of words only, and every message in view.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a story looks for one thing")]

mod attack;
mod chain;
mod direct;
mod dispute;
mod hold;
mod punish;
mod random;
mod reorganised;
mod restart;
mod routed;
mod settle;
mod withdraw;
mod world;
