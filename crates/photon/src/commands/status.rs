//! `photon status`.

use crate::client::{Answer, ApiArgs};
use crate::show;
use clap::Args;
use photon_node::api::types::NodeStatus;

/// Which node.
#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// Show also the totals since the start
    #[arg(long)]
    counters: bool,
    #[command(flatten)]
    api: ApiArgs,
}

/// Shows how it fares.
pub(crate) async fn run(arguments: StatusArgs) -> anyhow::Result<()> {
    let answer: Answer<NodeStatus> = arguments.api.client()?.get("/node").await?;
    if arguments.api.json {
        return show::line(answer.text);
    }
    let node = answer.value;
    let chain = match node.chain_trouble {
        Some(trouble) => format!("not to be relied on: {trouble}"),
        None if node.chain_reachable => "answers".to_owned(),
        None => "does not answer".to_owned(),
    };
    let block = node.block.map_or_else(|| "none yet".to_owned(), |block| block.to_string());
    let mut facts = vec![
        ("account", node.account.to_string()),
        ("version", node.version),
        ("chain", format!("{}, {chain}", node.chain_id)),
        ("contract", node.contract.to_string()),
        ("block", format!("{block}, {} confirmations wanted", node.confirmations)),
        ("started", format!("{} UTC", show::instant(node.started))),
        ("open channels", node.open_channels.to_string()),
        ("peers online", node.online.len().to_string()),
    ];
    if let Some(memory) = node.memory {
        facts.push(("memory", show::mebibytes(memory)));
    }
    facts.extend(node.listen.into_iter().map(|listen| ("listens on", listen)));
    show::facts(&facts)?;
    if arguments.counters {
        show::line("")?;
        let rows = node.counters.0.into_iter().map(|(name, count)| [name, show::grouped(count)]);
        show::table(["total", "since the start"], &[1], rows)?;
    }
    Ok(())
}
