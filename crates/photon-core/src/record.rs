//! What is kept on disk, as plain values with one canonical encoding each. The engine stores
//! them in rows; [`crate::Machine::restore`] builds the node from them again.

mod standing;

pub use standing::{
    AgreementsRecord, BalanceFact, ClaimsRecord, EndedRecord, Fact, FactRecord, LockChange,
    Recollection, SettlingRecord, SettlingStage, StandingRecord, Terms, WithdrawalRecord,
};

use crate::Attempt;
use crate::effect::{Intent, IntentId};
use crate::view::{PaymentFailure, PaymentStatus, Target};
use alloc::vec::Vec;
use photon_wire::codec::{Decode, DecodeError, Encode, Reader};
use photon_wire::contract::{Balance, SignedBalance};
use photon_wire::fields_codec;
use photon_wire::invoice::Invoice;
use photon_wire::lock::Lock;
use photon_wire::message::Failure;
use photon_wire::record::{FeeSchedule, NodeRecord};
use photon_wire::{
    Address, Amount, B256, BlockNumber, ChannelId, Epoch, LockNumber, Nonce, PaymentId, Seconds,
    Secret, SecretHash, Slot, Timestamp, Token,
};

/// Everything that a node knows, as it is kept.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Snapshot {
    /// Channels of ours.
    pub channels: Vec<ChannelRecord>,
    /// Their pending locks.
    pub locks: Vec<(LockKey, LockRecord)>,
    /// Payments of ours that are still pending.
    pub payments: Vec<PaymentRecord>,
    /// Invoices of ours that are not paid.
    pub invoices: Vec<InvoiceRecord>,
    /// Transactions under way.
    pub intents: Vec<IntentRecord>,
    /// Everybody's channels.
    pub graph: Vec<GraphRecord>,
    /// What nodes say of themselves.
    pub nodes: Vec<NodeRecord>,
    /// Secrets that were ever registered.
    pub registered: Vec<SecretHash>,
    /// The last lives of pairs of ours that are over.
    pub ended: Vec<(ChannelId, EndedRecord)>,
    /// Where the chain stood.
    pub block: Option<BlockRecord>,
    /// Our fees, where they were set.
    pub fees: Vec<(Option<ChannelId>, FeeSchedule)>,
    /// The number that the next notice gets.
    pub next_notice: u64,
    /// The number that the next receipt gets.
    pub next_receipt: u64,
}

/// The part of a channel that changes with every update, without its locks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EndRecord {
    /// Deposited in all.
    pub deposit: Amount,
    /// Withdrawn in all.
    pub withdrawn: Amount,
    /// Of the last update.
    pub nonce: Nonce,
    /// Paid in all.
    pub transferred: Amount,
    /// The least number that the next lock can have.
    pub next_number: LockNumber,
}
fields_codec!(EndRecord { deposit, withdrawn, nonce, transferred, next_number });

/// A channel of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelRecord {
    /// Its name.
    pub id: ChannelId,
    /// The token.
    pub token: Token,
    /// The other side.
    pub partner: Address,
    /// Its life.
    pub epoch: Epoch,
    /// How long a dispute takes updates.
    pub settle_timeout: Seconds,
    /// Our side.
    pub ours: EndRecord,
    /// The partner's.
    pub theirs: EndRecord,
    /// The last nonce of ours that the partner has stored.
    pub acknowledged: Nonce,
    /// The partner's latest proof.
    pub proof: Option<SignedBalance>,
    /// The partner broke a rule (its number): nothing more is received.
    pub stopped: Option<u16>,
    /// We want it closed.
    pub closing: bool,
    /// The dispute, once there is one.
    pub dispute: Option<DisputeRecord>,
    /// What the chain told of it.
    pub standing: StandingRecord,
    /// What both agree on, or try to.
    pub agreements: AgreementsRecord,
}

/// What the contract holds for a closed channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DisputeRecord {
    /// Who closed.
    pub closer: Address,
    /// The last second for updates and unlocks.
    pub update_until: Timestamp,
    /// The stored balance of our direction.
    pub ours: Balance,
    /// The stored balance of the partner's direction.
    pub theirs: Balance,
    /// The stored nonce of the partner's direction.
    pub theirs_nonce: Nonce,
}

/// A lock's place: whose direction, which slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LockKey {
    /// The channel.
    pub channel: ChannelId,
    /// Whether we are the payer.
    pub ours: bool,
    /// The slot.
    pub slot: Slot,
}

fields_codec!(LockKey { channel, ours, slot });

/// A pending lock and what it is to us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockRecord {
    /// The promise.
    pub lock: Lock,
    /// What it is for.
    pub role: LockRole,
    /// What happens with it.
    pub fate: LockFate,
    /// When its secret was registered on the chain in time, and the way to the root.
    pub registered: Option<RegistrationRecord>,
    /// Claimed on the chain.
    pub unlocked: bool,
    /// What we keep of it, where we forward it.
    pub fee: Amount,
}
fields_codec!(LockRecord { lock, role, fate, registered, unlocked, fee });

/// What a lock is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LockRole {
    /// Ours: a payment of ours.
    Initiator(PaymentId),
    /// Ours: forwards this lock of a payer.
    Onward(LockKey),
    /// A payer's: forwarded as this lock of ours.
    Forwarded(LockKey),
    /// A payer's: it ends at us.
    Target {
        /// The payer's name for it.
        payment: PaymentId,
        /// Whether it pays an invoice of ours, whose hash is the lock's.
        invoice: bool,
        /// The payer's words.
        note: Vec<u8>,
    },
    /// A payer's: given back as soon as it came, or done with.
    Refused,
    /// Ours: whoever it was forwarded for has paid us, so it is paid as soon as we can sign.
    Owed,
}

/// What happens with a lock. Claimed or disposed, never both, and finally so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LockFate {
    /// Nobody knows yet.
    Open,
    /// The secret is known: the payee is paid.
    Claimed(Secret),
    /// The payee has given it back, for good.
    Disposed(Failure),
}

/// How to show the contract that a secret was registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrationRecord {
    /// The registration's time.
    pub time: Timestamp,
    /// Its root.
    pub root: B256,
    /// The secret's leaf.
    pub index: u8,
    /// From the leaf to the root.
    pub path: Vec<B256>,
}

/// A payment of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentRecord {
    /// Its name.
    pub id: PaymentId,
    /// Who is paid, in what, how much.
    pub target: Target,
    /// The most that mediators may take.
    pub max_fee: Amount,
    /// What they take, by the route in use.
    pub fee: Amount,
    /// Us first, the target last; the route in use.
    pub route: Vec<Address>,
    /// The payer's words.
    pub note: Vec<u8>,
    /// The invoice that it pays.
    pub invoice: Option<SecretHash>,
    /// Set for a direct payment: the update that carries it. Acknowledged, it is paid.
    pub direct: Option<(ChannelId, Nonce)>,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it ended, or was last heard of.
    pub changed: Timestamp,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What is left to try.
    pub attempts: Vec<Attempt>,
}
fields_codec!(PaymentRecord {
    id,
    target,
    max_fee,
    fee,
    route,
    note,
    invoice,
    direct,
    created,
    changed,
    status,
    attempts,
});

/// A payment that reached us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiptRecord {
    /// Rises by one.
    pub number: u64,
    /// The payer's name for it.
    pub payment: PaymentId,
    /// The token.
    pub token: Token,
    /// The channel that it came through.
    pub channel: ChannelId,
    /// The partner that it came through.
    pub partner: Address,
    /// How much.
    pub amount: Amount,
    /// The payer's words.
    pub note: Vec<u8>,
    /// The invoice that it pays.
    pub invoice: Option<SecretHash>,
    /// When.
    pub at: Timestamp,
}
fields_codec!(ReceiptRecord {
    number,
    payment,
    token,
    channel,
    partner,
    amount,
    note,
    invoice,
    at,
});

/// An invoice of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvoiceRecord {
    /// As it was given away.
    pub invoice: Invoice,
    /// Opens what is paid to it; none while its owner keeps it to himself.
    pub secret: Option<Secret>,
    /// What it brought, once it is paid.
    pub paid: Option<Amount>,
    /// Its owner has given it up.
    pub cancelled: bool,
}
fields_codec!(InvoiceRecord { invoice, secret, paid, cancelled });

/// A transaction that we want.
#[derive(Clone, PartialEq, Debug)]
pub struct IntentRecord {
    /// Its name, and the call.
    pub intent: Intent,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a transaction is for; the same purpose is never under way twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// Opening this channel.
    Open(ChannelId),
    /// A deposit; any number may be under way.
    Deposit(ChannelId, IntentId),
    /// Closing it.
    Close(ChannelId),
    /// Submitting the partner's proof with this nonce.
    Update(ChannelId, Nonce),
    /// Claiming locks.
    Unlock(ChannelId),
    /// Registering secrets.
    Register(IntentId),
    /// Settling it.
    Settle(ChannelId),
    /// Taking tokens out of it.
    Withdraw(ChannelId),
    /// Ending it together.
    CooperativeSettle(ChannelId),
    /// Taking back the claim of the lock in this slot of our direction.
    Punish(ChannelId, Slot),
}

/// A channel of anybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GraphRecord {
    /// Its name.
    pub channel: ChannelId,
    /// The token.
    pub token: Token,
    /// The participant with the lower address.
    pub low: Address,
    /// The other.
    pub high: Address,
    /// The low one's deposit.
    pub deposit_low: Amount,
    /// The other's.
    pub deposit_high: Amount,
    /// Whether it still takes payments.
    pub open: bool,
}

/// Where the chain stood when we last looked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockRecord {
    /// All events up to this block have been handled.
    pub number: BlockNumber,
    /// Its time.
    pub time: Timestamp,
}
fields_codec!(BlockRecord { number, time });

fields_codec!(ChannelRecord {
    id,
    token,
    partner,
    epoch,
    settle_timeout,
    ours,
    theirs,
    acknowledged,
    proof,
    stopped,
    closing,
    dispute,
    standing,
    agreements,
});
fields_codec!(DisputeRecord { closer, update_until, ours, theirs, theirs_nonce });
fields_codec!(RegistrationRecord { time, root, index, path });
fields_codec!(GraphRecord { channel, token, low, high, deposit_low, deposit_high, open });
fields_codec!(IntentRecord { intent, purpose });
fields_codec!(Intent { id, call, deadline });
fields_codec!(Target { token, account, amount });
fields_codec!(Attempt { secret, secret_hash, sealed });

impl Encode for IntentId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for IntentId {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        u64::decode(input).map(Self)
    }
}

/// Implements the codec of an enum: a tag, then the fields.
macro_rules! tagged {
    ($name:ident, $what:literal {
        $($tag:literal => $variant:ident $(($($value:ident),+))? $({$($field:ident),+})?,)*
    }) => {
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $(($($value),+))? $({$($field),+})? => {
                        out.push($tag);
                        $($($value.encode(out);)+)?
                        $($($field.encode(out);)+)?
                    })*
                }
            }
        }

        impl Decode for $name {
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match u8::decode(input)? {
                    $($tag => {
                        $($(let $value = Decode::decode(input)?;)+)?
                        $($(let $field = Decode::decode(input)?;)+)?
                        Ok(Self::$variant $(($($value),+))? $({$($field),+})?)
                    })*
                    got => Err(DecodeError::Tag { what: $what, got }),
                }
            }
        }
    };
}
pub(crate) use tagged;

tagged!(LockRole, "lock role" {
    0 => Initiator(payment),
    1 => Onward(incoming),
    2 => Forwarded(outgoing),
    3 => Target { payment, invoice, note },
    4 => Refused,
    5 => Owed,
});
tagged!(LockFate, "lock fate" {
    0 => Open,
    1 => Claimed(secret),
    2 => Disposed(failure),
});
tagged!(PaymentStatus, "payment status" {
    0 => Pending,
    1 => Paid { proof },
    2 => Failed(failure),
});
tagged!(PaymentFailure, "payment failure" {
    0 => Hop(failure),
    1 => Expired,
    2 => ChannelClosed,
});
tagged!(Purpose, "purpose" {
    0 => Open(channel),
    1 => Deposit(channel, id),
    2 => Close(channel),
    3 => Update(channel, nonce),
    4 => Unlock(channel),
    5 => Register(id),
    6 => Settle(channel),
    7 => Withdraw(channel),
    8 => CooperativeSettle(channel),
    9 => Punish(channel, slot),
});
