//! The voice of the demonstration: numbered steps, what happened in each, how long it took.

use super::ledger::Entry;
use crate::progress;
use crate::show;
use console::style;
use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};

/// Tells the story on the terminal.
pub(super) struct Teller {
    begun: Instant,
    step: u32,
    step_begun: Instant,
}

impl Teller {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { begun: now, step: 0, step_begun: now }
    }

    pub(super) fn title(&self) -> anyhow::Result<()> {
        show::line(format_args!("\n  {}", style("Photon demo").bold()))?;
        show::line(
            "  A chain, a contract, a token and three nodes: all in this process, talking over",
        )?;
        show::line(
            "  real sockets on this machine. No network is used; the tokens are worth nothing.",
        )
    }

    /// Begins a step.
    pub(super) fn step(&mut self, title: impl Display) -> anyhow::Result<()> {
        self.step = self.step.saturating_add(1);
        self.step_begun = Instant::now();
        let number = format!("{:>2}", self.step);
        show::line(format_args!("\n  {}  {}", style(number).cyan().bold(), style(title).bold()))
    }

    /// Says something of the step.
    pub(super) fn say(&self, text: impl Display) -> anyhow::Result<()> {
        show::line(format_args!("      {text}"))
    }

    /// Ends a step: how long it took.
    pub(super) fn done(&self) -> anyhow::Result<()> {
        let took = format!("took {}", show::duration(self.step_begun.elapsed()));
        self.say(style(took).dim())
    }

    /// Waits with something that moves.
    pub(super) async fn wait<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        progress::wait(format!("    {what}"), work).await
    }

    /// Shows transactions, one a line.
    pub(super) fn transactions(&self, entries: &[Entry]) -> anyhow::Result<()> {
        for entry in entries {
            let gas = format!("{:>9} gas", show::grouped(entry.gas));
            let what =
                if entry.succeeded { entry.what } else { "the other was quicker, nothing happens" };
            self.say(format_args!(
                "{} {}  block {:<2} {gas}  {:<8} {what}",
                style("tx").dim(),
                show::short_hash(&entry.hash),
                entry.block,
                entry.from,
            ))?;
        }
        Ok(())
    }

    /// Since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}
