//! Read-only questions for the API, and the plain values that answer them.

use crate::record::{Purpose, tagged};
use alloc::vec::Vec;
use photon_wire::codec::{Decode, DecodeError, Encode, Reader};
use photon_wire::message::Failure;
use photon_wire::{
    Address, Amount, B256, ChannelId, Epoch, Nonce, PaymentId, Seconds, Secret, SecretHash,
    Timestamp, Token,
};

/// Who is to be paid, in what, how much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The token.
    pub token: Token,
    /// Who.
    pub account: Address,
    /// What shall arrive.
    pub amount: Amount,
}

/// A channel of ours as its owner sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelView {
    /// Its name.
    pub id: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// The token.
    pub token: Token,
    /// The other side.
    pub partner: Address,
    /// Whether a session with the partner is up.
    pub partner_online: bool,
    /// How long a dispute takes updates.
    pub settle_timeout: Seconds,
    /// Where it stands.
    pub state: ChannelState,
    /// Our side.
    pub ours: EndView,
    /// The partner's.
    pub theirs: EndView,
}

/// One side of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndView {
    /// Deposited in all.
    pub deposit: Amount,
    /// Withdrawn in all.
    pub withdrawn: Amount,
    /// Being withdrawn: gone from the balance, and not paid out yet.
    pub withdrawing: Amount,
    /// deposit − withdrawn + received − paid.
    pub balance: Amount,
    /// In pending locks of this side.
    pub locked: Amount,
    /// How many locks those are.
    pub locks: usize,
    /// balance − locked: what this side can pay now.
    pub spendable: Amount,
    /// Of this side's last update.
    pub nonce: Nonce,
}

/// Where a channel stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelState {
    /// Takes payments.
    Open,
    /// The partner broke a rule; nothing more is received, what is there can be closed.
    Stopped,
    /// Being ended together with the partner: no new payments.
    Settling,
    /// The chain took back what it had told of this channel; nothing is signed until it tells it
    /// again.
    Doubted,
    /// We have asked the chain to close it, or its closing is not deep enough yet.
    Closing,
    /// The dispute runs.
    Closed {
        /// The last second for updates and unlocks.
        update_until: Timestamp,
        /// From then on it can be settled, which the node does by itself.
        settle_after: Timestamp,
    },
}

/// A route and what it costs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// Us first, the target last.
    pub route: Vec<Address>,
    /// What leaves us; `amount + fee`.
    pub total: Amount,
    /// What the mediators take.
    pub fee: Amount,
    /// Whether it is a plain transfer to our partner.
    pub direct: bool,
    /// How likely somebody on the way cannot go on: 0 to 100, a guess by the capacities on the
    /// chain and how much of them the amount is.
    pub trouble_percent: u8,
}

/// Where a payment of ours stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PaymentStatus {
    /// On its way.
    Pending,
    /// The target has it. A routed payment gives its secret as proof.
    Paid {
        /// None for a direct payment.
        proof: Option<Secret>,
    },
    /// It did not happen, and every token is back.
    Failed(PaymentFailure),
}

/// Why a payment did not happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaymentFailure {
    /// A node on the route could not go on.
    Hop(Failure),
    /// The lock ran out before anybody claimed it.
    Expired,
    /// The channel was closed before the payment was under way.
    ChannelClosed,
}

/// Something worth telling, in the past tense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoticeKind {
    /// A channel of ours is open.
    ChannelOpened {
        /** Which. */
        channel: ChannelId,
        /** Its token. */
        token: Token,
        /** With whom. */
        partner: Address,
    },
    /// A deposit arrived.
    Deposited {
        /** Where. */
        channel: ChannelId,
        /** Whose. */
        participant: Address,
        /** In all. */
        deposit: Amount,
    },
    /// The dispute began.
    ChannelClosed {
        /** Which. */
        channel: ChannelId,
        /** By whom. */
        closer: Address,
        /** The last second for updates. */
        update_until: Timestamp,
    },
    /// A stored balance changed during the dispute.
    BalanceUpdated {
        /** Where. */
        channel: ChannelId,
        /** Whose direction. */
        payer: Address,
        /** Of the proof. */
        nonce: Nonce,
    },
    /// A lock was claimed on the chain.
    Unlocked {
        /** Where. */
        channel: ChannelId,
        /** Whose direction. */
        payer: Address,
        /** How much. */
        amount: Amount,
    },
    /// Both were paid out.
    ChannelSettled {
        /** Which. */
        channel: ChannelId,
        /** With whom. */
        partner: Address,
        /** To us. */
        ours: Amount,
        /** To the partner. */
        theirs: Amount,
    },
    /// A payment of ours arrived.
    PaymentSent {
        /** Which. */
        payment: PaymentId,
        /** In what. */
        token: Token,
        /** To whom. */
        target: Address,
        /** What arrived. */
        amount: Amount,
        /** What mediators took. */
        fee: Amount,
    },
    /// A payment of ours did not happen.
    PaymentFailed {
        /** Which. */
        payment: PaymentId,
        /** Why. */
        failure: PaymentFailure,
    },
    /// Somebody paid us.
    PaymentReceived {
        /** The payer's name for it. */
        payment: PaymentId,
        /** In what. */
        token: Token,
        /** From which partner it came; not the initiator of a routed payment. */
        partner: Address,
        /** How much. */
        amount: Amount,
        /** The invoice that it pays. */
        invoice: Option<SecretHash>,
    },
    /// A payment went through us.
    PaymentMediated {
        /** In what. */
        token: Token,
        /** From. */
        payer: Address,
        /** To. */
        payee: Address,
        /** Forwarded. */
        amount: Amount,
        /** Kept. */
        fee: Amount,
    },
    /// The partner broke a rule; the direction stands still.
    DirectionStopped {
        /** Where. */
        channel: ChannelId,
        /** Who. */
        partner: Address,
        /** The number of the rule; see [`crate::Rejection::code_of`]. */
        rule: u16,
    },
    /// The partner refused an update of ours; we send no more in this channel.
    UpdateRefused {
        /** Where. */
        channel: ChannelId,
        /** Which. */
        nonce: Nonce,
        /** The number of the rule. */
        rule: u16,
    },
    /// A transaction that we need could not be sent; it will be tried again while it helps.
    TransactionFailed {
        /** What it was for. */
        purpose: Purpose,
    },
    /// Tokens were taken out of a channel.
    Withdrawn {
        /** Where. */
        channel: ChannelId,
        /** By whom. */
        participant: Address,
        /** In all. */
        withdrawn: Amount,
    },
    /// A withdrawal of ours did not happen; its tokens are in the balance again.
    WithdrawFailed {
        /** Where. */
        channel: ChannelId,
        /** The number of the rule; see [`crate::Rejection::code_of`]. */
        rule: u16,
    },
    /// Ending a channel together did not happen; the channel goes on.
    CooperativeSettleFailed {
        /** Where. */
        channel: ChannelId,
        /** The number of the rule; see [`crate::Rejection::code_of`]. */
        rule: u16,
    },
    /// A claim of a disposed lock was taken back, and as much again.
    Punished {
        /** Where. */
        channel: ChannelId,
        /** Whose direction the lock is in; the other is punished. */
        payer: Address,
        /** The lock's amount. */
        amount: Amount,
    },
    /// The chain took back what it had told of a channel: nothing is signed there.
    ChannelDoubted {
        /** Which. */
        channel: ChannelId,
    },
    /// The chain has told it again: the channel goes on.
    ChannelTrusted {
        /** Which. */
        channel: ChannelId,
    },
    /// Somebody pays an invoice of ours whose secret the owner keeps.
    PaymentHeld {
        /** The payer's name for it. */
        payment: PaymentId,
        /** In what. */
        token: Token,
        /** From which partner it came. */
        partner: Address,
        /** How much. */
        amount: Amount,
        /** The invoice that it pays. */
        invoice: SecretHash,
        /** When the lock ends; it must be released well before. */
        expiration: Timestamp,
    },
    /// Secrets were made public because time was running out.
    SecretsRegistered {
        /** Of the registration. */
        root: B256,
        /** How many were ours to care about. */
        count: u32,
    },
}

tagged!(NoticeKind, "notice" {
    0 => ChannelOpened { channel, token, partner },
    1 => Deposited { channel, participant, deposit },
    2 => ChannelClosed { channel, closer, update_until },
    3 => BalanceUpdated { channel, payer, nonce },
    4 => Unlocked { channel, payer, amount },
    5 => ChannelSettled { channel, partner, ours, theirs },
    6 => PaymentSent { payment, token, target, amount, fee },
    7 => PaymentFailed { payment, failure },
    8 => PaymentReceived { payment, token, partner, amount, invoice },
    9 => PaymentMediated { token, payer, payee, amount, fee },
    10 => DirectionStopped { channel, partner, rule },
    11 => UpdateRefused { channel, nonce, rule },
    12 => TransactionFailed { purpose },
    13 => SecretsRegistered { root, count },
    14 => Withdrawn { channel, participant, withdrawn },
    15 => WithdrawFailed { channel, rule },
    16 => CooperativeSettleFailed { channel, rule },
    17 => Punished { channel, payer, amount },
    18 => ChannelDoubted { channel },
    19 => ChannelTrusted { channel },
    20 => PaymentHeld { payment, token, partner, amount, invoice, expiration },
});
