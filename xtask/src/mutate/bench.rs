//! Where mutants are tried: a copy of the contract, compiled with its tests once.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::shell;

/// A mutant may loop for ever.
const PATIENCE: Duration = Duration::from_secs(90);

/// Tests that measure gas of optimized code, which all mutants fail: a contract and a single test.
const NOT_HERE: &str = "GasTest";
const NOT_HERE_ALONE: &str = "for_a_tenth_of_the_gas";

/// The stateful campaigns, which are slow: only what the others let live meets them.
const CAMPAIGNS: &str = "Invariant";

/// How results name what became of a mutant.
pub(crate) const STILLBORN: &str = "stillborn";
pub(crate) const SAME: &str = "same";
pub(crate) const KILLED: &str = "killed";
pub(crate) const SURVIVED: &str = "survived";

/// What became of a mutant.
pub(crate) enum Verdict {
    /// It does not compile.
    Stillborn,
    /// It compiles to the same code.
    Same,
    /// The first test that failed, or what else stopped it.
    Killed(String),
    Survived,
}

impl Verdict {
    pub(crate) fn state(&self) -> &'static str {
        match self {
            Self::Stillborn => STILLBORN,
            Self::Same => SAME,
            Self::Killed(_) => KILLED,
            Self::Survived => SURVIVED,
        }
    }

    /// What stopped it, or nothing.
    pub(crate) fn by(&self) -> &str {
        match self {
            Self::Killed(by) => by,
            Self::Stillborn | Self::Same | Self::Survived => "",
        }
    }
}

/// Where everything of mutation testing lies.
pub(crate) fn folder() -> PathBuf {
    shell::root().join("target").join("mutation")
}

/// Copies the contract and what its tests read, from the working tree or from a commit.
///
/// Returns the copy of the folder contracts.
pub(crate) fn copy(commit: Option<&str>) -> Result<PathBuf> {
    let (root, to) = (shell::root(), folder());
    let contracts = to.join("contracts");
    let parts = ["contracts", "crates/photon-wire/tests/vectors"];
    fs::create_dir_all(&to).with_context(|| format!("cannot make {}", to.display()))?;
    for folder in ["src", "test", "test-tokens", "scripts"] {
        let old = contracts.join(folder);
        if old.exists() {
            fs::remove_dir_all(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    let archive = to.join("sources.tar");
    let mut pack = if let Some(commit) = commit {
        let mut git = Command::new("git");
        git.current_dir(&root).args(["archive", "--output"]).arg(&archive).arg(commit).args(parts);
        git
    } else {
        let mut tar = Command::new("tar");
        tar.current_dir(&root).arg("--create").arg("--file").arg(&archive);
        let left_out = ["node_modules", "contracts/out", "contracts/cache"];
        tar.args(left_out.map(|path| format!("--exclude={path}"))).args(parts);
        tar
    };
    shell::run(&mut pack)?;
    shell::run(Command::new("tar").current_dir(&to).arg("--extract").arg("--file").arg(&archive))?;
    let modules = contracts.join("node_modules");
    if !modules.exists() {
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.join("contracts/node_modules"), &modules)
            .context("cannot link contracts/node_modules into the copy")?;
    }
    Ok(contracts)
}

/// The copy, with its tests compiled and a warm compiler for mutants.
pub(crate) struct Bench {
    contracts: PathBuf,
    compiler: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Bench {
    /// Compiles everything once, and sees all tests pass without any mutant.
    pub(crate) fn start(contracts: &Path) -> Result<Self> {
        println!("compiling the tests once");
        shell::run(forge(contracts).args(["build", "--quiet"]))?;
        let mut compiler = Command::new("node")
            .arg(shell::root().join("contracts/mutation/compile.js"))
            .arg(contracts)
            .arg(contracts.join("out"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the compiler of mutants")?;
        let requests = compiler.stdin.take().context("the compiler has no input")?;
        let answers = BufReader::new(compiler.stdout.take().context("the compiler has no output")?);
        let mut bench = Self { contracts: contracts.to_path_buf(), compiler, requests, answers };
        let itself = bench.compile(&json!({}))?;
        ensure!(matches!(itself, Compiled::Anew), "the contract itself does not compile");
        if let Some(by) = bench.first_failure()? {
            bail!("without any mutant {by} fails: mend that first");
        }
        Ok(bench)
    }

    /// Tries the contract with one file's text replaced.
    pub(crate) fn try_mutant(&mut self, file: &str, text: &str) -> Result<Verdict> {
        Ok(match self.compile(&json!({ "file": file, "text": text }))? {
            Compiled::Not => Verdict::Stillborn,
            Compiled::ToTheSame => Verdict::Same,
            Compiled::Anew => self.first_failure()?.map_or(Verdict::Survived, Verdict::Killed),
        })
    }

    fn first_failure(&self) -> Result<Option<String>> {
        let slow = format!("{NOT_HERE}|{CAMPAIGNS}");
        let quick = ["--no-match-contract", &slow, "--no-match-test", NOT_HERE_ALONE];
        if let Some(by) = first_failure(&self.contracts, &quick)? {
            return Ok(Some(by));
        }
        first_failure(&self.contracts, &["--match-contract", CAMPAIGNS])
    }

    fn compile(&mut self, request: &Value) -> Result<Compiled> {
        writeln!(self.requests, "{request}").context("the compiler of mutants is gone")?;
        let mut line = String::new();
        self.answers.read_line(&mut line).context("the compiler of mutants is gone")?;
        let answer: Value = serde_json::from_str(&line)
            .with_context(|| format!("the compiler of mutants answered {line:?}"))?;
        Ok(if answer.get("error").is_some() {
            Compiled::Not
        } else if answer.get("same").is_some() {
            Compiled::ToTheSame
        } else {
            Compiled::Anew
        })
    }
}

/// What the compiler of mutants says.
enum Compiled {
    Not,
    ToTheSame,
    Anew,
}

impl Drop for Bench {
    fn drop(&mut self) {
        // It ends by itself when its input does; this is for one that hangs.
        let _ = self.compiler.kill();
        let _ = self.compiler.wait();
    }
}

fn forge(contracts: &Path) -> Command {
    let mut forge = Command::new(shell::root().join("target/tools/forge"));
    forge.current_dir(contracts);
    // Tests deploy what is in the artefacts, where each mutant is put.
    forge.env("FOUNDRY_DYNAMIC_TEST_LINKING", "true");
    forge.env("FOUNDRY_OPTIMIZER", "false");
    forge.env("FOUNDRY_CODE_SIZE_LIMIT", "1000000");
    forge.env("FOUNDRY_FUZZ_RUNS", "32");
    forge.env("FOUNDRY_INVARIANT_RUNS", "8");
    // One failure is enough; which calls it needs at least is not asked here.
    forge.env("FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT", "0");
    forge.env("FOUNDRY_GAS_LIMIT", "100000000000");
    forge
}

/// The name of the first test that fails, or nothing.
fn first_failure(contracts: &Path, filter: &[&str]) -> Result<Option<String>> {
    let mut command = forge(contracts);
    command.args(["test", "--fail-fast"]).args(filter);
    let log = folder().join("forge.log");
    let file = fs::File::create(&log).context("cannot make target/mutation/forge.log")?;
    let errors = file.try_clone().context("cannot share target/mutation/forge.log")?;
    command.stdout(file).stderr(errors);
    let mut child = command.spawn().context("cannot start forge")?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().context("cannot wait for forge")? {
            break status;
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return Ok(Some("endless running".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    if status.success() {
        return Ok(None);
    }
    let text = fs::read_to_string(&log).context("cannot read target/mutation/forge.log")?;
    let failed = text.lines().find(|line| line.starts_with("[FAIL"));
    let Some(failed) = failed else { bail!("forge failed, but no test did:\n{text}") };
    let name = failed.split("] ").nth(1).and_then(|rest| rest.split('(').next());
    Ok(Some(name.unwrap_or(failed).trim().to_owned()))
}
