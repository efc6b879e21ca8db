//! `photon quote`.

use super::amount;
use super::pay::{PayeeFields, payee};
use crate::client::{Answer, ApiArgs};
use crate::show;
use clap::Args;
use photon_node::api::types::{Decimal, QuoteBody, QuoteView};

/// Which payment is thought about.
#[derive(Args, Debug)]
pub(crate) struct QuoteArgs {
    /// Who: an account, or the text of an invoice
    #[arg(value_name = "ACCOUNT|INVOICE")]
    payee: String,
    /// How much would arrive, in base units; an invoice may say it itself
    #[arg(value_parser = amount)]
    amount: Option<Decimal>,
    /// The token, by its address or its symbol; an invoice says it itself
    #[arg(long)]
    token: Option<String>,
    /// The most that mediators may take in all, in base units
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    max_fee: Option<Decimal>,
    #[command(flatten)]
    api: ApiArgs,
}

/// Asks.
pub(crate) async fn run(arguments: QuoteArgs) -> anyhow::Result<()> {
    let QuoteArgs { payee: text, amount, token, max_fee, api } = arguments;
    let client = api.client()?;
    let PayeeFields { invoice, target, token } =
        payee(&client, &text, amount, token.as_deref()).await?;
    let body = QuoteBody { invoice, target, token, amount, max_fee };
    let answer: Answer<QuoteView> = client.post("/quotes", &body).await?;
    if api.json {
        return show::line(answer.text);
    }
    let quote = answer.value;
    let route: Vec<String> = quote.route.iter().map(ToString::to_string).collect();
    show::facts(&[
        ("arrives", quote.amount.to_string()),
        ("fee", quote.fee.to_string()),
        ("in all", quote.total.to_string()),
        ("way", if quote.direct { "direct" } else { "locked" }.to_owned()),
        ("trouble", format!("{} % likely (a guess by the deposits)", quote.trouble_percent)),
        ("route", route.join("\n       → ")),
    ])
}
