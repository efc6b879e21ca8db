//! `photon history`.

use super::address;
use super::pay::way;
use crate::client::{Answer, ApiArgs};
use crate::show;
use clap::Args;
use photon_node::api::types::{HexAddress, Page, PaymentState, PaymentView, ReceiptView};

/// Which payments are meant.
#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// Payments that reached us, instead of those that we made
    #[arg(long)]
    received: bool,
    /// Only in this token: its address or its symbol
    #[arg(long)]
    token: Option<String>,
    /// Only to this account; of those received: that came through this partner
    #[arg(long, value_name = "ACCOUNT", value_parser = address)]
    with: Option<HexAddress>,
    /// Only those that are pending, paid or failed
    #[arg(long, conflicts_with = "received")]
    status: Option<String>,
    /// From this second on, counted from 1970
    #[arg(long, value_name = "SECONDS")]
    since: Option<u64>,
    /// Up to this second
    #[arg(long, value_name = "SECONDS")]
    until: Option<u64>,
    /// How many
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
    /// Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    api: ApiArgs,
}

/// Lists them, newest first.
pub(crate) async fn run(arguments: HistoryArgs) -> anyhow::Result<()> {
    let client = arguments.api.client()?;
    let token = match &arguments.token {
        Some(token) => Some(client.token(token).await?.token.to_string()),
        None => None,
    };
    let with = arguments.with.map(|account| account.to_string());
    let mut parameters = vec![
        ("token", token),
        (if arguments.received { "partner" } else { "target" }, with),
        ("since", arguments.since.map(|it| it.to_string())),
        ("until", arguments.until.map(|it| it.to_string())),
        ("limit", Some(arguments.limit.to_string())),
        ("cursor", arguments.cursor),
    ];
    if arguments.received {
        let answer: Answer<Page<ReceiptView>> = client.list("/receipts", &parameters).await?;
        return if arguments.api.json { show::line(answer.text) } else { receipts(&answer.value) };
    }
    parameters.push(("status", arguments.status));
    let answer: Answer<Page<PaymentView>> = client.list("/payments", &parameters).await?;
    if arguments.api.json { show::line(answer.text) } else { payments(&answer.value) }
}

fn payments(page: &Page<PaymentView>) -> anyhow::Result<()> {
    if page.items.is_empty() {
        return show::line("no payments made; `photon pay` makes one");
    }
    let rows = page.items.iter().map(|payment| {
        let state = match payment.status {
            PaymentState::Pending => "pending",
            PaymentState::Paid => "paid",
            PaymentState::Failed => "failed",
        };
        [
            show::instant(payment.created),
            payment.amount.to_string(),
            payment.fee.to_string(),
            show::short_address(&payment.token.0),
            payment.target.to_string(),
            state.to_owned(),
            way(payment),
            payment.id.to_string(),
        ]
    });
    let header = ["when (UTC)", "amount", "fee", "token", "to", "state", "way", "payment"];
    show::table(header, &[1, 2], rows)?;
    more(page.next.as_deref())
}

fn receipts(page: &Page<ReceiptView>) -> anyhow::Result<()> {
    if page.items.is_empty() {
        return show::line("no payments received");
    }
    let rows = page.items.iter().map(|receipt| {
        let clean = |it: char| if it.is_control() { '\u{fffd}' } else { it };
        [
            show::instant(receipt.at),
            receipt.amount.to_string(),
            show::short_address(&receipt.token.0),
            receipt.partner.to_string(),
            receipt.payment.to_string(),
            receipt.note.chars().map(clean).collect(),
        ]
    });
    show::table(["when (UTC)", "amount", "token", "through", "payment", "note"], &[1], rows)?;
    more(page.next.as_deref())
}

/// Says how to go on, where there is more.
pub(super) fn more(next: Option<&str>) -> anyhow::Result<()> {
    next.map_or(Ok(()), |cursor| show::line(format_args!("\nmore with --cursor {cursor}")))
}
