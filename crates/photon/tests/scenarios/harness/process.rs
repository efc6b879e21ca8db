//! A child process that never outlives its test.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Lines of a log that a failed test shows.
const TAIL: usize = 60;

/// A child process; killed when dropped. What it prints goes to a file, and the end of that onto
/// the standard error of a test that fails.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    command: Command,
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(crate) fn spawn(name: &str, mut command: Command, log: PathBuf) -> Self {
        let out = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        command.stdin(Stdio::null()).stderr(out.try_clone().unwrap()).stdout(out);
        let child = started(name, &mut command);
        Self { name: name.to_owned(), command, child, log }
    }

    /// Starts again what has ended, with the same arguments and the same log.
    pub(crate) fn start_again(&mut self) {
        self.kill();
        self.child = started(&self.name, &mut self.command);
    }

    /// Whether it ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kill -9.
    pub(crate) fn kill(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    #[cfg(feature = "anvil")]
    pub(crate) fn terminate(&mut self) {
        self.signal("TERM");
        self.child.wait().unwrap();
    }

    /// Holds it where it is; its connections stay.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let line = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success(), "{line}");
    }

    /// The end of what it printed.
    pub(crate) fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

fn started(name: &str, command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"))
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the end of the log of {}:\n{}\n---", self.name, self.tail());
        }
    }
}
