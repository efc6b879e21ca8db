//! Slither's findings of high and medium impact: each needs its reason.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::{installed, path_with, read_toml};
use crate::shell;

/// A finding of slither that is no fault.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    check: String,
    /// The file, and the function or variable in it.
    place: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Triage {
    #[serde(default)]
    finding: Vec<Finding>,
}

/// Refuses findings of high and medium impact that contracts/proofs/slither.toml does not explain.
pub(super) fn run() -> Result<()> {
    let slither = installed("slither")?;
    let contracts = shell::root().join("contracts");
    let triage: Triage = read_toml(&contracts.join("proofs/slither.toml"))?;
    // Its own folder has a `solc` that would be downloaded: it stays off the PATH.
    let mut command = Command::new(slither.join("bin/slither"));
    command.current_dir(&contracts).args(["src/PhotonNetwork.sol", "--json", "-"]);
    command.arg("--solc").arg(contracts.join("scripts/solc")).arg("--solc-standard-json");
    command.env("PATH", path_with(&[&shell::root().join("target/tools")])?);
    let output = command.output().context("cannot start slither")?;
    let answer: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("slither failed:\n{}", String::from_utf8_lossy(&output.stderr)))?;
    let explained = judge(&answer, &triage)?;
    println!("slither: {explained} findings of high or medium impact, each with its reason");
    Ok(())
}

/// How many findings are explained; refuses others, empty reasons, and reasons for what is no
/// longer found.
fn judge(answer: &Value, triage: &Triage) -> Result<usize> {
    ensure!(
        answer.get("success").and_then(Value::as_bool) == Some(true),
        "slither failed: {answer}"
    );
    let mut unexplained = Vec::new();
    let mut used = BTreeSet::new();
    let found = answer.pointer("/results/detectors").and_then(Value::as_array);
    for finding in found.into_iter().flatten() {
        let text = |name: &str| finding.pointer(name).and_then(Value::as_str).unwrap_or_default();
        if matches!(text("/impact"), "Low" | "Informational" | "Optimization") {
            continue;
        }
        let place = format!(
            "{} {}",
            text("/elements/0/source_mapping/filename_relative"),
            text("/elements/0/name")
        );
        match triage.finding.iter().position(|f| f.check == text("/check") && f.place == place) {
            Some(index) => {
                used.insert(index);
            }
            None => {
                unexplained.push(format!("{} at {place}: {}", text("/check"), text("/description")))
            }
        }
    }
    ensure!(unexplained.is_empty(), "slither finds:\n{}", unexplained.join("\n"));
    for (index, finding) in triage.finding.iter().enumerate() {
        ensure!(!finding.reason.trim().is_empty(), "{} is explained by nothing", finding.place);
        ensure!(
            used.contains(&index),
            "slither no longer finds {} at {}: take it out of contracts/proofs/slither.toml",
            finding.check,
            finding.place
        );
    }
    Ok(used.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(impact: &str) -> Value {
        json!({ "success": true, "results": { "detectors": [{
            "check": "reentrancy-balance",
            "impact": impact,
            "description": "it may be entered again",
            "elements": [{
                "name": "withdraw",
                "source_mapping": { "filename_relative": "src/A.sol" },
            }],
        }] } })
    }

    fn triage(place: &str, reason: &str) -> Triage {
        Triage {
            finding: vec![Finding {
                check: "reentrancy-balance".to_owned(),
                place: place.to_owned(),
                reason: reason.to_owned(),
            }],
        }
    }

    fn refusal(answer: &Value, triage: &Triage) -> String {
        judge(answer, triage).expect_err("it must be refused").to_string()
    }

    #[test]
    fn a_finding_of_high_or_medium_impact_without_an_explanation_is_refused() {
        let nothing = Triage { finding: Vec::new() };
        for impact in ["High", "Medium", "of a new kind"] {
            let refusal = refusal(&answer(impact), &nothing);
            assert!(refusal.contains("reentrancy-balance at src/A.sol withdraw"), "{refusal}");
        }
        assert_eq!(judge(&answer("Low"), &nothing).expect("low impact needs no reason"), 0);
    }

    #[test]
    fn an_explanation_counts_for_its_own_finding_and_needs_words() {
        let explained = judge(&answer("High"), &triage("src/A.sol withdraw", "It can not."));
        assert_eq!(explained.expect("it is explained"), 1);
        let refusal = refusal(&answer("High"), &triage("src/A.sol withdraw", " "));
        assert!(refusal.contains("explained by nothing"), "{refusal}");
    }

    #[test]
    fn an_explanation_of_what_is_no_longer_found_is_refused() {
        let refusal = refusal(&answer("Low"), &triage("src/A.sol withdraw", "It can not."));
        assert!(refusal.contains("no longer finds"), "{refusal}");
    }

    #[test]
    fn a_failed_run_of_slither_is_no_clean_one() {
        let nothing = Triage { finding: Vec::new() };
        refusal(&json!({ "success": false, "results": {} }), &nothing);
        refusal(&json!({}), &nothing);
    }
}
