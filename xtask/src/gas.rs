//! The report of what calls of the contract cost: docs/gas.md, written from what the contract's
//! tests measure, beside what others need and what we wanted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};

use crate::{setup, shell};

/// A hard fork whose rules a run of the tests follows, with its chain id.
struct Level {
    hardfork: &'static str,
    chain_id: &'static str,
}

const ETHEREUM: Level = Level { hardfork: "osaka", chain_id: "1" };
const SPECTRUM: Level = Level { hardfork: "istanbul", chain_id: "20180430" };

/// Gas by what was done.
type Measured = BTreeMap<String, u64>;

/// What others need for what one of our tests measures, as they were measured for the study, and
/// what we wanted, in thousands; `-` where there is nothing like it.
struct Row {
    name: &'static str,
    photon_go: &'static str,
    raiden: &'static str,
    prototype: &'static str,
    goal: Option<u64>,
}

const fn row(
    name: &'static str,
    photon_go: &'static str,
    raiden: &'static str,
    prototype: &'static str,
    goal: u64,
) -> Row {
    Row { name, photon_go, raiden, prototype, goal: Some(goal) }
}

const ROWS: [Row; 18] = [
    row("open + deposit", "91.8", "131.4", "65.8", 67_000),
    row("deposit, other side", "68.6", "82.2", "48.0", 49_000),
    row("deposit, top-up", "51.5", "65.1", "48.0", 49_000),
    row("close with proof", "63.7", "138.1", "58.4", 60_000),
    row("update, first", "61.0", "90.9", "55.0", 57_000),
    row("update, delegated", "68.7", "90.9", "60.3", 62_000),
    row("settle after two proofs, no locks", "62.0", "93.3", "52.6", 55_000),
    row("cooperative settle, both paid, by a party", "72.0", "141.9", "54.2", 55_000),
    row("cooperative settle, both paid, by a stranger", "72.0", "141.9", "58.5", 60_000),
    row("withdraw, first", "73.6", "97.7", "50.8", 60_000),
    row("withdraw, again", "73.6", "80.6", "50.8", 60_000),
    row("register 1", "46", "46", "46.6", 47_000),
    row("register 10", "459", "274", "55", 56_000),
    row("register 256", "-", "-", "247", 250_000),
    row("unlock 1 of 1", "67.2", "59.1", "38-97", 60_000),
    row("unlock 10 of 100, adjacent", "752", "489", "78-105", 110_000),
    row("settle five channels of a hub", "310", "467", "147", 150_000),
    row("honest unilateral end", "186", "322", "135", 120_000),
];

const HEAD: &str = "# What calls cost

Written by `cargo xtask contracts` from the contract's own tests (`contracts/test/Gas.t.sol`), and \
compared by `cargo xtask contracts --check`: do not edit. Whole transactions, in a steady state: \
the participants and the contract hold tokens before and after, the allowance is unlimited, the \
token is `contracts/test-tokens/TestToken.sol`.

- *Ethereum*: the rules of hard fork Osaka.
- *Spectrum's level*: the same bytecode under the rules of Istanbul, chain id 20180430. Spectrum \
has Istanbul's opcodes with older prices: a read of storage is cheaper there, calldata is four \
times as dear.
- Photon Go, Raiden and a prototype of ours, in thousands, on Ethereum: measured once with their \
own bytecode.

Why a goal is missed, and what the gas buys: [ADR 0015](adr/0015-gas-spent-on-purpose.md).

";

/// Writes docs/gas.md anew, or with `check` demands that it is what the tests measure.
pub(crate) fn report(check: bool) -> Result<()> {
    let text = text(&measured(&ETHEREUM)?, &measured(&SPECTRUM)?)?;
    let file = shell::root().join("docs/gas.md");
    if !check {
        return fs::write(&file, text).context("cannot write docs/gas.md");
    }
    let stored = fs::read_to_string(&file).context("cannot read docs/gas.md")?;
    ensure!(stored == text, "docs/gas.md is out of date: run cargo xtask contracts");
    Ok(())
}

/// Runs the contract's tests under the rules of Spectrum's level.
pub(crate) fn test_on_spectrum() -> Result<()> {
    let mut command = setup::npm();
    command.env("FOUNDRY_HARDFORK", SPECTRUM.hardfork);
    shell::run(command.args(["--silent", "test", "--", "--chain-id", SPECTRUM.chain_id]))
}

fn measured(level: &Level) -> Result<Measured> {
    let mut command = setup::npm();
    command.env("FOUNDRY_HARDFORK", level.hardfork);
    let arguments = ["--silent", "run", "gas", "--", "--chain-id", level.chain_id];
    parse(&shell::read(command.args(arguments))?)
}

/// Reads what forge prints of the tests' logs: two blanks, what was done, and the gas.
fn parse(output: &str) -> Result<Measured> {
    let mut measured = Measured::new();
    for line in output.lines().filter_map(|line| line.strip_prefix("  ")) {
        if let Some((name, gas)) = line.rsplit_once(": ")
            && let Ok(gas) = gas.parse()
        {
            measured.insert(name.to_owned(), gas);
        }
    }
    ensure!(!measured.is_empty(), "the contract's tests reported no gas");
    Ok(measured)
}

fn text(ethereum: &Measured, spectrum: &Measured) -> Result<String> {
    let mut text = HEAD.to_owned();
    text.push_str(
        "| call | Ethereum | goal | | Spectrum's level | Photon Go | Raiden | prototype |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for row in &ROWS {
        let gas = found(ethereum, row.name)?;
        let (goal, met) = match row.goal {
            Some(goal) if gas <= goal => (thousands(goal), "met"),
            Some(goal) => (thousands(goal), "missed"),
            None => ("-".to_owned(), ""),
        };
        writeln!(
            text,
            "| {} | {gas} | {goal} | {met} | {} | {} | {} | {} |",
            row.name,
            found(spectrum, row.name)?,
            row.photon_go,
            row.raiden,
            row.prototype
        )?;
    }
    text.push_str("\n## Everything else that is measured\n\n");
    text.push_str("| call | Ethereum | Spectrum's level |\n|---|---|---|\n");
    for (name, gas) in ethereum {
        if ROWS.iter().all(|row| row.name != name) {
            writeln!(text, "| {name} | {gas} | {} |", found(spectrum, name)?)?;
        }
    }
    Ok(text)
}

fn found(measured: &Measured, name: &str) -> Result<u64> {
    measured.get(name).copied().with_context(|| format!("no test reported the gas of {name:?}"))
}

fn thousands(gas: u64) -> String {
    format!("{}k", gas / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_logs_are_read_and_no_others() {
        let output =
            "Ran 2 tests\n[PASS] test_gas() (gas: 5)\nLogs:\n  open + deposit: 72013\n  a: b\n";
        let measured = parse(output).unwrap();
        assert_eq!(measured, Measured::from([("open + deposit".to_owned(), 72_013)]));
        assert!(parse("Ran 0 tests\n").is_err());
    }

    #[test]
    fn a_goal_is_met_or_missed_and_what_has_none_comes_below() {
        let mut measured: Measured = ROWS.iter().map(|row| (row.name.to_owned(), 50_000)).collect();
        measured.insert("deposit, top-up".to_owned(), 49_000);
        measured.insert("punish".to_owned(), 7);
        let text = text(&measured, &measured).unwrap();
        assert!(text.contains("| deposit, other side | 50000 | 49k | missed | 50000 |"));
        assert!(text.contains("| deposit, top-up | 49000 | 49k | met | 49000 |"));
        assert!(text.ends_with("| punish | 7 | 7 |\n"));
        measured.remove("register 1");
        assert!(super::text(&measured, &measured).is_err());
    }
}
