//! Payments, what came of them, and what they would cost.

use super::{Decimal, HexAddress, HexHash, HexId};
use crate::api::problem::Problem;
use crate::handle;
use photon_core::record::ReceiptRecord;
use photon_core::view::{self, PaymentFailure, PaymentStatus};
use photon_wire::B256;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A payment to make: to an account, or to an invoice.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentBody {
    /// The text of an invoice. Then target and token are its own and left out here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<String>,
    /// Who is paid, where no invoice is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<HexAddress>,
    /// In what, where no invoice is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<HexAddress>,
    /// What shall arrive, 1 to 2^96 − 1. Left out only where the invoice names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The most that mediators may take in all; none: the node's own bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fee: Option<Decimal>,
    /// For the target's eyes, at most 256 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Which ways are allowed.
    #[serde(default)]
    pub way: Way,
    /// Our own name for the payment: repeated with the same name, it is made once. The header
    /// `Idempotency-Key` says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// How long to wait for the end, in seconds, at most 600; 0 does not wait; none: 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 600)]
    pub wait_seconds: Option<u64>,
}

/// Which ways a payment may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Direct to a partner, else by the best route.
    #[default]
    Any,
    /// Only direct.
    Direct,
    /// Only with a lock, even to a partner: gives a proof of payment.
    Locked,
}

impl From<Way> for handle::PayWay {
    fn from(way: Way) -> Self {
        match way {
            Way::Any => Self::Any,
            Way::Direct => Self::Direct,
            Way::Locked => Self::Locked,
        }
    }
}

/// A payment of ours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PaymentView {
    /// Its name.
    pub id: HexId,
    /// Who is paid.
    pub target: HexAddress,
    /// In what.
    pub token: HexAddress,
    /// What arrives.
    pub amount: Decimal,
    /// What mediators take, by the route in use.
    pub fee: Decimal,
    /// The most that they may take.
    pub max_fee: Decimal,
    /// Where it stands.
    pub status: PaymentState,
    /// Why it did not happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureView>,
    /// The secret of a routed payment: only whoever was paid could have shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<HexHash>,
    /// Whether it went straight to a partner, without a lock.
    pub direct: bool,
    /// Us first, the target last.
    pub route: Vec<HexAddress>,
    /// Our words to the target.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The secret hash of the invoice that it pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<HexHash>,
    /// When it was asked for.
    pub created: u64,
    /// When it ended, or was last heard of.
    pub changed: u64,
}

/// Where a payment stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// On its way.
    Pending,
    /// The target has it.
    Paid,
    /// It did not happen, and every token is back.
    Failed,
}

/// Why a payment did not happen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FailureView {
    /// `payment_failed`, `payment_expired` or `channel_closed`.
    pub code: String,
    /// For people.
    pub detail: String,
    /// The node that could not go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop: Option<HexAddress>,
    /// What it says of it: a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<&PaymentFailure> for FailureView {
    fn from(failure: &PaymentFailure) -> Self {
        let plain = |code: &str, detail: &str| Self {
            code: code.to_owned(),
            detail: detail.to_owned(),
            hop: None,
            reason: None,
        };
        match failure {
            PaymentFailure::Hop(failure) => Self {
                hop: Some(HexAddress(failure.hop)),
                reason: Some(failure.reason.code().to_owned()),
                ..plain(
                    "payment_failed",
                    &format!("{} could not go on: {}", failure.hop, failure.reason),
                )
            },
            PaymentFailure::Expired => plain(
                "payment_expired",
                "the lock expired before the target took the payment; the tokens are back",
            ),
            PaymentFailure::ChannelClosed => {
                plain("channel_closed", "the channel was closed before the payment was under way")
            }
        }
    }
}

impl From<&handle::Payment> for PaymentView {
    fn from(payment: &handle::Payment) -> Self {
        let (status, proof, failure) = match &payment.status {
            PaymentStatus::Pending => (PaymentState::Pending, None, None),
            PaymentStatus::Paid { proof } => (PaymentState::Paid, proof.as_ref(), None),
            PaymentStatus::Failed(failure) => (PaymentState::Failed, None, Some(failure)),
        };
        Self {
            id: HexId(payment.id),
            target: HexAddress(payment.target.account),
            token: HexAddress(payment.target.token.0),
            amount: Decimal(payment.target.amount),
            fee: Decimal(payment.fee),
            max_fee: Decimal(payment.max_fee),
            status,
            failure: failure.map(FailureView::from),
            proof: proof.map(|secret| HexHash(B256::from(secret.0))),
            direct: payment.direct.is_some(),
            route: payment.route.iter().copied().map(HexAddress).collect(),
            note: words(&payment.note),
            invoice: payment.invoice.map(|hash| HexHash(hash.0)),
            created: payment.created.0,
            changed: payment.changed.0,
        }
    }
}

/// A payment that reached us.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReceiptView {
    /// Rises by one with each.
    pub number: u64,
    /// The payer's name for it.
    pub payment: HexId,
    /// In what.
    pub token: HexAddress,
    /// How much.
    pub amount: Decimal,
    /// The channel that it came through.
    pub channel: HexHash,
    /// The partner that it came through; of a routed payment that is not who paid.
    pub partner: HexAddress,
    /// The payer's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The secret hash of the invoice of ours that it pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<HexHash>,
    /// When.
    pub at: u64,
}

impl From<&ReceiptRecord> for ReceiptView {
    fn from(receipt: &ReceiptRecord) -> Self {
        Self {
            number: receipt.number,
            payment: HexId(receipt.payment),
            token: HexAddress(receipt.token.0),
            amount: Decimal(receipt.amount),
            channel: HexHash(receipt.channel.0),
            partner: HexAddress(receipt.partner),
            note: words(&receipt.note),
            invoice: receipt.invoice.map(|hash| HexHash(hash.0)),
            at: receipt.at.0,
        }
    }
}

/// A note for people; bytes that are no text are shown as the sign for that.
fn words(note: &[u8]) -> String {
    String::from_utf8_lossy(note).into_owned()
}

/// One page of a history, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// For the parameter `cursor` of the next page; left out on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A payment to think about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteBody {
    /// The text of an invoice. Then target and token are its own and left out here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<String>,
    /// Who would be paid, where no invoice is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<HexAddress>,
    /// In what, where no invoice is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<HexAddress>,
    /// What would arrive, 1 to 2^96 − 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The most that mediators may take; none: the node's own bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fee: Option<Decimal>,
}

/// What a payment would cost and which way it would go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct QuoteView {
    /// Us first, the target last.
    pub route: Vec<HexAddress>,
    /// What would arrive.
    pub amount: Decimal,
    /// What mediators would take.
    pub fee: Decimal,
    /// What would leave us.
    pub total: Decimal,
    /// Whether it would go straight to a partner, without a lock.
    pub direct: bool,
    /// How likely somebody on the way could not go on, 0 to 100: a guess by the deposits on the
    /// chain.
    pub trouble_percent: u8,
}

impl QuoteView {
    /// Of a payment of `amount`.
    pub(crate) fn new(quote: &view::Quote, amount: photon_wire::Amount) -> Self {
        Self {
            route: quote.route.iter().copied().map(HexAddress).collect(),
            amount: Decimal(amount),
            fee: Decimal(quote.fee),
            total: Decimal(quote.total),
            direct: quote.direct,
            trouble_percent: quote.trouble_percent,
        }
    }
}

/// A payment of the bulk stream. Waiting is not asked for: its answer comes when it is over.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkBody {
    /// The client's name for the answer, on this stream only.
    pub id: String,
    /// The text of an invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<String>,
    /// Who is paid, where no invoice is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<HexAddress>,
    /// In what, where no invoice is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<HexAddress>,
    /// What shall arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The most that mediators may take in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fee: Option<Decimal>,
    /// For the target's eyes, at most 256 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Which ways are allowed.
    #[serde(default)]
    pub way: Way,
    /// Repeated with the same key, on any stream, the payment is made once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

impl From<BulkBody> for PaymentBody {
    fn from(bulk: BulkBody) -> Self {
        Self {
            invoice: bulk.invoice,
            target: bulk.target,
            token: bulk.token,
            amount: bulk.amount,
            max_fee: bulk.max_fee,
            note: bulk.note,
            way: bulk.way,
            idempotency_key: bulk.idempotency_key,
            wait_seconds: None,
        }
    }
}

/// What came of one payment of the bulk stream: the payment where it is paid or still pending,
/// else the problem.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct BulkAnswer {
    /// The client's name for it; left out where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentView>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}
