//! The contract: its artefacts, which are checked in, and its tests.
//!
//! A plain `cargo build` uses the artefacts as they are and needs no compiler of Solidity.

use anyhow::Result;

use crate::{setup, shell};

/// Compiles the sources and rewrites the artefacts.
pub(crate) fn compile() -> Result<()> {
    setup::run()?;
    shell::run(setup::npm().args(["run", "--silent", "compile"]))
}

/// Compares the artefacts with what the sources compile to, then runs the contract's own tests.
pub(crate) fn check() -> Result<()> {
    setup::run()?;
    shell::run(setup::npm().args(["run", "--silent", "check"]))?;
    shell::run(setup::npm().args(["--silent", "test"]))
}
