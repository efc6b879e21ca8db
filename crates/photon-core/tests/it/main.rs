//! Stories of the core: several machines, a chain of words only, and every message in view.

mod chain;
mod direct;
mod dispute;
mod random;
mod restart;
mod routed;
mod world;
