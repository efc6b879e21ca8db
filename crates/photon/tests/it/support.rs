//! Running the command.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The command, without whatever this machine's environment says of it.
pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_photon"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PHOTON_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Ended {
    Ended::from(command(arguments).output().expect("the command starts"))
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Ended {
    /// The standard output of what must succeed.
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// The value behind a name, in a list of facts.
    pub(crate) fn fact(&self, name: &str) -> String {
        fact(&self.out, name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// The value behind a name, in a list of facts.
pub(crate) fn fact(text: &str, name: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.starts_with(' ').then(|| value.trim().to_owned())
}

/// Something that runs until it is stopped.
pub(crate) struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    /// What it has said so far.
    pub(crate) said: String,
}

impl Running {
    /// Starts it and waits until its output has a line with that in it.
    pub(crate) fn start(arguments: &[&str], ready: &str) -> Self {
        let mut command = command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the command starts");
        let out = child.stdout.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut running = Self { child, lines, said: String::new() };
        running.wait_for(ready);
        running
    }

    /// Reads on until there is such a line.
    pub(crate) fn wait_for(&mut self, words: &str) {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no `{words}` in:\n{}", self.said));
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(words) {
                return;
            }
        }
    }

    /// Reads what is there already.
    pub(crate) fn fact(&self, name: &str) -> String {
        fact(&self.said, name).unwrap_or_else(|| panic!("no {name} in {}", self.said))
    }

    /// Asks it to end as a terminal does with Ctrl-C, and waits; answers the exit code.
    pub(crate) fn interrupt(&mut self) -> i32 {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().expect("kill is there");
        assert!(sent.success());
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Has it ended already, there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}
