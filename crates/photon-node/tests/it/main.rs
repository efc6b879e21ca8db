//! The node from outside: configuration, garbage from peers, and whole stories of several nodes in
//! one process on an embedded chain.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod busy;
mod configuration;
mod hostile;
mod restart;
mod story;
mod town;
