//! Everything that must hold before a change is taken, in the order in which it fails soonest.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::shell::{self, cargo};
use crate::{contracts, mutate, prove, setup, tidy};

/// What a step does.
enum Action {
    /// Another program.
    Program(Command),
    /// A part of this one.
    Part(fn() -> Result<()>),
}

/// One thing that must hold.
struct Step {
    name: &'static str,
    action: Action,
}

/// Runs all steps; stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    let start = Instant::now();
    let steps = steps();
    let count = steps.len();
    let mut times = Vec::new();
    for (index, Step { name, mut action }) in steps.into_iter().enumerate() {
        let shown = match &action {
            Action::Program(command) => shell::shown(command),
            Action::Part(_) => format!("cargo xtask {name}"),
        };
        println!("\n[{}/{count}] {name}: {shown}", index + 1);
        let step_start = Instant::now();
        match &mut action {
            Action::Program(command) => shell::run(command),
            Action::Part(part) => part(),
        }
        .with_context(|| format!("step {}/{count}, {name}, failed", index + 1))?;
        let seconds = step_start.elapsed().as_secs_f64();
        println!("[{}/{count}] {name}: done in {seconds:.1} s", index + 1);
        times.push(format!("{name} {seconds:.1} s"));
    }
    println!("\nall {count} steps passed in {:.1} s", start.elapsed().as_secs_f64());
    println!("{}", times.join(", "));
    Ok(())
}

fn steps() -> Vec<Step> {
    // With the tests that need another program, which `setup` has installed.
    let workspace = [
        "--workspace",
        "--locked",
        "--features",
        "photon-chain/anvil,photon-devchain/clients,photon/anvil",
    ];
    vec![
        program("fmt", cargo().args(["fmt", "--all", "--check"])),
        part("tidy", tidy::run),
        part("setup", setup::run),
        program(
            "clippy",
            cargo().arg("clippy").args(workspace).args(["--all-targets", "--", "-D", "warnings"]),
        ),
        part("contracts --check", contracts::check),
        part("prove", prove::run),
        program("build", cargo().arg("build").args(workspace).arg("--bins")),
        test(workspace),
        program("doc tests", cargo().arg("test").args(workspace).arg("--doc")),
        program(
            "doc",
            cargo().env("RUSTDOCFLAGS", "-D warnings").arg("doc").args(workspace).arg("--no-deps"),
        ),
        part("mutate --sample", mutate::sample),
    ]
}

/// The tests, by cargo-nextest where it is installed (it is quicker), else by cargo itself.
fn test(workspace: [&str; 4]) -> Step {
    if shell::works(cargo().args(["nextest", "--version"])) {
        program("test", cargo().args(["nextest", "run"]).args(workspace))
    } else {
        program("test", cargo().arg("test").args(workspace).args(["--lib", "--bins", "--tests"]))
    }
}

fn program(name: &'static str, command: &mut Command) -> Step {
    // The builder hands out references; an empty command takes the place of the moved one.
    let command = std::mem::replace(command, Command::new(""));
    Step { name, action: Action::Program(command) }
}

fn part(name: &'static str, part: fn() -> Result<()>) -> Step {
    Step { name, action: Action::Part(part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_must_hold_is_left_out() {
        let names: Vec<_> = steps().iter().map(|step| step.name).collect();
        let wanted = "fmt, tidy, setup, clippy, contracts --check, prove, build, \
                      test, doc tests, doc, mutate --sample"
            .to_owned();
        assert_eq!(names.join(", "), wanted);
    }
}
