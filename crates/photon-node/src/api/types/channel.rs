//! Channels, and the transactions that change them.

use super::{Decimal, HexAddress, HexHash, RelayedView, WayName};
use crate::handle;
use photon_core::view;
use photon_wire::Amount;
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use utoipa::ToSchema;

/// A channel of ours, as we see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Channel {
    /// Its name.
    pub id: HexHash,
    /// Which life of the pair this is.
    pub epoch: u32,
    /// The token.
    pub token: HexAddress,
    /// The other side.
    pub partner: HexAddress,
    /// Whether a session with the partner is up.
    pub partner_online: bool,
    /// How long a dispute takes updates, in seconds.
    pub settle_timeout: u64,
    /// Where it stands.
    pub state: ChannelState,
    /// In a dispute: the last second for updates and unlocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_until: Option<u64>,
    /// In a dispute: after it the channel is settled, which the node does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_after: Option<u64>,
    /// Our side.
    pub ours: Side,
    /// The partner's.
    pub theirs: Side,
}

/// Where a channel stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    /// Takes payments.
    Open,
    /// The partner broke a rule; it can only be closed.
    Stopped,
    /// Being ended together with the partner: no new payments.
    Settling,
    /// The chain took back what it had told of this channel; nothing is signed until it tells it
    /// again.
    Doubted,
    /// We have asked the chain to close it, or its closing is not deep enough yet.
    Closing,
    /// The dispute runs.
    Closed,
}

/// One side of a channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Side {
    /// Deposited in all.
    pub deposit: Decimal,
    /// Withdrawn in all.
    pub withdrawn: Decimal,
    /// Being withdrawn: gone from the balance, not paid out yet.
    pub withdrawing: Decimal,
    /// deposit − withdrawn − withdrawing + received − paid.
    pub balance: Decimal,
    /// In pending locks of this side.
    pub locked: Decimal,
    /// How many locks those are.
    pub locks: usize,
    /// balance − locked: what this side can pay now.
    pub spendable: Decimal,
    /// The number of this side's last update.
    pub nonce: u64,
}

impl From<&view::EndView> for Side {
    fn from(end: &view::EndView) -> Self {
        Self {
            deposit: Decimal(end.deposit),
            withdrawn: Decimal(end.withdrawn),
            balance: Decimal(end.balance),
            withdrawing: Decimal(end.withdrawing),
            locked: Decimal(end.locked),
            locks: end.locks,
            spendable: Decimal(end.spendable),
            nonce: end.nonce.0,
        }
    }
}

impl From<&view::ChannelView> for Channel {
    fn from(channel: &view::ChannelView) -> Self {
        let (state, dispute) = match channel.state {
            view::ChannelState::Open => (ChannelState::Open, None),
            view::ChannelState::Stopped => (ChannelState::Stopped, None),
            view::ChannelState::Settling => (ChannelState::Settling, None),
            view::ChannelState::Doubted => (ChannelState::Doubted, None),
            view::ChannelState::Closing => (ChannelState::Closing, None),
            view::ChannelState::Closed { update_until, settle_after } => {
                (ChannelState::Closed, Some((update_until.0, settle_after.0)))
            }
        };
        Self {
            id: HexHash(channel.id.0),
            epoch: channel.epoch.0,
            token: HexAddress(channel.token.0),
            partner: HexAddress(channel.partner),
            partner_online: channel.partner_online,
            settle_timeout: channel.settle_timeout.0,
            state,
            update_until: dispute.map(|(update_until, _)| update_until),
            settle_after: dispute.map(|(_, settle_after)| settle_after),
            ours: Side::from(&channel.ours),
            theirs: Side::from(&channel.theirs),
        }
    }
}

/// A channel to open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenBody {
    /// The token.
    pub token: HexAddress,
    /// The other side.
    pub partner: HexAddress,
    /// Our first deposit; none opens the channel empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<Decimal>,
    /// How long a dispute takes updates, in seconds; none takes the shortest that is safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_timeout: Option<u64>,
    /// How the tokens go in: `allowance`, `erc1363`, `erc677`, `erc223`, `approve-and-call`,
    /// `permit`, `receive-with-authorization`, `permit2` or `native`; none takes the cheapest.
    /// `native` wraps coins of the chain; the token is the wrapping one then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<WayName>,
    /// Go on where the token keeps a part of what is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_token_fee: bool,
    /// Sign only, and have the relay of the configuration carry it and pay for the gas.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gasless: bool,
    /// How long to wait for the chain, in seconds, at most 600; none does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 600)]
    pub wait_seconds: Option<u64>,
}

/// A deposit to make.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DepositBody {
    /// By how much the deposit grows.
    pub amount: Decimal,
    /// Whose deposit grows; none: ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<HexAddress>,
    /// How the tokens go in: `allowance`, `erc1363`, `erc677`, `erc223`, `approve-and-call`,
    /// `permit`, `receive-with-authorization`, `permit2` or `native`; none takes the cheapest.
    /// `native` wraps coins of the chain; the token is the wrapping one then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<WayName>,
    /// Go on where the token keeps a part of what is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_token_fee: bool,
    /// Sign only, and have the relay of the configuration carry it and pay for the gas.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gasless: bool,
    /// How long to wait for the chain, in seconds, at most 600; none does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 600)]
    pub wait_seconds: Option<u64>,
}

/// What can be said of a close or a settle. The body may also be left out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitBody {
    /// How long to wait for the chain, in seconds, at most 600; none does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 600)]
    pub wait_seconds: Option<u64>,
}

/// A transaction that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Submission {
    /// Its number, for `/transactions/{number}`; left out where somebody's relay sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<u64>,
    /// The channel that it is about.
    pub channel_id: HexHash,
    /// Whether it is in the chain, as deep as this node demands.
    pub done: bool,
    /// Of a deposit of ours: the way that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<WayName>,
    /// Its gas as it was estimated, approvals included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_estimate: Option<u64>,
    /// What a relay carries for us, and how far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relayed: Option<RelayedView>,
    /// The channel as it is now; left out where it is not open yet, or gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

impl From<&handle::Submitted> for Submission {
    fn from(submitted: &handle::Submitted) -> Self {
        Self {
            transaction: submitted.transaction.map(|transaction| transaction.0),
            channel_id: HexHash(submitted.channel.0),
            done: submitted.done,
            way: submitted.offer.map(|offer| WayName(offer.way)),
            gas_estimate: submitted.offer.map(|offer| offer.gas),
            relayed: submitted.relayed.as_ref().map(|(id, far)| RelayedView::new(*id, far)),
            channel: submitted.view.as_ref().map(Channel::from),
        }
    }
}

/// How far a transaction of ours is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TransactionView {
    /// Its number; rises by one.
    pub number: u64,
    /// `open`, `deposit`, `close`, `update`, `unlock`, `register_secrets` or `settle`.
    pub kind: String,
    /// The channel that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<HexHash>,
    /// Of a deposit of ours: how the tokens go in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<WayName>,
    /// How far it is.
    #[serde(flatten)]
    pub outcome: TransactionOutcome,
    /// When that was learned.
    pub changed: u64,
}

/// How far it is, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TransactionOutcome {
    /// How far it is.
    pub state: TransactionState,
    /// Of what is in the chain, where it was sent by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<HexHash>,
    /// The gas that it took, without the approvals before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas: Option<u64>,
    /// What that cost, in wei.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Decimal>,
    /// Why it cannot be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The life of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionState {
    /// Nothing of it is in a block that counts.
    Sending,
    /// Done, by us or by somebody else.
    Done,
    /// It cannot be done.
    Failed,
}

impl From<&handle::Transaction> for TransactionView {
    fn from(transaction: &handle::Transaction) -> Self {
        let begun = TransactionOutcome {
            state: TransactionState::Sending,
            hash: None,
            gas: None,
            fee: None,
            reason: None,
        };
        let outcome = match &transaction.state {
            handle::TransactionState::Sending => begun,
            handle::TransactionState::Done { hash, spent } => TransactionOutcome {
                state: TransactionState::Done,
                hash: hash.map(HexHash),
                gas: spent.map(|spent| spent.gas),
                fee: spent.map(|spent| Decimal(Amount(spent.fee))),
                ..begun
            },
            handle::TransactionState::Failed { reason } => TransactionOutcome {
                state: TransactionState::Failed,
                reason: Some(reason.clone()),
                ..begun
            },
        };
        Self {
            number: transaction.id.0,
            kind: transaction.kind.to_owned(),
            channel: transaction.channel.map(|channel| HexHash(channel.0)),
            way: transaction.way.map(WayName),
            outcome,
            changed: seconds(transaction.changed),
        }
    }
}

/// Since 1970; a clock before that shows 0.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
