//! `photon config`.

use super::node::SettingArgs;
use crate::show;
use clap::Args;
use photon_node::config::Config;

/// Which settings are meant.
#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    settings: SettingArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Shows what a node that is started now would take.
pub(crate) fn run(arguments: &ConfigArgs) -> anyhow::Result<()> {
    let loaded = Config::load(&arguments.settings.options()?)?;
    let explained = loaded.explain();
    if arguments.json {
        return show::json(&explained);
    }
    let rows = explained.into_iter().map(|it| [it.key, it.value, it.source]);
    show::table(["setting", "value", "from"], &[], rows)
}
