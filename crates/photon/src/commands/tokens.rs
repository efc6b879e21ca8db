//! `photon tokens`.

use super::amount;
use crate::client::{Answer, ApiArgs};
use crate::progress;
use crate::show;
use clap::{Args, Subcommand};
use photon_node::api::types::{Decimal, ExaminationView, TokenView};

/// Which node, and what of it.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct TokensArgs {
    #[command(subcommand)]
    command: Option<TokensCommand>,
    #[command(flatten)]
    api: ApiArgs,
}

/// What can be done with one.
#[derive(Subcommand, Debug)]
pub(crate) enum TokensCommand {
    /// Show what is odd about a token, how it can be deposited, and for how much gas
    Examine {
        /// The token: its address or its symbol
        token: String,
        /// How much would be deposited, in base units
        #[arg(long, value_parser = amount, default_value = "1")]
        amount: Decimal,
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Does it.
pub(crate) async fn run(arguments: TokensArgs) -> anyhow::Result<()> {
    match arguments.command {
        Some(TokensCommand::Examine { token, amount, api }) => examine(&api, &token, amount).await,
        None => list(&arguments.api).await,
    }
}

/// Somebody else's words, without what would steer the terminal.
fn clean(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect()
}

async fn examine(api: &ApiArgs, token: &str, amount: Decimal) -> anyhow::Result<()> {
    let client = api.client()?;
    let token = client.token(token).await?.token;
    let path = format!("/tokens/{token}/examination?amount={amount}");
    let asking = client.get(&path);
    let answer: Answer<ExaminationView> = progress::wait("asking the chain", asking).await?;
    if api.json {
        return show::line(answer.text);
    }
    let found = answer.value;
    let arrives = match found.arrives {
        Some(arrives) => format!("{} sent, {arrives} would arrive", found.amount),
        None => format!("{} sent; the endpoint cannot tell what would arrive", found.amount),
    };
    let gasless = if found.gasless.is_empty() {
        "in no way".to_owned()
    } else {
        format!("by a signature: {}", found.gasless.join(", "))
    };
    show::facts(&[
        ("token", found.token.to_string()),
        ("symbol", clean(&found.symbol.unwrap_or_default())),
        ("decimals", found.decimals.to_string()),
        ("balance", found.balance.to_string()),
        ("deposit", arrives),
        ("without coins", gasless),
        ("gas price", format!("{} wei; the account has {} wei", found.gas_price, found.coins)),
    ])?;
    for oddity in &found.oddities {
        let grave = if oddity.fatal { "refused" } else { "note" };
        show::line(format_args!("\n{grave}: {} ({})", clean(&oddity.detail), oddity.code))?;
    }
    if found.ways.is_empty() {
        return show::line("\nno way to deposit it now");
    }
    show::line("")?;
    let rows = found.ways.iter().map(|offer| {
        [
            offer.way.0.to_string(),
            offer.transactions.to_string(),
            show::grouped(offer.gas),
            offer.fee.to_string(),
            offer.arrives.map_or_else(|| "?".to_owned(), |arrives| arrives.to_string()),
        ]
    });
    show::table(["way", "transactions", "gas", "wei", "arrives"], &[1, 2, 3, 4], rows)
}

async fn list(api: &ApiArgs) -> anyhow::Result<()> {
    let answer: Answer<Vec<TokenView>> = api.client()?.get("/tokens").await?;
    if api.json {
        return show::line(answer.text);
    }
    if answer.value.is_empty() {
        return show::line("no tokens: no channel is open, and the network file names none");
    }
    let rows = answer.value.into_iter().map(|token| {
        [
            token.token.to_string(),
            token.name.unwrap_or_default(),
            clean(&token.symbol.unwrap_or_default()),
            token.decimals.map(|it| it.to_string()).unwrap_or_default(),
            token.balance.map(|it| it.to_string()).unwrap_or_default(),
        ]
    });
    let columns = ["token", "name", "symbol", "decimals", "balance outside channels"];
    show::table(columns, &[3, 4], rows)
}
