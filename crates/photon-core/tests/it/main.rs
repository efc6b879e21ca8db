//! Stories of the core: several machines, a chain of words only, and every message in view.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod chain;
mod direct;
mod dispute;
mod random;
mod restart;
mod routed;
mod world;
