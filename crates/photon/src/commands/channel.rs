//! `photon channel`.

use super::{address, amount};
use crate::client::{Answer, ApiArgs, Client};
use crate::failure::Failure;
use crate::progress;
use crate::show;
use clap::{Args, Subcommand};
use photon_node::api::types::{
    Channel, ChannelState, Decimal, DepositBody, HexAddress, HexHash, OpenBody, Side, Submission,
    TransactionState, TransactionView, WaitBody,
};
use std::time::Duration;
use tokio::time::sleep;

/// How often a transaction is looked for whose effect is there already, and how long between.
const LOOKS: usize = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What can be done with channels.
#[derive(Subcommand, Debug)]
pub(crate) enum ChannelCommand {
    /// Open a channel, with a first deposit or without
    Open {
        /// The other side's account
        #[arg(value_parser = address)]
        partner: HexAddress,
        /// The token: its address or its symbol
        #[arg(long)]
        token: String,
        /// Our first deposit, in base units
        #[arg(long, value_name = "AMOUNT", value_parser = amount)]
        deposit: Option<Decimal>,
        /// How long a dispute takes updates, in seconds; without it, the shortest that is safe
        #[arg(long, value_name = "SECONDS")]
        settle_timeout: Option<u64>,
        #[command(flatten)]
        wait: WaitArgs,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Add to a deposit
    Deposit {
        /// The channel: its id, the beginning of it, or the partner's account
        channel: String,
        /// By how much, in base units
        #[arg(value_parser = amount)]
        amount: Decimal,
        /// Whose deposit grows; without it, ours
        #[arg(long, value_name = "ACCOUNT", value_parser = address)]
        participant: Option<HexAddress>,
        #[command(flatten)]
        wait: WaitArgs,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// List all channels
    List {
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Show one channel
    Show {
        /// The channel: its id, the beginning of it, or the partner's account
        channel: String,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Close a channel one-sidedly; the node does the rest by itself
    Close {
        /// The channel: its id, the beginning of it, or the partner's account
        channel: String,
        #[command(flatten)]
        wait: WaitArgs,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Settle a closed channel whose time has come; the node does so by itself as well
    Settle {
        /// The channel: its id, the beginning of it, or the partner's account
        channel: String,
        #[command(flatten)]
        wait: WaitArgs,
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// How long to wait for the chain.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct WaitArgs {
    /// How long to wait for the chain, in seconds, at most 600
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    wait: u64,
    /// Do not wait
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
}

impl WaitArgs {
    const fn seconds(self) -> u64 {
        if self.no_wait { 0 } else { self.wait }
    }
}

/// Does it.
pub(crate) async fn run(command: ChannelCommand) -> anyhow::Result<()> {
    match command {
        ChannelCommand::Open { partner, token, deposit, settle_timeout, wait, api } => {
            let client = api.client()?;
            let token = client.token(&token).await?;
            let wait_seconds = Some(wait.seconds());
            let body = OpenBody { token, partner, deposit, settle_timeout, wait_seconds };
            let asking = client.post("/channels", &body);
            let submitted = progress::wait("waiting for the chain", asking).await?;
            submission(&client, &api, wait, submitted).await
        }
        ChannelCommand::Deposit { channel, amount, participant, wait, api } => {
            let client = api.client()?;
            let id = meant(&client, &channel).await?;
            let body = DepositBody { amount, participant, wait_seconds: Some(wait.seconds()) };
            let path = format!("/channels/{id}/deposits");
            let asking = client.post(&path, &body);
            let submitted = progress::wait("waiting for the chain", asking).await?;
            submission(&client, &api, wait, submitted).await
        }
        ChannelCommand::List { api } => list(&api).await,
        ChannelCommand::Show { channel, api } => {
            let client = api.client()?;
            let id = meant(&client, &channel).await?;
            let answer: Answer<Channel> = client.get(&format!("/channels/{id}")).await?;
            if api.json { show::line(answer.text) } else { show_channel(&answer.value) }
        }
        ChannelCommand::Close { channel, wait, api } => end(&api, &channel, "close", wait).await,
        ChannelCommand::Settle { channel, wait, api } => end(&api, &channel, "settle", wait).await,
    }
}

async fn end(api: &ApiArgs, channel: &str, how: &str, wait: WaitArgs) -> anyhow::Result<()> {
    let client = api.client()?;
    let id = meant(&client, channel).await?;
    let body = WaitBody { wait_seconds: Some(wait.seconds()) };
    let path = format!("/channels/{id}/{how}");
    let asking = client.post(&path, &body);
    let submitted = progress::wait("waiting for the chain", asking).await?;
    submission(&client, api, wait, submitted).await
}

/// Says what came of a transaction.
async fn submission(
    client: &Client,
    api: &ApiArgs,
    wait: WaitArgs,
    answer: Answer<Submission>,
) -> anyhow::Result<()> {
    let submission = answer.value;
    if api.json {
        show::line(answer.text)?;
    } else {
        let mut facts = vec![("channel", submission.channel_id.to_string())];
        facts.extend(transaction(client, &submission).await);
        show::facts(&facts)?;
        if let Some(channel) = &submission.channel {
            show::line("")?;
            show_channel(channel)?;
        }
    }
    if !submission.done && !wait.no_wait {
        return Err(Failure::Pending(format!(
            "transaction {} is not in the chain after {} s; it goes on by itself",
            submission.transaction,
            wait.seconds()
        ))
        .into());
    }
    Ok(())
}

/// What is known of its transaction.
async fn transaction(client: &Client, submission: &Submission) -> Vec<(&'static str, String)> {
    let path = format!("/transactions/{}", submission.transaction);
    let mut found = None;
    for _ in 0..LOOKS {
        // What the answer has told already is not lost where this cannot be read.
        found = client.get::<TransactionView>(&path).await.ok().map(|answer| answer.value);
        let early = found.as_ref().is_some_and(|it| it.outcome.state == TransactionState::Sending);
        // The channel's event may be a moment ahead of the transaction's receipt.
        if !submission.done || !early {
            break;
        }
        sleep(LOOK_AGAIN).await;
    }
    let Some(transaction) = found else { return Vec::new() };
    let state = match (submission.done, transaction.outcome.state) {
        (true, _) | (_, TransactionState::Done) => "done",
        (false, TransactionState::Sending) => "on its way",
        (false, TransactionState::Failed) => "failed",
    };
    let mut facts =
        vec![("transaction", format!("{} {}: {state}", transaction.kind, transaction.number))];
    facts.extend(transaction.outcome.hash.map(|hash| ("hash", hash.to_string())));
    facts
}

async fn list(api: &ApiArgs) -> anyhow::Result<()> {
    let client = api.client()?;
    let answer: Answer<Vec<Channel>> = client.get("/channels").await?;
    if api.json {
        return show::line(answer.text);
    }
    if answer.value.is_empty() {
        return show::line("no channels; `photon channel open` makes one");
    }
    let rows = answer.value.iter().map(|channel| {
        [
            short(channel.id),
            channel.partner.to_string(),
            show::short_address(&channel.token.0),
            state(channel).to_owned(),
            show::yes(channel.partner_online).to_owned(),
            channel.ours.spendable.to_string(),
            channel.theirs.spendable.to_string(),
            channel.ours.locked.0.saturating_add(channel.theirs.locked.0).to_string(),
        ]
    });
    let header = ["channel", "partner", "token", "state", "online", "ours", "theirs", "locked"];
    show::table(header, &[5, 6, 7], rows)
}

fn show_channel(channel: &Channel) -> anyhow::Result<()> {
    let mut facts = vec![
        ("channel", format!("{} (life {})", channel.id, channel.epoch)),
        ("token", channel.token.to_string()),
        ("partner", channel.partner.to_string()),
        ("online", show::yes(channel.partner_online).to_owned()),
        ("state", state(channel).to_owned()),
        ("settle timeout", show::length(channel.settle_timeout)),
    ];
    if let Some(instant) = channel.update_until {
        facts.push(("updates until", format!("{} UTC", show::instant(instant))));
    }
    if let Some(instant) = channel.settle_after {
        facts.push(("settles after", format!("{} UTC, by itself", show::instant(instant))));
    }
    show::facts(&facts)?;
    show::line("")?;
    let row = |name: &str, side: &Side| {
        [
            name.to_owned(),
            side.deposit.to_string(),
            side.withdrawn.to_string(),
            side.balance.to_string(),
            side.locked.to_string(),
            side.spendable.to_string(),
            side.nonce.to_string(),
        ]
    };
    show::table(
        ["", "deposit", "withdrawn", "balance", "locked", "spendable", "nonce"],
        &[1, 2, 3, 4, 5, 6],
        [row("ours", &channel.ours), row("theirs", &channel.theirs)],
    )
}

const fn state(channel: &Channel) -> &'static str {
    match channel.state {
        ChannelState::Open => "open",
        ChannelState::Stopped => "stopped",
        ChannelState::Settling => "settling",
        ChannelState::Doubted => "doubted",
        ChannelState::Closing => "closing",
        ChannelState::Closed => "closed",
    }
}

fn short(id: HexHash) -> String {
    show::short_hash(&id.0)
}

/// The channel that is meant: by its id, the beginning of it, or its partner.
async fn meant(client: &Client, text: &str) -> anyhow::Result<HexHash> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let digits = text.strip_prefix("0x").unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::usage(format!(
            "`{text}` is no channel: say its id, the beginning of it, or the partner's account"
        )));
    }
    let answer: Answer<Vec<Channel>> = client.get("/channels").await?;
    let lower = text.to_lowercase();
    let is_it = |channel: &&Channel| {
        channel.id.to_string().starts_with(&lower)
            || channel.partner.to_string().to_lowercase() == lower
    };
    let found: Vec<&Channel> = answer.value.iter().filter(is_it).collect();
    match found.as_slice() {
        [channel] => Ok(channel.id),
        [] => {
            Err(anyhow::anyhow!("no channel is meant by `{text}`; `photon channel list` lists all"))
        }
        [..] => Err(Failure::usage(format!("{} channels are meant by `{text}`", found.len()))),
    }
}
