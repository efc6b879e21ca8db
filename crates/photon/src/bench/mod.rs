//! `photon bench`: real nodes in processes of their own, paid through as fast as they take it,
//! with the books checked at the end.

mod books;
mod bulk;
mod http;
mod load;
mod node;
mod report;
mod stage;
mod usage;

use crate::failure::Failure;
use crate::progress;
use crate::show;
use crate::signals::interrupted;
use anyhow::Context as _;
use books::Books;
use clap::{Args, ValueEnum};
use load::{Tally, Window};
use report::{Cost, Row};
use stage::Stage;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a row is measured where nothing is said.
const SECONDS: u64 = 3;
/// How long a load runs before it counts.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long idle nodes are left alone before their memory is read.
const IDLE: Duration = Duration::from_secs(3);
/// Callers at once.
const CALLERS: [usize; 3] = [1, 10, 100];
/// Payments that a client of the bulk stream has under way.
const IN_FLIGHT: [usize; 3] = [100, 1_000, 10_000];

/// What is measured, and for how long.
#[derive(Args, Clone, Debug)]
pub(crate) struct BenchArgs {
    /// A few seconds for each row, which is also what holds without it
    #[arg(long, conflicts_with = "seconds")]
    quick: bool,
    /// How long each row is measured
    #[arg(long, value_name = "SECONDS", default_value_t = SECONDS,
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// How often each row is measured; the run with the median rate is shown
    #[arg(long, value_name = "TIMES", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..=99))]
    runs: u64,
    /// Only one way into the node
    #[arg(long, value_name = "PATH")]
    only: Option<Path>,
    /// Only this many mediators: 0, 1 or 2; may be repeated
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(0..=2))]
    mediators: Vec<u64>,
    /// Only this many payments at once instead of the usual steps; may be repeated
    #[arg(long, value_name = "NUMBER",
          value_parser = clap::value_parser!(u64).range(1..=100_000))]
    in_flight: Vec<u64>,
    /// Write the rows to this file as well, as a JSON list
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// A way into the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Path {
    /// One request for each payment
    Http,
    /// The WebSocket of many payments
    Bulk,
}

impl Path {
    /// As programs read it.
    const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Bulk => "bulk",
        }
    }

    /// The usual steps of the load.
    const fn steps(self) -> [usize; 3] {
        match self {
            Self::Http => CALLERS,
            Self::Bulk => IN_FLIGHT,
        }
    }
}

/// One line of what is measured.
#[derive(Clone, Copy, Debug)]
struct Load {
    path: Path,
    mediators: usize,
    in_flight: usize,
}

impl BenchArgs {
    /// What to measure, in its order.
    fn loads(&self) -> anyhow::Result<Vec<Load>> {
        let mut loads = Vec::new();
        for path in [Path::Http, Path::Bulk] {
            if self.only.is_some_and(|only| only != path) {
                continue;
            }
            let asked = self.in_flight.iter().map(|number| usize::try_from(*number));
            let asked = asked.collect::<Result<Vec<_>, _>>()?;
            let steps = if asked.is_empty() { path.steps().to_vec() } else { asked };
            for mediators in 0..3 {
                let wanted = u64::try_from(mediators)?;
                if self.mediators.is_empty() || self.mediators.contains(&wanted) {
                    loads.extend(steps.iter().map(|&in_flight| Load {
                        path,
                        mediators,
                        in_flight,
                    }));
                }
            }
        }
        Ok(loads)
    }
}

/// Runs it; fails where the books are wrong, never because something is slow.
pub(crate) async fn run(arguments: BenchArgs) -> anyhow::Result<()> {
    tokio::select! {
        ended = measure(&arguments) => ended,
        () = interrupted() => Err(Failure::Interrupted.into()),
    }
}

async fn measure(arguments: &BenchArgs) -> anyhow::Result<()> {
    let loads = arguments.loads()?;
    report::title()?;
    let mut stage = progress::wait("chain, contract and four nodes", Stage::build()).await?;
    progress::wait("leaving the nodes alone", tokio::time::sleep(IDLE)).await;
    report::starts(&stage)?;
    let mut books = Books::default();
    progress::wait("first payments", stage.first_payments(&mut books)).await?;
    report::header()?;
    let mut rows = Vec::new();
    for load in loads {
        let row = median(&stage, arguments, load, &mut books).await?;
        report::row(&row)?;
        rows.push(row);
    }
    report::costs(&rows)?;
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&rows).context("rows are JSON")?;
        std::fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    progress::wait("checking the books", books.check(&stage)).await?;
    let again = progress::wait("a start with all of that history", stage.restart_payer()).await?;
    progress::wait("checking the books again", books.check_again(&stage)).await?;
    show::line(format_args!(
        "Killed and started again with {} payments of history: A answers after {}.",
        show::grouped(books.paid()),
        show::duration(again)
    ))?;
    show::line(format_args!(
        "The books are right: {} payments of 1 each, to the last unit, on both sides of every \
         channel and in the contract, also after the kill.",
        show::grouped(books.paid())
    ))
}

/// The run whose rate is the median.
async fn median(
    stage: &Stage,
    arguments: &BenchArgs,
    load: Load,
    books: &mut Books,
) -> anyhow::Result<Row> {
    let mut rows = Vec::new();
    for _ in 0..arguments.runs {
        let what = format!(
            "{}, {}, {} at once",
            load.path.name(),
            report::route(load.mediators),
            show::grouped(u64::try_from(load.in_flight)?)
        );
        let length = Duration::from_secs(arguments.seconds);
        rows.push(progress::wait(what, once(stage, length, load, books)).await?);
    }
    rows.sort_by(|a, b| a.payments_per_s.total_cmp(&b.payments_per_s));
    let middle = rows.len() / 2;
    rows.into_iter().nth(middle).context("a row is measured at least once")
}

/// One run of one load.
async fn once(
    stage: &Stage,
    length: Duration,
    load: Load,
    books: &mut Books,
) -> anyhow::Result<Row> {
    let before = Cost::read(stage).await?;
    let from = Instant::now() + WARM_UP;
    let window = Window { from, until: from + length };
    let payer = stage.payer();
    let payee = stage.payee(load.mediators)?;
    let tally: Tally = match load.path {
        Path::Http => http::pay(payer, payee, stage.token, load.in_flight, window).await?,
        Path::Bulk => bulk::pay(payer, payee, stage.token, load.in_flight, window).await?,
    };
    // What the other nodes still have to do for these payments belongs to them too.
    stage.quiet().await?;
    let tally = tally.resolve(payer).await?;
    books.note(load.mediators, tally.paid);
    let cost = Cost::read(stage).await?.since(&before);
    Ok(Row::new(load, length, tally, &cost))
}
