//! The command, driven as a person or a program drives it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod bad_input;
mod by_hand;
mod demo;
mod ground;
mod settings;
mod support;
mod usage;
