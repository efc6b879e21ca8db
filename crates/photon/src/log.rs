//! What the parts of a node tell those who look for a fault, on the standard error.

use crate::failure::Failure;
use tracing_subscriber::EnvFilter;

/// The variable that says what is logged.
pub(crate) const VARIABLE: &str = "PHOTON_LOG";

/// What is logged where nobody says: ours, and of the libraries only what is wrong.
pub(crate) const USUAL: &str = "info,fjall=warn,lsm_tree=warn,libp2p_swarm=warn";

/// Starts it; `filter` is as `info` or `photon_node=debug`.
pub(crate) fn start(filter: &str, json: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Failure::usage(format!("the filter of the log: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let colours = console::colors_enabled_stderr();
    let started = if json { log.json().try_init() } else { log.with_ansi(colours).try_init() };
    started.map_err(|error| anyhow::anyhow!("the log does not start: {error}"))
}
