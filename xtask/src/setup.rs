//! What the contract's compiler and the tests need, at the versions that the package-lock.json and
//! requirements.txt beside them pin.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::shell;

/// The oldest Node.js that runs the compiler and the tests.
const NODE_MIN: u32 = 20;

/// Written into node_modules when an install is whole: the lock file it was made from.
const STAMP: &str = "node_modules/.photon-installed";

/// The same for an environment of Python.
const PYTHON_STAMP: &str = ".photon-installed";

/// Native programs that tests start: npm scope and the names of the programs in it.
const PROGRAMS: [&str; 2] = ["anvil", "forge"];

/// The clients of the embedded chain that its tests run: viem, ethers and cast.
const CLIENTS: &str = "crates/photon-devchain/tests/clients";

/// The libraries that hash and sign typed data beside ours: viem, and eth-account of Python.
const TYPED_DATA: &str = "crates/photon-chain/tests/typed-data";

/// Installs what is missing; quick when nothing is.
///
/// The npm packages go beside what pins them. The native programs among them are linked into
/// target/tools, where tests find them without knowing npm's folders.
pub(crate) fn run() -> Result<()> {
    let root = shell::root();
    let contracts = root.join("contracts");
    let fresh = install(&contracts)?;
    let tools = root.join("target").join("tools");
    fs::create_dir_all(&tools).with_context(|| format!("cannot make {}", tools.display()))?;
    for program in PROGRAMS {
        link(&contracts, &tools, program, fresh)?;
    }
    install(&root.join(CLIENTS))?;
    install(&root.join(TYPED_DATA))?;
    install_python(&root.join(TYPED_DATA), &tools.join("eth-account"))?;
    install_ip()
}

/// Installs what the lock file of a folder pins; true if that was not done yet.
fn install(folder: &Path) -> Result<bool> {
    let lock = folder.join("package-lock.json");
    let wanted =
        fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    if is_installed(folder, &wanted) {
        return Ok(false);
    }
    check_node()?;
    // The packages are whole as they come; what their scripts would fetch is not pinned.
    let mut npm = npm();
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
    shell::run(&mut npm)?;
    fs::write(folder.join(STAMP), &wanted)
        .with_context(|| format!("cannot stamp the packages of {}", folder.display()))?;
    Ok(true)
}

/// Makes a Python environment of its own with what the folder's requirements.txt pins.
fn install_python(folder: &Path, environment: &Path) -> Result<()> {
    let requirements = folder.join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let stamp = environment.join(PYTHON_STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let python = if cfg!(windows) { "python" } else { "python3" };
    shell::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(environment))
        .context("Python 3.10 or newer, with venv, is needed to test signed claims")?;
    let bin = environment.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let mut pip = Command::new(bin.join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--requirement"]).arg(requirements);
    shell::run(&mut pip)?;
    fs::write(&stamp, &wanted).with_context(|| format!("cannot stamp {}", environment.display()))
}

/// One test of local discovery makes a network of its own, with `ip` of iproute2.
fn install_ip() -> Result<()> {
    if !cfg!(target_os = "linux") || shell::works(Command::new("ip").arg("-V")) {
        return Ok(());
    }
    shell::run(Command::new("apt-get").args(["install", "--yes", "iproute2"]))
        .context("the program `ip` (package iproute2) is missing, and installing it failed")
}

/// `npm`, in the folder contracts.
pub(crate) fn npm() -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(shell::root().join("contracts"));
    command
}

fn is_installed(contracts: &Path, wanted: &str) -> bool {
    fs::read_to_string(contracts.join(STAMP)).is_ok_and(|installed| installed == wanted)
}

fn check_node() -> Result<()> {
    let needed = format!(
        "Node.js {NODE_MIN} or newer, with npm, is needed to compile and test the contract \
         (a plain `cargo build` does not need it)"
    );
    let Ok(version) = shell::read(Command::new("node").arg("--version")) else {
        bail!("`node` is not on the PATH: {needed}");
    };
    check_version(version.trim()).with_context(|| needed.clone())?;
    ensure!(shell::works(npm().arg("--version")), "`npm` is not on the PATH: {needed}");
    Ok(())
}

/// Refuses a version of Node.js, as in `v20.20.2`, that is too old.
fn check_version(version: &str) -> Result<()> {
    let major = version.trim_start_matches('v').split('.').next().unwrap_or_default();
    let major: u32 = major.parse().with_context(|| format!("unknown version {version}"))?;
    ensure!(major >= NODE_MIN, "node is {version}, which is too old");
    Ok(())
}

/// Puts the native program of the npm package `@foundry-rs/PROGRAM` for this platform into `tools`;
/// one that is there is replaced only after a `fresh` install.
fn link(contracts: &Path, tools: &Path, program: &str, fresh: bool) -> Result<()> {
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let to = tools.join(&file);
    if to.exists() && !fresh {
        return Ok(());
    }
    let package = format!("{program}-{}", platform());
    let from = contracts.join("node_modules/@foundry-rs").join(package).join("bin").join(&file);
    ensure!(from.exists(), "npm installed no {program} for this platform: no {}", from.display());
    if to.exists() {
        fs::remove_file(&to).with_context(|| format!("cannot replace {}", to.display()))?;
    }
    if fs::hard_link(&from, &to).is_err() {
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    println!("{program} is in {}", to.display());
    Ok(())
}

/// This platform's name in npm's packages, as in `linux-amd64`.
fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}-{processor}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_refused() {
        assert!(check_version("v20.20.2").is_ok());
        assert!(check_version("v22.0.0").is_ok());
        assert!(check_version("v18.19.1").is_err());
        assert!(check_version("").is_err());
        assert!(check_version("node").is_err());
    }

    #[test]
    fn an_install_from_another_lock_file_is_not_taken_for_this_one() {
        let folder = std::env::temp_dir().join(format!("photon-setup-{}", std::process::id()));
        fs::create_dir_all(folder.join("node_modules")).expect("the temporary folder is ours");
        assert!(!is_installed(&folder, "new"));
        fs::write(folder.join(STAMP), "old").expect("the temporary folder is ours");
        assert!(!is_installed(&folder, "new"));
        assert!(is_installed(&folder, "old"));
        fs::remove_dir_all(&folder).expect("the temporary folder is ours");
    }
}
