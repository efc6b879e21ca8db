//! `photon fees`.

use super::amount;
use crate::client::{Answer, ApiArgs};
use crate::failure::Failure;
use crate::show;
use clap::Args;
use photon_node::api::types::{Decimal, FeeBody, FeeView, HexHash};

/// Whose fees, and what they shall be.
#[derive(Args, Debug)]
pub(crate) struct FeesArgs {
    /// Of this channel, by its id; without it, wherever no channel has its own
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// Set what is taken for each payment, in base units
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    base: Option<Decimal>,
    /// Set what is taken of the amount, in parts per million
    #[arg(long, value_name = "PARTS")]
    parts_per_million: Option<u32>,
    #[command(flatten)]
    api: ApiArgs,
}

/// Shows them, after setting them where asked to.
pub(crate) async fn run(arguments: FeesArgs) -> anyhow::Result<()> {
    let client = arguments.api.client()?;
    let channel = arguments.channel.as_deref().map(str::parse::<HexHash>).transpose();
    let channel = channel.map_err(|malformed| Failure::usage(malformed.to_string()))?;
    let path = match channel {
        Some(channel) => format!("/fees?channel={channel}"),
        None => "/fees".to_owned(),
    };
    let mut answer: Answer<FeeView> = client.get(&path).await?;
    if arguments.base.is_some() || arguments.parts_per_million.is_some() {
        let there = answer.value;
        let body = FeeBody {
            base: arguments.base.unwrap_or(there.base),
            parts_per_million: arguments.parts_per_million.unwrap_or(there.parts_per_million),
        };
        answer = client.put(&path, &body).await?;
    }
    if arguments.api.json {
        return show::line(answer.text);
    }
    show::facts(&[
        ("for each payment", answer.value.base.to_string()),
        ("of the amount", format!("{} parts per million", answer.value.parts_per_million)),
    ])
}
