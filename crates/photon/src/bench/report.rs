//! What is shown, and what is written for programs.

use super::Load;
use super::load::Tally;
use super::stage::Stage;
use super::usage::{Memory, Usage};
use crate::show;
use photon_node::api::types::NodeStatus;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The name under which the driver's own use is told.
const DRIVER: &str = "driver";

/// One measured line.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// `http` or `bulk`.
    path: &'static str,
    mediators: usize,
    /// Channels side by side over which the payments of one hop are spread.
    channels: usize,
    in_flight: usize,
    seconds: f64,
    /// Answered as paid within those seconds.
    payments: usize,
    pub(super) payments_per_s: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    failed: u64,
    failures: BTreeMap<String, u64>,
    /// By node, and of the driver.
    cpu_us_per_payment: BTreeMap<&'static str, f64>,
    written_bytes_per_payment: BTreeMap<&'static str, f64>,
    /// By node; each commit is one sync.
    payments_per_commit: BTreeMap<&'static str, f64>,
    /// After the row.
    memory_kib: BTreeMap<&'static str, u64>,
}

/// What everybody has used.
#[derive(Clone, Debug, Default)]
pub(super) struct Cost {
    usage: BTreeMap<&'static str, Usage>,
    commits: BTreeMap<&'static str, u64>,
    memory: BTreeMap<&'static str, Memory>,
}

impl Cost {
    /// Until now.
    pub(super) async fn read(stage: &Stage) -> anyhow::Result<Self> {
        let mut cost = Self::default();
        for node in &stage.nodes {
            let status: NodeStatus = node.get("/node").await?;
            let commits = status.counters.0.get("commits").copied().unwrap_or_default();
            cost.commits.insert(node.name, commits);
            cost.usage.insert(node.name, Usage::of(&node.process().to_string()));
            cost.memory.insert(node.name, Memory::of(node.process()));
        }
        cost.usage.insert(DRIVER, Usage::of("self"));
        Ok(cost)
    }

    /// What was used since then.
    pub(super) fn since(&self, before: &Self) -> Self {
        let usage = |name: &&'static str| before.usage.get(name).copied().unwrap_or_default();
        let commits = |name: &&'static str| before.commits.get(name).copied().unwrap_or_default();
        Self {
            usage: self.usage.iter().map(|(name, it)| (*name, it.since(&usage(name)))).collect(),
            commits: self
                .commits
                .iter()
                .map(|(name, count)| (*name, count.saturating_sub(commits(name))))
                .collect(),
            memory: self.memory.clone(),
        }
    }
}

impl Row {
    /// Of one run.
    pub(super) fn new(load: Load, length: Duration, mut tally: Tally, cost: &Cost) -> Self {
        let latencies = tally.latencies();
        let payments = latencies.count();
        let share = |thousandths| rounded(latencies.share(thousandths).as_secs_f64() * 1_000.0);
        let failed: u64 = tally.failed.values().sum();
        // What was used covers the load from its beginning to its end.
        let all = (tally.paid + failed).max(1) as f64;
        let each = |value: f64| rounded(value / all);
        let micros = |usage: &Usage| each(usage.processor.as_secs_f64() * 1_000_000.0);
        Self {
            path: load.path.name(),
            mediators: load.mediators,
            channels: 1,
            in_flight: load.in_flight,
            seconds: length.as_secs_f64(),
            payments,
            payments_per_s: rounded(payments as f64 / length.as_secs_f64()),
            p50_ms: share(500),
            p90_ms: share(900),
            p99_ms: share(990),
            max_ms: share(1_000),
            failed,
            failures: tally.failed,
            cpu_us_per_payment: cost.usage.iter().map(|(name, it)| (*name, micros(it))).collect(),
            written_bytes_per_payment: cost
                .usage
                .iter()
                .filter(|(name, _)| **name != DRIVER)
                .map(|(name, it)| (*name, each(it.written as f64)))
                .collect(),
            payments_per_commit: cost
                .commits
                .iter()
                .filter(|(_, count)| **count > 0)
                .map(|(name, count)| (*name, rounded(all / *count as f64)))
                .collect(),
            memory_kib: cost.memory.iter().map(|(name, it)| (*name, it.now)).collect(),
        }
    }
}

/// To thousandths: more digits would be noise.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// How a route is called.
pub(super) const fn route(mediators: usize) -> &'static str {
    match mediators {
        0 => "direct",
        1 => "one mediator",
        _ => "two mediators",
    }
}

/// Says what is measured and under which conditions.
pub(super) fn title() -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    show::line(format_args!(
        "Four nodes in a line, A-B-C-D, each a process of its own, with real sockets and real \
         disks;\nA pays. The nodes, the chain and this driver share the {cores} cores of this \
         machine, so the\ndriver's own work is in every figure."
    ))?;
    if cfg!(debug_assertions) {
        show::line("This program was built without optimisation: its figures mean nothing.")?;
    }
    Ok(())
}

/// What idle nodes need.
pub(super) fn starts(stage: &Stage) -> anyhow::Result<()> {
    show::line("")?;
    let rows = stage.nodes.iter().map(|node| {
        let memory = Memory::of(node.process());
        [
            node.name.to_owned(),
            show::duration(node.started_in),
            show::mebibytes(memory.now << 10),
            show::mebibytes(memory.most << 10),
        ]
    });
    show::table(["node", "start to first answer", "idle memory", "most so far"], &[1, 2, 3], rows)
}

/// The head of the rows, which are shown as they come.
pub(super) fn header() -> anyhow::Result<()> {
    show::line(format_args!(
        "\n{:<5} {:<14} {:>9} {:>11} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "PATH",
        "ROUTE",
        "IN FLIGHT",
        "PAYMENTS/S",
        "P50 MS",
        "P90 MS",
        "P99 MS",
        "MAX MS",
        "FAILED"
    ))
}

/// One row.
pub(super) fn row(row: &Row) -> anyhow::Result<()> {
    show::line(format_args!(
        "{:<5} {:<14} {:>9} {:>11.0} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>8}",
        row.path,
        route(row.mediators),
        row.in_flight,
        row.payments_per_s,
        row.p50_ms,
        row.p90_ms,
        row.p99_ms,
        row.max_ms,
        row.failed
    ))?;
    let mut failures = row.failures.iter();
    failures.try_for_each(|(code, count)| show::line(format_args!("      {count} × {code}")))
}

/// What the payments of each row cost.
pub(super) fn costs(rows: &[Row]) -> anyhow::Result<()> {
    show::line(
        "\nFor each payment: microseconds of processor in A B C D and in the driver, and bytes \
         that A B C D\nwrote. Then how many payments shared a commit of A's, which is one sync.",
    )?;
    let text = |row: &Row| {
        let list = |values: &BTreeMap<&'static str, f64>| {
            let texts = values.iter().filter(|(name, _)| **name != DRIVER);
            texts.map(|(_, value)| format!("{value:.0}")).collect::<Vec<_>>().join(" ")
        };
        let driver = row.cpu_us_per_payment.get(DRIVER).copied().unwrap_or_default();
        let batch = row.payments_per_commit.get("A").copied().unwrap_or_default();
        [
            row.path.to_owned(),
            route(row.mediators).to_owned(),
            row.in_flight.to_string(),
            list(&row.cpu_us_per_payment),
            format!("{driver:.0}"),
            list(&row.written_bytes_per_payment),
            format!("{batch:.1}"),
            show::mebibytes(row.memory_kib.values().copied().max().unwrap_or_default() << 10),
        ]
    };
    let header = [
        "path",
        "route",
        "in flight",
        "cpu nodes",
        "cpu driver",
        "bytes",
        "a commit",
        "largest node",
    ];
    show::table(header, &[2, 3, 4, 5, 6, 7], rows.iter().map(text))?;
    show::line("")
}
