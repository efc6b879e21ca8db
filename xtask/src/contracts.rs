//! The contract: its artefacts, which are checked in, and its tests.
//!
//! A plain `cargo build` uses the artefacts as they are and needs no compiler of Solidity.

use anyhow::Result;

use crate::{gas, setup, shell};

/// Compiles the sources and rewrites the artefacts and the report of gas.
pub(crate) fn compile() -> Result<()> {
    setup::run()?;
    shell::run(setup::npm().args(["run", "--silent", "compile"]))?;
    gas::report(false)
}

/// Compares the artefacts with what the sources compile to, then runs the contract's own tests, on
/// both levels of the EVM, and compares the report of gas with what they measure.
pub(crate) fn check() -> Result<()> {
    setup::run()?;
    shell::run(setup::npm().args(["run", "--silent", "check"]))?;
    shell::run(setup::npm().args(["--silent", "test"]))?;
    gas::test_on_spectrum()?;
    gas::report(true)
}
