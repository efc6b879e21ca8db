//! Something that moves while a person waits. Nothing where nobody looks.

use indicatif::{ProgressBar, ProgressStyle};
use std::future::Future;
use std::time::Duration;

/// Waits with a spinner on the terminal, if there is one, saying what for.
pub(crate) async fn wait<T>(what: impl Into<String>, work: impl Future<Output = T>) -> T {
    let spinner = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("  {spinner} {msg} {elapsed:>4}")
        .expect("the template is well-formed");
    spinner.set_style(style);
    spinner.set_message(what.into());
    spinner.enable_steady_tick(Duration::from_millis(80));
    let ended = work.await;
    spinner.finish_and_clear();
    ended
}
