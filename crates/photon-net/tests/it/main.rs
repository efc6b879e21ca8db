//! Real nodes over real sockets on loopback.

#![allow(missing_docs, reason = "a test")]

mod common;
mod hostile;
mod raw;
mod session;
mod strangers;
