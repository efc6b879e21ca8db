//! What happened, for whoever watches.

use super::{Decimal, FailureView, HexAddress, HexHash, HexId};
use crate::handle::kind_of;
use photon_core::record::Purpose;
use photon_core::view::{NoticeKind, PaymentFailure};
use photon_core::{Notice, Rejection};
use photon_wire::{
    Address, Amount, B256, ChannelId, Nonce, PaymentId, SecretHash, Timestamp, Token,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Rises by one; the cursor to go on from.
    pub number: u64,
    /// When, by the node's time.
    pub at: u64,
    /// What.
    pub what: EventKind,
}

/// What happened; `kind` says which.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// A channel of ours is open.
    ChannelOpened {
        /// Which.
        channel: HexHash,
        /// Its token.
        token: HexAddress,
        /// With whom.
        partner: HexAddress,
    },
    /// A deposit arrived.
    Deposited {
        /// Where.
        channel: HexHash,
        /// Whose.
        participant: HexAddress,
        /// In all.
        deposit: Decimal,
    },
    /// The dispute began.
    ChannelClosed {
        /// Which.
        channel: HexHash,
        /// By whom.
        closer: HexAddress,
        /// The last second for updates and unlocks.
        update_until: u64,
    },
    /// A balance in the contract changed during the dispute.
    BalanceUpdated {
        /// Where.
        channel: HexHash,
        /// Whose direction.
        payer: HexAddress,
        /// Of the proof.
        nonce: u64,
    },
    /// A lock was claimed on the chain.
    Unlocked {
        /// Where.
        channel: HexHash,
        /// Whose direction.
        payer: HexAddress,
        /// How much.
        amount: Decimal,
    },
    /// Both were paid out.
    ChannelSettled {
        /// Which.
        channel: HexHash,
        /// With whom.
        partner: HexAddress,
        /// To us.
        ours: Decimal,
        /// To the partner.
        theirs: Decimal,
    },
    /// A payment of ours arrived.
    PaymentSent {
        /// Which.
        payment: HexId,
        /// In what.
        token: HexAddress,
        /// To whom.
        target: HexAddress,
        /// What arrived.
        amount: Decimal,
        /// What mediators took.
        fee: Decimal,
    },
    /// A payment of ours did not happen.
    PaymentFailed {
        /// Which.
        payment: HexId,
        /// Why.
        failure: FailureView,
    },
    /// Somebody paid us.
    PaymentReceived {
        /// The payer's name for it.
        payment: HexId,
        /// In what.
        token: HexAddress,
        /// The partner that it came through; of a routed payment that is not who paid.
        partner: HexAddress,
        /// How much.
        amount: Decimal,
        /// The secret hash of the invoice of ours that it pays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice: Option<HexHash>,
    },
    /// A payment went through us.
    PaymentMediated {
        /// In what.
        token: HexAddress,
        /// From.
        payer: HexAddress,
        /// To.
        payee: HexAddress,
        /// Forwarded.
        amount: Decimal,
        /// Kept.
        fee: Decimal,
    },
    /// The partner broke a rule; we take nothing more from it in this channel.
    DirectionStopped {
        /// Where.
        channel: HexHash,
        /// Who.
        partner: HexAddress,
        /// The rule's code.
        rule: String,
    },
    /// The partner refused an update of ours; we send no more in this channel.
    UpdateRefused {
        /// Where.
        channel: HexHash,
        /// Which.
        nonce: u64,
        /// The rule's code.
        rule: String,
    },
    /// A transaction could not be sent; it is tried again while it helps.
    TransactionFailed {
        /// What it was for.
        purpose: String,
    },
    /// Secrets were made public because time was running out.
    SecretsRegistered {
        /// Of the registration.
        root: HexHash,
        /// How many of them were ours to care about.
        count: u32,
    },
    /// Tokens were taken out of a channel.
    Withdrawn {
        /// Where.
        channel: HexHash,
        /// By whom.
        participant: HexAddress,
        /// In all.
        withdrawn: Decimal,
    },
    /// A withdrawal of ours did not happen; its tokens are in the balance again.
    WithdrawFailed {
        /// Where.
        channel: HexHash,
        /// The rule's code.
        rule: String,
    },
    /// Ending a channel together did not happen; the channel goes on.
    CooperativeSettleFailed {
        /// Where.
        channel: HexHash,
        /// The rule's code.
        rule: String,
    },
    /// A claim of a lock that its payee had given back was taken back, and as much again.
    Punished {
        /// Where.
        channel: HexHash,
        /// Whose direction the lock is in; the other is punished.
        payer: HexAddress,
        /// The lock's amount.
        amount: Decimal,
    },
    /// The chain took back what it had told of a channel: nothing is signed there.
    ChannelDoubted {
        /// Which.
        channel: HexHash,
    },
    /// The chain has told it again: the channel goes on.
    ChannelTrusted {
        /// Which.
        channel: HexHash,
    },
    /// Somebody pays an invoice of ours whose secret the owner keeps; release or cancel it.
    PaymentHeld {
        /// The payer's name for it.
        payment: HexId,
        /// In what.
        token: HexAddress,
        /// From which partner it came.
        partner: HexAddress,
        /// How much.
        amount: Decimal,
        /// The secret hash of the invoice.
        invoice: HexHash,
        /// When the lock ends; it must be released well before.
        expiration: u64,
    },
}

impl EventKind {
    /// The word for it, as in `kind`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ChannelOpened { .. } => "channel_opened",
            Self::Deposited { .. } => "deposited",
            Self::ChannelClosed { .. } => "channel_closed",
            Self::BalanceUpdated { .. } => "balance_updated",
            Self::Unlocked { .. } => "unlocked",
            Self::ChannelSettled { .. } => "channel_settled",
            Self::PaymentSent { .. } => "payment_sent",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::PaymentReceived { .. } => "payment_received",
            Self::PaymentMediated { .. } => "payment_mediated",
            Self::DirectionStopped { .. } => "direction_stopped",
            Self::UpdateRefused { .. } => "update_refused",
            Self::TransactionFailed { .. } => "transaction_failed",
            Self::SecretsRegistered { .. } => "secrets_registered",
            Self::Withdrawn { .. } => "withdrawn",
            Self::WithdrawFailed { .. } => "withdraw_failed",
            Self::CooperativeSettleFailed { .. } => "cooperative_settle_failed",
            Self::Punished { .. } => "punished",
            Self::ChannelDoubted { .. } => "channel_doubted",
            Self::ChannelTrusted { .. } => "channel_trusted",
            Self::PaymentHeld { .. } => "payment_held",
        }
    }
}

impl From<&(u64, Notice)> for Event {
    fn from((number, notice): &(u64, Notice)) -> Self {
        Self { number: *number, at: notice.at.0, what: EventKind::from(&notice.kind) }
    }
}

/// A field of a notice as JSON shows it.
trait ToJson {
    type Json;

    fn to_json(&self) -> Self::Json;
}

macro_rules! to_json {
    ($($from:ty => $to:ty: |$value:ident| $body:expr;)*) => {
        $(impl ToJson for $from {
            type Json = $to;

            fn to_json(&self) -> $to {
                let $value = self;
                $body
            }
        })*
    };
}

to_json! {
    ChannelId => HexHash: |channel| HexHash(channel.0);
    B256 => HexHash: |root| HexHash(*root);
    SecretHash => HexHash: |hash| HexHash(hash.0);
    Option<SecretHash> => Option<HexHash>: |invoice| invoice.map(|hash| HexHash(hash.0));
    Token => HexAddress: |token| HexAddress(token.0);
    Address => HexAddress: |account| HexAddress(*account);
    Amount => Decimal: |amount| Decimal(*amount);
    PaymentId => HexId: |payment| HexId(*payment);
    PaymentFailure => FailureView: |failure| FailureView::from(failure);
    Timestamp => u64: |instant| instant.0;
    Nonce => u64: |nonce| nonce.0;
    u32 => u32: |count| *count;
    Purpose => String: |purpose| kind_of(purpose).to_owned();
    // A rule: its code, or its number where this program does not know it.
    u16 => String: |rule| {
        Rejection::code_of(*rule).map_or_else(|| rule.to_string(), str::to_owned)
    };
}

macro_rules! from_notice {
    ($($name:ident { $($field:ident),* })*) => {
        impl From<&NoticeKind> for EventKind {
            fn from(kind: &NoticeKind) -> Self {
                match kind {
                    $(NoticeKind::$name { $($field),* } => {
                        Self::$name { $($field: $field.to_json()),* }
                    })*
                }
            }
        }
    };
}

from_notice! {
    ChannelOpened { channel, token, partner }
    Deposited { channel, participant, deposit }
    ChannelClosed { channel, closer, update_until }
    BalanceUpdated { channel, payer, nonce }
    Unlocked { channel, payer, amount }
    ChannelSettled { channel, partner, ours, theirs }
    PaymentSent { payment, token, target, amount, fee }
    PaymentFailed { payment, failure }
    PaymentReceived { payment, token, partner, amount, invoice }
    PaymentMediated { token, payer, payee, amount, fee }
    DirectionStopped { channel, partner, rule }
    UpdateRefused { channel, nonce, rule }
    TransactionFailed { purpose }
    SecretsRegistered { root, count }
    Withdrawn { channel, participant, withdrawn }
    WithdrawFailed { channel, rule }
    CooperativeSettleFailed { channel, rule }
    Punished { channel, payer, amount }
    ChannelDoubted { channel }
    ChannelTrusted { channel }
    PaymentHeld { payment, token, partner, amount, invoice, expiration }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_its_kind() {
        let kind = NoticeKind::DirectionStopped {
            channel: ChannelId(B256::repeat_byte(1)),
            partner: Address::repeat_byte(2),
            rule: 10,
        };
        let event = Event::from(&(7, Notice { at: Timestamp(9), kind }));
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["number"], 7);
        assert_eq!(json["what"]["kind"], "direction_stopped");
        assert_eq!(json["what"]["kind"], event.what.name());
        assert_eq!(json["what"]["rule"], "wrong_nonce");
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
}
