//! Why the core said no. One variant per rule; nothing was changed.

use core::fmt;
use photon_wire::message::Reason;
use photon_wire::{
    Address, Amount, ChannelId, Epoch, LockNumber, Locksroot, Nonce, PaymentId, Seconds, Slot,
    Timestamp, Token,
};

macro_rules! rejections {
    ($($(#[$doc:meta])* $name:ident $({$($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)?})?
        = $number:literal, $code:literal, $text:literal $(, $argument:expr)*;)*) => {
        /// Why a step was refused. Its state is as before.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Rejection {
            $($(#[$doc])* $name $({$($(#[$field_doc])* $field: $type),*})?,)*
        }

        impl Rejection {
            /// The stable name that programs see.
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$name $({$($field: _),*})? => $code,)* }
            }

            /// The name behind a number that a peer or a notice gave.
            pub const fn code_of(number: u16) -> Option<&'static str> {
                match number {
                    $($number => Some($code),)*
                    _ => None,
                }
            }

            /// The stable number that peers see.
            pub const fn number(&self) -> u16 {
                match self { $(Self::$name $({$($field: _),*})? => $number,)* }
            }
        }

        impl fmt::Display for Rejection {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name $({$($field),*})? => write!(out, $text $(, $argument)*),)*
                }
            }
        }
    };
}

rejections! {
    /// We have no channel of this name.
    UnknownChannel { /** Asked for. */ channel: ChannelId }
        = 1, "unknown_channel", "there is no channel {channel}";
    /// The channel is in another life.
    WrongEpoch { /** Ours. */ expected: Epoch, /** Theirs. */ got: Epoch }
        = 2, "wrong_epoch", "epoch is {got}, expected {expected}";
    /// The channel takes no updates any more.
    ChannelNotOpen { /** Which. */ channel: ChannelId }
        = 3, "channel_not_open", "channel {channel} is closing or closed";
    /// There is one already.
    ChannelExists { /** Which. */ channel: ChannelId }
        = 4, "channel_exists", "channel {channel} with this partner is open already";
    /// The sender is not the partner of this channel.
    NotPartner { /** Who. */ account: Address }
        = 5, "not_partner", "{account} is not the partner in this channel";
    /// The direction stands still because of an earlier violation.
    DirectionStopped { /** Which channel. */ channel: ChannelId }
        = 6, "direction_stopped", "channel {channel} is stopped after a violation by the partner";

    /// The partner holds what we do not know that we signed.
    StateLost { /** Which. */ channel: ChannelId }
        = 7, "state_lost",
        "channel {channel}: the partner knows more of our own updates than this node's store";
    /// A cooperative settle is under way.
    ChannelSettling { /** Which. */ channel: ChannelId }
        = 8, "channel_settling", "channel {channel} is being settled together with the partner";

    /// An update out of order.
    WrongNonce { /** The next. */ expected: Nonce, /** Theirs. */ got: Nonce }
        = 10, "wrong_nonce", "nonce is {got}, expected {expected}";
    /// No further proof fits into the contract's word.
    NonceExhausted = 11, "nonce_exhausted", "this channel has used all its nonces; settle it";
    /// The result differs.
    WrongTransferred { /** Ours. */ expected: Amount, /** Theirs. */ got: Amount }
        = 12, "wrong_transferred", "transferred is {got}, expected {expected}";
    /// The result differs.
    WrongLocked { /** Ours. */ expected: Amount, /** Theirs. */ got: Amount }
        = 13, "wrong_locked", "locked is {got}, expected {expected}";
    /// The result differs.
    WrongLocksroot { /** Ours. */ expected: Locksroot, /** Theirs. */ got: Locksroot }
        = 14, "wrong_locksroot", "locksroot is {}, expected {}", got.0, expected.0;
    /// Not signed by the one whose direction it is.
    WrongSigner { /** The partner. */ expected: Address }
        = 15, "wrong_signer", "the signature is not {expected}'s";
    /// An update without operations.
    EmptyUpdate = 16, "empty_update", "the update has no operations";

    /// Nothing, or more than can be.
    BadAmount { /** What was asked. */ amount: Amount }
        = 20, "bad_amount", "amount is {amount}, expected 1 to {}", Amount::MAX_DEPOSIT;
    /// More than there is.
    InsufficientBalance { /** Can be spent. */ spendable: Amount, /** Is needed. */ needed: Amount }
        = 21, "insufficient_balance", "{spendable} can be spent, {needed} is needed";
    /// The slot holds a lock.
    SlotTaken { /** Which. */ slot: Slot } = 22, "slot_taken", "slot {slot} holds a lock";
    /// The slot holds none.
    SlotEmpty { /** Which. */ slot: Slot } = 23, "slot_empty", "slot {slot} holds no lock";
    /// Lock numbers rise.
    WrongLockNumber { /** At least. */ least: LockNumber, /** Theirs. */ got: LockNumber }
        = 24, "wrong_lock_number", "lock number is {got}, expected at least {least}";
    /// The secret does not open the lock.
    WrongSecret { /** Which lock. */ slot: Slot }
        = 25, "wrong_secret", "the secret does not open the lock in slot {slot}";
    /// The lock may still be claimed.
    NotExpired { /** Of the lock. */ expiration: Timestamp, /** Confirmed. */ now: Timestamp }
        = 26, "not_expired", "the lock ends at {expiration}, confirmed time is {now}";
    /// The payee is claiming the lock.
    LockClaimed { /** Which. */ slot: Slot }
        = 27, "lock_claimed", "the lock in slot {slot} is being claimed";
    /// The payee has not given the lock back.
    NotDisposed { /** Which. */ slot: Slot }
        = 28, "not_disposed", "the lock in slot {slot} was not disposed";
    /// All slots hold locks, or too many operations wait.
    ChannelBusy { /** Which. */ channel: ChannelId }
        = 29, "channel_busy", "too many payments are pending in channel {channel}; try again";

    /// The payment has this name already, for something else.
    PaymentExists { /** Which. */ payment: PaymentId }
        = 40, "payment_exists", "payment {payment} exists already, with other contents";
    /// One cannot pay oneself.
    PayToSelf = 41, "pay_to_self", "target is this node's own address";
    /// No channels of ours in this token.
    NoChannels { /** Which. */ token: Token }
        = 42, "no_channels", "this node has no open channel for token {token}";
    /// No chain of channels reaches the target.
    NoRoute { /** Who. */ target: Address }
        = 43, "no_route", "no route of open channels reaches {target}";
    /// Routes exist, but none can carry the amount.
    NoCapacity { /** What could go. */ spendable: Amount, /** Is needed. */ needed: Amount }
        = 44, "insufficient_balance",
        "at most {spendable} could go to the target, {needed} is needed";
    /// Routes exist, but the partners on them are not connected.
    PartnerOffline { /** Who. */ partner: Address }
        = 45, "partner_offline", "partner {partner} is not connected";
    /// The cheapest route costs more than allowed.
    FeeTooHigh { /** Allowed. */ most: Amount, /** Asked. */ fee: Amount }
        = 46, "fee_too_high", "the cheapest route takes {fee} in fees, at most {most} is allowed";
    /// Nobody has told us how to seal for this target.
    UnknownTarget { /** Who. */ target: Address }
        = 47, "unknown_target", "no node record of {target} is known; ask it for an invoice";
    /// The note is too long.
    NoteTooLong { /** Bytes. */ length: usize }
        = 48, "note_too_long", "the note has {length} bytes, at most {} fit",
        photon_wire::limits::NOTE_BYTES;
    /// The invoice is past.
    InvoiceExpired { /** When it ended. */ expired: Timestamp }
        = 49, "invoice_expired", "the invoice expired at {expired}";
    /// There is an invoice with this hash.
    InvoiceExists = 50, "invoice_exists", "an invoice with this secret hash exists already";
    /// The chain does not answer: nothing that needs it is started.
    ChainUnavailable = 51, "chain_unavailable",
        "the chain does not answer; locked payments wait until it does";
    /// Somebody on the route could not go on.
    Failed { /** Who. */ hop: Address, /** Why. */ reason: Reason }
        = 52, "payment_failed", "{hop} could not go on: {reason}";
    /// The lock ran out before anybody claimed it.
    Expired = 53, "payment_expired", "the lock expired before the target took the payment";

    /// Outside the contract's bounds.
    SettleTimeoutOutOfBounds {
        /** Shortest. */ least: Seconds, /** Longest. */ most: Seconds, /** Asked. */ got: Seconds,
    } = 60, "settle_timeout_out_of_bounds", "settle timeout is {got}, expected {least} to {most}";
    /// One cannot have a channel with oneself.
    PartnerIsSelf = 61, "partner_is_self", "partner is this node's own address";
    /// The contract accepts a settle only after the dispute.
    NotSettleable { /** From when. */ from: Timestamp }
        = 62, "not_settleable", "the channel can be settled after {from}";
    /// Not closed yet.
    NotClosed = 63, "not_closed", "the channel is open; close it first";
    /// Zero is no partner.
    ZeroAddress = 64, "zero_address", "the zero address cannot take part";
    /// The same thing is on its way already.
    AlreadyPending = 65, "already_pending", "a transaction for this is pending already";
    /// Locks are pending where none may be.
    LocksPending { /** How many. */ locks: usize }
        = 67, "locks_pending",
        "{locks} locks are pending; wait until they are gone, or let the channel drain";
    /// Something is on its way between the two.
    NotInStep = 68, "not_in_step", "the two sides of the channel are not in step; try again";
    /// Too short, too long, or over.
    ValidUntilOutOfBounds { /** Latest. */ most: Timestamp, /** Asked. */ got: Timestamp }
        = 69, "valid_until_out_of_bounds", "valid until {got}, expected up to {most}";
    /// It was not executed in time.
    AgreementExpired { /** When it ended. */ expired: Timestamp }
        = 70, "agreement_expired", "it was not executed until {expired}";
    /// There is nothing to cancel, or it is too late.
    NotCancellable = 71, "not_cancellable", "it cannot be cancelled any more";
    /// We made no such invoice, or it is over.
    UnknownInvoice = 72, "unknown_invoice", "there is no unpaid invoice with this secret hash";
    /// The payment of the invoice is being taken.
    InvoicePaid = 73, "invoice_paid", "the invoice is being paid; its secret is out";
    /// The channel was closed meanwhile.
    ClosedMeanwhile = 74, "channel_closed", "the channel was closed meanwhile";
    /// The held payment must not be taken any more.
    TooLateToRelease { /** Of the lock. */ expiration: Timestamp }
        = 75, "too_late_to_release",
        "the lock ends at {expiration}: too soon to take it safely";

    /// Fees above the whole amount.
    BadFees { /** Asked. */ parts_per_million: u32 }
        = 66, "bad_fees", "{parts_per_million} parts per million, at most 1000000";
}

impl core::error::Error for Rejection {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_is_small_and_says_its_numbers() {
        assert!(size_of::<Rejection>() <= 96);
        let rejection = Rejection::WrongNonce { expected: Nonce(6), got: Nonce(7) };
        assert_eq!(alloc::format!("{rejection}"), "nonce is 7, expected 6");
        assert_eq!((rejection.code(), rejection.number()), ("wrong_nonce", 10));
    }
}
