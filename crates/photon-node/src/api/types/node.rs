//! The node itself: how it fares, its peers, tokens and fees.

use super::channel::seconds;
use super::{Decimal, HexAddress};
use crate::handle;
use photon_wire::record::FeeSchedule;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Whether the node is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`, or `degraded` where the chain cannot be relied on.
    pub status: String,
    /// Whether the chain can be relied on: it answers, and no witness contradicts it.
    pub chain_reachable: bool,
}

/// What this node is and how it fares.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NodeStatus {
    /// Our account.
    pub account: HexAddress,
    /// The version of the program.
    pub version: String,
    /// The chain.
    pub chain_id: u64,
    /// The contract.
    pub contract: HexAddress,
    /// The token that is the chain's own coin, where the network has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapped_native: Option<HexAddress>,
    /// The last block that was handled, at the depth that this node demands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<u64>,
    /// Its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_time: Option<u64>,
    /// The node's time: the later of the chain's and its own clock.
    pub now: u64,
    /// Whether the chain can be relied on: it answers, and no witness contradicts it. Where it
    /// cannot, locked payments wait and direct ones go on.
    pub chain_reachable: bool,
    /// Why it cannot be relied on, in words; left out where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_trouble: Option<String>,
    /// Blocks on top of an event before it counts.
    pub confirmations: u64,
    /// Where peers reach this node.
    pub listen: Vec<String>,
    /// Accounts with a session.
    pub online: Vec<HexAddress>,
    /// Channels of ours that are open.
    pub open_channels: usize,
    /// The shortest settle timeout of a channel that this node opens, in seconds.
    pub least_settle_timeout: u64,
    /// The longest.
    pub greatest_settle_timeout: u64,
    /// When the node started.
    pub started: u64,
    /// Resident memory in bytes, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Totals since the start.
    pub counters: CounterView,
}

/// Totals since the start, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct CounterView(pub BTreeMap<String, u64>);

impl NodeStatus {
    /// Of a node with these bounds of the settle timeout.
    pub(crate) fn new(status: &handle::Status, settle_timeouts: (u64, u64)) -> Self {
        Self {
            account: HexAddress(status.account),
            version: status.version.to_owned(),
            chain_id: status.chain_id,
            contract: HexAddress(status.contract),
            wrapped_native: status.wrapped_native.map(|token| HexAddress(token.0)),
            block: status.block.map(|(number, _)| number.0),
            block_time: status.block.map(|(_, time)| time.0),
            now: status.now.0,
            chain_reachable: status.chain_reachable,
            chain_trouble: status.chain_trouble.clone(),
            confirmations: status.confirmations,
            listen: status.listen.clone(),
            online: status.online.iter().copied().map(HexAddress).collect(),
            open_channels: status.open_channels,
            least_settle_timeout: settle_timeouts.0,
            greatest_settle_timeout: settle_timeouts.1,
            started: seconds(status.started),
            memory: status.memory,
            counters: CounterView::from(&status.counters),
        }
    }
}

impl From<&handle::Counters> for CounterView {
    fn from(counters: &handle::Counters) -> Self {
        let all = [
            ("turns", counters.turns),
            ("commits", counters.commits),
            ("steps", counters.steps),
            ("rejections", counters.rejections),
            ("signed", counters.signed),
            ("frames_sent", counters.frames_sent),
            ("frames_received", counters.frames_received),
            ("updates_received", counters.updates_received),
            ("payments_sent", counters.payments_sent),
            ("payments_received", counters.payments_received),
            ("payments_mediated", counters.payments_mediated),
            ("payments_failed", counters.payments_failed),
            ("garbage_refused", counters.garbage_refused),
            ("strangers_ignored", counters.strangers_ignored),
            ("hellos_refused", counters.hellos_refused),
            ("backlogs_dropped", counters.backlogs_dropped),
        ];
        Self(all.into_iter().map(|(name, count)| (name.to_owned(), count)).collect())
    }
}

/// A peer, connected or wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PeerView {
    /// Who.
    pub account: HexAddress,
    /// Whether a session is up.
    pub online: bool,
    /// Since when it is up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// The peer's end of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whether we dialled.
    pub outgoing: bool,
    /// Asked for by configuration or over the API.
    pub explicit: bool,
    /// Whether there is a channel with it.
    pub partner: bool,
    /// Where it says that it listens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// What it says that it takes for mediating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fees: Option<FeeView>,
    /// Why the last try to reach it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
}

impl From<&handle::Peer> for PeerView {
    fn from(peer: &handle::Peer) -> Self {
        let record = peer.record.as_ref();
        Self {
            account: HexAddress(peer.account),
            online: peer.online,
            since: peer.since.map(seconds),
            address: peer.address.clone(),
            outgoing: peer.outgoing,
            explicit: peer.explicit,
            partner: peer.partner,
            addresses: record.map(|record| record.addresses.clone()).unwrap_or_default(),
            fees: record.map(|record| FeeView::from(record.fees)),
            last_failure: peer.last_failure.clone(),
        }
    }
}

/// A peer to keep a session with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerBody {
    /// Who.
    pub account: HexAddress,
    /// Multiaddresses where it listens; none are needed where it is found in another way.
    #[serde(default)]
    #[schema(example = json!(["/ip4/192.0.2.1/tcp/9735"]))]
    pub addresses: Vec<String>,
}

/// What the chain says of a token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// The contract.
    pub token: HexAddress,
    /// What the node's network file calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its symbol, as the token itself says it, so not to be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// How many digits of an amount stand behind the point, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// What our account holds outside channels; left out where the chain does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Decimal>,
}

impl From<&handle::TokenInfo> for TokenView {
    fn from(token: &handle::TokenInfo) -> Self {
        Self {
            token: HexAddress(token.token.0),
            name: token.name.clone(),
            symbol: token.symbol.clone(),
            decimals: token.decimals,
            balance: token.balance.map(Decimal),
        }
    }
}

/// What a mediator takes: `base + amount forwarded × parts per million`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FeeView {
    /// For each payment.
    pub base: Decimal,
    /// Of what is forwarded, at most 1,000,000.
    #[schema(maximum = 1_000_000)]
    pub parts_per_million: u32,
}

impl From<FeeSchedule> for FeeView {
    fn from(fees: FeeSchedule) -> Self {
        Self { base: Decimal(fees.base), parts_per_million: fees.parts_per_million }
    }
}

/// Fees to set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeeBody {
    /// For each payment.
    pub base: Decimal,
    /// Of what is forwarded, at most 1,000,000.
    #[schema(maximum = 1_000_000)]
    pub parts_per_million: u32,
}

impl From<&FeeBody> for FeeSchedule {
    fn from(fees: &FeeBody) -> Self {
        Self { base: fees.base.0, parts_per_million: fees.parts_per_million }
    }
}
