//! Real nodes over real sockets on loopback.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test panics where it fails"
)]

mod common;
mod discovery;
mod hostile;
mod raw;
mod session;
mod strangers;
