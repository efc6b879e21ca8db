//! `photon channel`.

use super::{address, amount};
use crate::client::{Answer, ApiArgs, Client};
use crate::failure::Failure;
use crate::progress;
use crate::show;
use clap::{Args, Subcommand};
use photon_node::api::types::{
    Channel, ChannelState, Decimal, DepositBody, HexAddress, HexHash, OpenBody, SettleTogetherBody,
    Side, Submission, TransactionState, TransactionView, WaitBody, WayName, WithdrawBody,
};
use photon_wire::contract::Way;
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
        /// The token: its address, its symbol, or `native` for the chain's own coin
        #[arg(long)]
        token: String,
        /// Our first deposit, in base units
        #[arg(long, value_name = "AMOUNT", value_parser = amount)]
        deposit: Option<Decimal>,
        /// How long a dispute takes updates, in seconds; without it, the shortest that is safe
        #[arg(long, value_name = "SECONDS")]
        settle_timeout: Option<u64>,
        #[command(flatten)]
        how: HowArgs,
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
        how: HowArgs,
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
    /// Take tokens out of an open channel, with the partner's consent; payments go on
    Withdraw {
        /// The channel: its id, the beginning of it, or the partner's account
        channel: String,
        /// How much, in base units
        #[arg(value_parser = amount)]
        amount: Decimal,
        #[command(flatten)]
        wait: WaitArgs,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Settle a channel: an open one together with the partner, at once; a closed one when its
    /// time has come, which the node does by itself as well
    Settle {
        /// The channel: its id, the beginning of it, or the partner's account
        channel: String,
        /// Hold new payments back and wait until the pending locks are gone
        #[arg(long)]
        drain: bool,
        /// Give it up, as long as the partner has not consented
        #[arg(long, conflicts_with_all = ["drain", "wait", "no_wait"])]
        cancel: bool,
        #[command(flatten)]
        wait: WaitArgs,
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// How tokens are to go into a channel.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "How the tokens get in")]
pub(crate) struct HowArgs {
    /// By this way and no other: allowance, erc1363, erc677, erc223, approve-and-call, permit,
    /// receive-with-authorization, permit2, native; without it, the cheapest
    #[arg(long, value_name = "WAY")]
    way: Option<Way>,
    /// Go on where the token keeps a part of what is sent
    #[arg(long)]
    accept_fee: bool,
    /// Sign only; the relay of the configuration (relayer.url) sends it and pays for the gas
    #[arg(long, conflicts_with = "way")]
    gasless: bool,
}

impl HowArgs {
    /// By which way, where the token was named as the coin that it wraps.
    fn way(self, native: bool) -> anyhow::Result<Option<WayName>> {
        match (self.way, native) {
            (Some(Way::Native) | None, true) if !self.gasless => Ok(Some(WayName(Way::Native))),
            (_, true) => Err(Failure::usage(
                "coins go in by the way `native`; for other ways name the wrapped token itself",
            )),
            (way, false) => Ok(way.map(WayName)),
        }
    }
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
        ChannelCommand::Open { partner, token, deposit, settle_timeout, how, wait, api } => {
            let client = api.client()?;
            let meant = client.token(&token).await?;
            let native = meant.native && deposit.is_some_and(|deposit| !deposit.0.is_zero());
            let body = OpenBody {
                token: meant.token,
                partner,
                deposit,
                settle_timeout,
                way: how.way(native)?,
                accept_token_fee: how.accept_fee,
                gasless: how.gasless,
                wait_seconds: Some(wait.seconds()),
            };
            let asking = client.post("/channels", &body);
            let submitted = progress::wait("waiting for the chain", asking).await?;
            submission(&client, &api, wait, submitted).await
        }
        ChannelCommand::Deposit { channel, amount, participant, how, wait, api } => {
            let client = api.client()?;
            let id = meant(&client, &channel).await?;
            let body = DepositBody {
                amount,
                participant,
                way: how.way(false)?,
                accept_token_fee: how.accept_fee,
                gasless: how.gasless,
                wait_seconds: Some(wait.seconds()),
            };
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
        ChannelCommand::Withdraw { channel, amount, wait, api } => {
            let client = api.client()?;
            let id = meant(&client, &channel).await?;
            let body = WithdrawBody { amount, wait_seconds: Some(wait.seconds()) };
            let path = format!("/channels/{id}/withdraw");
            let before = latest(&client).await;
            let asking = client.post(&path, &body);
            let mut submitted =
                progress::wait("waiting for the partner and the chain", asking).await?;
            agreed(&client, &mut submitted.value, "withdraw", before).await;
            submission(&client, &api, wait, submitted).await
        }
        ChannelCommand::Settle { channel, drain, cancel, wait, api } => {
            settle(&api, &channel, drain, cancel, wait).await
        }
    }
}

/// Together with the partner where the channel is open, else by the contract alone.
async fn settle(
    api: &ApiArgs,
    channel: &str,
    drain: bool,
    cancel: bool,
    wait: WaitArgs,
) -> anyhow::Result<()> {
    let client = api.client()?;
    let id = meant(&client, channel).await?;
    let path = format!("/channels/{id}/settle-cooperatively");
    if cancel {
        client.delete(&path).await?;
        return show::line("the channel goes on");
    }
    let known: Answer<Channel> = client.get(&format!("/channels/{id}")).await?;
    if known.value.state == ChannelState::Closed {
        return end(api, channel, "settle", wait).await;
    }
    let body = SettleTogetherBody { drain, wait_seconds: Some(wait.seconds()) };
    let before = latest(&client).await;
    let asking = client.post(&path, &body);
    let mut submitted = progress::wait("waiting for the partner and the chain", asking).await?;
    agreed(&client, &mut submitted.value, "cooperative_settle", before).await;
    submission(&client, api, wait, submitted).await
}

/// The number of the node's latest transaction.
async fn latest(client: &Client) -> Option<u64> {
    let all: Answer<Vec<TransactionView>> = client.get("/transactions").await.ok()?;
    all.value.iter().map(|transaction| transaction.number).max()
}

/// What was agreed has no transaction yet when it is asked for: finds the one that came of it.
/// There is none of ours where the partner sent it.
async fn agreed(client: &Client, submission: &mut Submission, kind: &str, before: Option<u64>) {
    if submission.transaction.is_some() {
        return;
    }
    // What the answer has told already is not lost where this cannot be read.
    let all = client.get::<Vec<TransactionView>>("/transactions").await;
    let Ok(all) = all else { return };
    let is_it = |transaction: &&TransactionView| {
        transaction.kind == kind
            && transaction.channel == Some(submission.channel_id)
            && before.is_none_or(|before| transaction.number > before)
    };
    submission.transaction = all.value.iter().filter(is_it).map(|it| it.number).max();
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
        facts.extend(way(&submission));
        facts.extend(transaction(client, &submission).await);
        facts.extend(relayed(&submission));
        show::facts(&facts)?;
        if let Some(channel) = &submission.channel {
            show::line("")?;
            show_channel(channel)?;
        }
    }
    if !submission.done && !wait.no_wait {
        let what = submission
            .transaction
            .map_or_else(|| "what was signed".to_owned(), |number| format!("transaction {number}"));
        return Err(Failure::Pending(format!(
            "{what} is not in the chain after {} s; it goes on by itself",
            wait.seconds()
        ))
        .into());
    }
    Ok(())
}

/// By which way tokens of ours go in, and what was expected of its gas.
fn way(submission: &Submission) -> Option<(&'static str, String)> {
    let (way, gas) = (submission.way?, submission.gas_estimate?);
    Some(("way", format!("{}, about {} gas in all", way.0, show::grouped(gas))))
}

/// How far a relay is.
fn relayed(submission: &Submission) -> Vec<(&'static str, String)> {
    let Some(relayed) = &submission.relayed else { return Vec::new() };
    let state = match (submission.done, relayed.state) {
        (true, _) | (_, TransactionState::Done) => "done",
        (false, TransactionState::Sending) => "on its way",
        (false, TransactionState::Failed) => "failed",
    };
    let mut facts = vec![
        ("way", "signed; a relay pays for the gas".to_owned()),
        ("authorization", format!("{}: {state}", relayed.id)),
    ];
    facts.extend(relayed.hash.map(|hash| ("hash", hash.to_string())));
    facts
}

/// What is known of its transaction.
async fn transaction(client: &Client, submission: &Submission) -> Vec<(&'static str, String)> {
    let Some(number) = submission.transaction else { return Vec::new() };
    let path = format!("/transactions/{number}");
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
    if let (Some(gas), Some(fee)) = (transaction.outcome.gas, transaction.outcome.fee) {
        facts.push(("gas", format!("{}, for {fee} wei", show::grouped(gas))));
    }
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
        [..] => Err(Failure::usage(ambiguous(text, &found))),
    }
}

/// Which channels could be meant, and what to say instead.
fn ambiguous(text: &str, found: &[&Channel]) -> String {
    let line = |channel: &&Channel| {
        format!("\n  {}  token {}  {}", channel.id, channel.token, state(channel))
    };
    let lines: String = found.iter().map(line).collect();
    let count = found.len();
    format!("{count} channels are meant by `{text}`; say more of the id of one of them:{lines}")
}
