//! `photon tokens`.

use crate::client::{Answer, ApiArgs};
use crate::show;
use clap::Args;
use photon_node::api::types::TokenView;

/// Which node.
#[derive(Args, Debug)]
pub(crate) struct TokensArgs {
    #[command(flatten)]
    api: ApiArgs,
}

/// Lists them.
pub(crate) async fn run(arguments: TokensArgs) -> anyhow::Result<()> {
    let answer: Answer<Vec<TokenView>> = arguments.api.client()?.get("/tokens").await?;
    if arguments.api.json {
        return show::line(answer.text);
    }
    if answer.value.is_empty() {
        return show::line("no tokens: no channel is open, and the network file names none");
    }
    let rows = answer.value.into_iter().map(|token| {
        let clean = |it: char| if it.is_control() { '\u{fffd}' } else { it };
        [
            token.token.to_string(),
            token.symbol.unwrap_or_default().chars().map(clean).collect(),
            token.decimals.map(|it| it.to_string()).unwrap_or_default(),
            token.balance.map(|it| it.to_string()).unwrap_or_default(),
        ]
    });
    show::table(["token", "symbol", "decimals", "balance outside channels"], &[2, 3], rows)
}
