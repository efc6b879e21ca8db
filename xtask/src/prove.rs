//! The contract's proofs by halmos, each with a broken twin that halmos must refute, and slither.

mod slither;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::{setup, shell};

/// What halmos exits with where it found a counterexample.
const REFUTED: i64 = 1;

/// The contract with one thing wrong, which one property must notice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Twin {
    /// The proof's contract, which is also its file.
    proof: String,
    contract: String,
    property: String,
    /// Where, below contracts, `find` becomes `replace`; it is there exactly once.
    file: String,
    find: String,
    replace: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Twins {
    twin: Vec<Twin>,
}

/// Proves all properties, sees each twin refuted, and runs slither.
pub(crate) fn run() -> Result<()> {
    setup::run()?;
    let start = Instant::now();
    halmos_all()?;
    println!("halmos: {:.0} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    slither::run()?;
    println!("slither: {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn halmos_all() -> Result<()> {
    let halmos = installed("halmos")?;
    let contracts = shell::root().join("contracts");
    let proved = halmos_in(&halmos, &contracts, &["--match-contract", "Proofs$"])?;
    ensure!(!proved.is_empty(), "halmos found no property");
    let unproved: Vec<_> = proved.iter().filter(|(_, code)| **code != 0).collect();
    ensure!(unproved.is_empty(), "halmos did not prove (1 refuted, 2 timeout): {unproved:?}");
    println!("{} properties proved", proved.len());

    let twins: Twins = read_toml(&contracts.join("proofs/twins.toml"))?;
    let with_twin: BTreeSet<_> = twins.twin.iter().map(|twin| twin.property.as_str()).collect();
    for property in proved.keys() {
        ensure!(with_twin.contains(property.as_str()), "{property} has no twin in twins.toml");
    }
    for twin in &twins.twin {
        refute(&halmos, &contracts, twin)?;
    }
    println!("{} broken twins refuted", twins.twin.len());
    Ok(())
}

/// Sees that a property does not hold for its broken twin.
fn refute(halmos: &Path, contracts: &Path, twin: &Twin) -> Result<()> {
    let copy = shell::root().join("target/proofs/twin");
    if copy.exists() {
        fs::remove_dir_all(&copy).with_context(|| format!("cannot remove {}", copy.display()))?;
    }
    for folder in ["src/libraries", "src/interfaces", "proofs/support", "scripts"] {
        copy_files(&contracts.join(folder), &copy.join(folder))?;
    }
    copy_files(&contracts.join("src"), &copy.join("src"))?;
    let proof = format!("{}.sol", twin.proof);
    copy_file(&contracts.join("proofs").join(&proof), &copy.join("proofs").join(&proof))?;
    copy_file(&contracts.join("foundry.toml"), &copy.join("foundry.toml"))?;
    #[cfg(unix)]
    std::os::unix::fs::symlink(contracts.join("node_modules"), copy.join("node_modules"))
        .context("cannot link the compiler into the twin's folder")?;
    let file = copy.join(&twin.file);
    let text = fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
    ensure!(
        text.matches(&twin.find).count() == 1,
        "{} does not have exactly once: {}",
        twin.file,
        twin.find
    );
    fs::write(&file, text.replace(&twin.find, &twin.replace))
        .with_context(|| format!("cannot write {}", file.display()))?;
    let test = format!("^{}\\b", twin.property);
    let filter = ["--contract", &twin.contract, "--match-test", &test, "--early-exit"];
    let found = halmos_in(halmos, &copy, &filter)?;
    let code = found.get(&twin.property).copied();
    ensure!(
        code == Some(REFUTED),
        "{} holds although {} has {}: halmos says {code:?}",
        twin.property,
        twin.file,
        twin.replace
    );
    Ok(())
}

/// Runs halmos and tells what each property ended with.
fn halmos_in(halmos: &Path, folder: &Path, filter: &[&str]) -> Result<BTreeMap<String, i64>> {
    let work = shell::root().join("target/proofs").join(if folder.ends_with("twin") {
        "of-twin"
    } else {
        "of-contract"
    });
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let results = work.join("halmos.json");
    if results.exists() {
        fs::remove_file(&results).context("cannot remove the last results of halmos")?;
    }
    let mut command = Command::new(halmos.join("bin/halmos"));
    command.current_dir(folder).args(filter);
    command.args(["--panic-error-codes", "*", "--loop", "300", "--no-status"]);
    command.args(["--solver-timeout-assertion", "120s", "--forge-build-out"]);
    command.arg(work.join("out")).arg("--json-output").arg(&results);
    command.env("PATH", path_with(&[&halmos.join("bin"), &shell::root().join("target/tools")])?);
    // Only what the proofs need is compiled, and what they deploy is a part of them.
    for (name, value) in [("SRC", "proofs"), ("TEST", "proofs"), ("DYNAMIC_TEST_LINKING", "false")]
    {
        command.env(format!("FOUNDRY_{name}"), value);
    }
    command.env("FOUNDRY_OUT", work.join("out")).env("FOUNDRY_CACHE_PATH", work.join("cache"));
    let output = command.output().context("cannot start halmos")?;
    let said = String::from_utf8_lossy(&output.stdout);
    for line in said.lines().filter(|line| line.contains("check_") && line.contains("[")) {
        println!("{line}");
    }
    let Ok(text) = fs::read_to_string(&results) else {
        bail!("halmos failed:\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    let parsed: Value = serde_json::from_str(&text).context("cannot parse halmos' results")?;
    let contracts = parsed.get("test_results").and_then(Value::as_object);
    let mut found = BTreeMap::new();
    for test in
        contracts.into_iter().flat_map(|all| all.values()).filter_map(Value::as_array).flatten()
    {
        let name = test.get("name").and_then(Value::as_str).unwrap_or_default();
        let code = test.get("exitcode").and_then(Value::as_i64).unwrap_or(-1);
        found.insert(name.split('(').next().unwrap_or_default().to_owned(), code);
    }
    Ok(found)
}

/// The Python environment of a tool, installed from its pinned requirements when it is not there.
fn installed(tool: &str) -> Result<PathBuf> {
    let root = shell::root();
    let folder = root.join("target/tools").join(tool);
    let list = root.join("contracts/proofs").join(format!("{tool}-requirements.txt"));
    let wanted = fs::read_to_string(&list).with_context(|| format!("no {}", list.display()))?;
    let stamp = folder.join("photon-installed");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
        .context("Python 3.10 or newer with venv (package python3-venv) is needed")?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    shell::run(pip.arg(&list))?;
    fs::write(&stamp, &wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(folder)
}

fn path_with(first: &[&Path]) -> Result<std::ffi::OsString> {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let all = first.iter().map(|path| path.to_path_buf()).chain(std::env::split_paths(&old));
    std::env::join_paths(all).context("a folder on the PATH has a colon")
}

fn read_toml<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T> {
    let text = fs::read_to_string(file).with_context(|| format!("no {}", file.display()))?;
    toml::from_str(&text).with_context(|| format!("cannot parse {}", file.display()))
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("no {}", from.display()))? {
        let path = entry.context("cannot read a folder's entry")?.path();
        if path.is_file() {
            copy_file(&path, &to.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}
