//! What two nodes say to each other, inside one authenticated, encrypted session.

mod agreement;

pub use agreement::{
    AgreeSettle, AgreeWithdraw, Agreement, Decline, ProposeSettle, RequestWithdraw,
};

use crate::claim::{BalanceProof, Disposal};
use crate::codec::{Decode, DecodeError, Encode, Reader, put_bytes, put_length, put_list};
use crate::limits::{
    CHANNELS_PER_MESSAGE, DISPOSED_LOCKS, NOTE_BYTES, ONWARD_BYTES, OPERATIONS,
    RECORDS_PER_MESSAGE, SECRETS,
};
use crate::lock::Lock;
use crate::record::NodeRecord;
use crate::{
    Address, Amount, ChannelId, Epoch, LockHash, Locksroot, Nonce, PaymentId, Secret, Signature,
    Slot,
};
use alloc::vec::Vec;
use core::fmt;

/// The version of this protocol; peers of another version are refused.
pub const VERSION: u16 = 2;

/// One message; one frame carries one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// First in every session: nodes of another protocol, chain or contract part here.
    Hello(Hello),
    /// After the hello: where each channel stands, so that what is missing is sent again.
    Reestablish(Vec<ChannelStatus>),
    /// Changes the payer's direction.
    Update(Update),
    /// All updates up to this nonce are durable at the payee.
    Acknowledge(Acknowledge),
    /// An update was refused; its direction stands still until a human looks.
    Refuse(Refuse),
    /// The payee shows the secrets of locks that it wants paid.
    Reveal(Vec<Secret>),
    /// The payee gives locks back.
    Dispose(Dispose),
    /// What the sender knows of nodes.
    Records(Vec<NodeRecord>),
    /// The sender wants to take tokens out.
    RequestWithdraw(RequestWithdraw),
    /// The partner consents.
    AgreeWithdraw(AgreeWithdraw),
    /// The sender wants to end the channel together.
    ProposeSettle(ProposeSettle),
    /// The partner consents.
    AgreeSettle(AgreeSettle),
    /// The partner does not consent.
    Decline(Decline),
}

/// Who is speaking, and about which network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hello {
    /// See [`VERSION`].
    pub version: u16,
    /// The chain's id.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
}

/// Where the sender of this stands in a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelStatus {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// The last nonce that the sender has signed.
    pub sent: Nonce,
    /// The last nonce that the sender has stored.
    pub received: Nonce,
    /// The sender has not heard where the receiver stands since it started, and asks.
    pub asks: bool,
}

/// One new balance proof, and the operations that lead to it from the one before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Update {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// One more than the last.
    pub nonce: Nonce,
    /// Applied in order, all or none.
    pub operations: Vec<Operation>,
    /// After the operations: all that was ever paid in this direction.
    pub transferred: Amount,
    /// After the operations: the sum of the pending locks.
    pub locked: Amount,
    /// After the operations: commits to the pending locks.
    pub locksroot: Locksroot,
    /// Of the [`BalanceProof`].
    pub signature: Signature,
}

impl Update {
    /// The claim that the signature signs, if `payer` is whose direction this is.
    pub const fn proof(&self, payer: Address) -> BalanceProof {
        BalanceProof {
            channel: self.channel,
            epoch: self.epoch,
            payer,
            nonce: self.nonce,
            transferred: self.transferred,
            locksroot: self.locksroot,
        }
    }
}

/// One change of a payer's direction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Pays the partner at once.
    Pay {
        /// The payer's name for the payment.
        payment: PaymentId,
        /// How much.
        amount: Amount,
        /// Whatever the payer wants to say, at most [`NOTE_BYTES`] bytes.
        note: Vec<u8>,
    },
    /// Promises a payment to whoever shows the secret in time.
    Lock {
        /// A free slot.
        slot: Slot,
        /// The promise.
        lock: Lock,
        /// What the payee needs to go on; see [`crate::onward`].
        onward: Vec<u8>,
    },
    /// Pays a lock whose secret is known.
    Unlock {
        /// The lock's slot.
        slot: Slot,
        /// Opens it.
        secret: Secret,
    },
    /// Takes back a lock that is past and was not registered in time.
    Expire {
        /// The lock's slot.
        slot: Slot,
    },
    /// Takes back a lock that the payee has disposed.
    Drop {
        /// The lock's slot.
        slot: Slot,
    },
}

impl Operation {
    /// Bytes of the encoding, at most.
    pub fn size(&self) -> usize {
        const FIXED: usize = 80;
        match self {
            Self::Pay { note, .. } => note.len().saturating_add(FIXED),
            Self::Lock { onward, .. } => onward.len().saturating_add(FIXED),
            Self::Unlock { .. } | Self::Expire { .. } | Self::Drop { .. } => FIXED,
        }
    }
}

/// All updates of the receiver's direction up to this nonce are durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acknowledge {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// Cumulative.
    pub nonce: Nonce,
}

/// An update was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refuse {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// The refused update.
    pub nonce: Nonce,
    /// The number of the broken rule, for the log of the receiver.
    pub rule: u16,
}

/// Locks given back, with the payee's signature that makes claiming them punishable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dispose {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// Which locks and why, at least one.
    pub locks: Vec<DisposedLock>,
    /// Of the [`Disposal`].
    pub signature: Signature,
}

impl Dispose {
    /// The claim that the signature signs, if `payer` is whose direction the locks are in.
    pub fn disposal(&self, payer: Address) -> Disposal {
        let locks = self.locks.iter().map(|disposed| disposed.lock).collect();
        Disposal { channel: self.channel, epoch: self.epoch, payer, locks }
    }
}

/// One lock given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DisposedLock {
    /// The lock's hash.
    pub lock: LockHash,
    /// Why.
    pub failure: Failure,
}

/// Why a payment could not go on, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The node that could not go on.
    pub hop: Address,
    /// What it says of it.
    pub reason: Reason,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $tag:literal, $code:literal;)*) => {
        /// Why a node could not go on with a payment.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// The stable code that people and programs see.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }

        impl Encode for Reason {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(match self { $(Self::$name => $tag,)* });
            }
        }

        impl Decode for Reason {
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match u8::decode(input)? {
                    $($tag => Ok(Self::$name),)*
                    got => Err(DecodeError::Tag { what: "reason", got }),
                }
            }
        }
    };
}

reasons! {
    /// The hop has no open channel with the next node.
    NoChannel = 1, "no_channel";
    /// The next node is not connected to the hop.
    PartnerOffline = 2, "partner_offline";
    /// The hop's balance towards the next node is too small.
    InsufficientBalance = 3, "insufficient_balance";
    /// The hop wants a higher fee.
    FeeTooLow = 4, "fee_too_low";
    /// Too little time is left to be safe.
    ExpirationTooSoon = 5, "expiration_too_soon";
    /// The lock ends too late for the channel's settle timeout.
    ExpirationTooLate = 6, "expiration_too_late";
    /// No slot is free, or too many operations wait.
    ChannelBusy = 7, "channel_busy";
    /// The onward packet does not make sense to the hop.
    BadPacket = 8, "bad_packet";
    /// The target has no such invoice, or it is paid already.
    UnknownInvoice = 9, "unknown_invoice";
    /// The invoice is past its expiry.
    InvoiceExpired = 10, "invoice_expired";
    /// The target expects another amount.
    WrongAmount = 11, "wrong_amount";
    /// The hop has lost sight of the chain and takes no locks.
    ChainUnavailable = 12, "chain_unavailable";
    /// The lock is worth less than claiming it on the chain would cost.
    AmountTooSmall = 13, "amount_too_small";
    /// The payment would come back to a hop that already holds a lock of it.
    DuplicateLock = 14, "duplicate_lock";
    /// The target has given the payment up, for its own reasons.
    Rejected = 15, "rejected";
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoChannel => "it has no open channel with the next node",
            Self::PartnerOffline => "the next node is not connected to it",
            Self::InsufficientBalance => "its balance towards the next node is too small",
            Self::FeeTooLow => "it wants a higher fee",
            Self::ExpirationTooSoon => "too little time was left to forward safely",
            Self::ExpirationTooLate => "the lock ends too late for the settle timeout",
            Self::ChannelBusy => "too many payments are pending in its channel",
            Self::BadPacket => "it could not read its part of the payment",
            Self::UnknownInvoice => "it knows no such unpaid invoice",
            Self::InvoiceExpired => "the invoice has expired",
            Self::WrongAmount => "it expects another amount",
            Self::ChainUnavailable => "it has lost sight of the chain",
            Self::AmountTooSmall => "the amount is below its least lock",
            Self::DuplicateLock => "it already holds a lock of this payment",
            Self::Rejected => "it gave the payment up",
        })
    }
}

crate::fields_codec!(Hello { version, chain_id, contract });
crate::fields_codec!(ChannelStatus { channel, epoch, sent, received, asks });
crate::fields_codec!(Acknowledge { channel, epoch, nonce });
crate::fields_codec!(Refuse { channel, epoch, nonce, rule });
crate::fields_codec!(DisposedLock { lock, failure });
crate::fields_codec!(Failure { hop, reason });

impl Encode for Operation {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Pay { payment, amount, note } => {
                out.push(0);
                payment.encode(out);
                amount.encode(out);
                put_bytes(out, note);
            }
            Self::Lock { slot, lock, onward } => {
                out.push(1);
                slot.encode(out);
                lock.encode(out);
                put_bytes(out, onward);
            }
            Self::Unlock { slot, secret } => {
                out.push(2);
                slot.encode(out);
                secret.encode(out);
            }
            Self::Expire { slot } => {
                out.push(3);
                slot.encode(out);
            }
            Self::Drop { slot } => {
                out.push(4);
                slot.encode(out);
            }
        }
    }
}

impl Decode for Operation {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match u8::decode(input)? {
            0 => Self::Pay {
                payment: PaymentId::decode(input)?,
                amount: Amount::decode(input)?,
                note: input.bytes(NOTE_BYTES)?,
            },
            1 => Self::Lock {
                slot: Slot::decode(input)?,
                lock: Lock::decode(input)?,
                onward: input.bytes(ONWARD_BYTES)?,
            },
            2 => Self::Unlock { slot: Slot::decode(input)?, secret: Secret::decode(input)? },
            3 => Self::Expire { slot: Slot::decode(input)? },
            4 => Self::Drop { slot: Slot::decode(input)? },
            got => return Err(DecodeError::Tag { what: "operation", got }),
        })
    }
}

impl Encode for Update {
    fn encode(&self, out: &mut Vec<u8>) {
        self.channel.encode(out);
        self.epoch.encode(out);
        self.nonce.encode(out);
        put_list(out, &self.operations);
        self.transferred.encode(out);
        self.locked.encode(out);
        self.locksroot.encode(out);
        self.signature.encode(out);
    }
}

impl Decode for Update {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const LEAST_OPERATION: usize = 3;
        Ok(Self {
            channel: ChannelId::decode(input)?,
            epoch: Epoch::decode(input)?,
            nonce: Nonce::decode(input)?,
            operations: input.list(OPERATIONS, LEAST_OPERATION)?,
            transferred: Amount::decode(input)?,
            locked: Amount::decode(input)?,
            locksroot: Locksroot::decode(input)?,
            signature: Signature::decode(input)?,
        })
    }
}

impl Encode for Dispose {
    fn encode(&self, out: &mut Vec<u8>) {
        self.channel.encode(out);
        self.epoch.encode(out);
        put_list(out, &self.locks);
        self.signature.encode(out);
    }
}

impl Decode for Dispose {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const DISPOSED_LOCK: usize = 53;
        let dispose = Self {
            channel: ChannelId::decode(input)?,
            epoch: Epoch::decode(input)?,
            locks: input.list(DISPOSED_LOCKS, DISPOSED_LOCK)?,
            signature: Signature::decode(input)?,
        };
        if dispose.locks.is_empty() {
            return Err(DecodeError::Range("disposed locks"));
        }
        Ok(dispose)
    }
}

impl Encode for Message {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => {
                out.push(1);
                hello.encode(out);
            }
            Self::Reestablish(channels) => {
                out.push(2);
                put_list(out, channels);
            }
            Self::Update(update) => {
                out.push(3);
                update.encode(out);
            }
            Self::Acknowledge(acknowledge) => {
                out.push(4);
                acknowledge.encode(out);
            }
            Self::Refuse(refuse) => {
                out.push(5);
                refuse.encode(out);
            }
            Self::Reveal(secrets) => {
                out.push(6);
                put_list(out, secrets);
            }
            Self::Dispose(dispose) => {
                out.push(7);
                dispose.encode(out);
            }
            Self::Records(records) => {
                out.push(8);
                put_length(out, records.len());
                records.iter().for_each(|record| record.encode(out));
            }
            Self::RequestWithdraw(request) => {
                out.push(9);
                request.encode(out);
            }
            Self::AgreeWithdraw(agree) => {
                out.push(10);
                agree.encode(out);
            }
            Self::ProposeSettle(propose) => {
                out.push(11);
                propose.encode(out);
            }
            Self::AgreeSettle(agree) => {
                out.push(12);
                agree.encode(out);
            }
            Self::Decline(decline) => {
                out.push(13);
                decline.encode(out);
            }
        }
    }
}

impl Decode for Message {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match u8::decode(input)? {
            1 => Self::Hello(Hello::decode(input)?),
            2 => Self::Reestablish(input.list(CHANNELS_PER_MESSAGE, 53)?),
            3 => Self::Update(Update::decode(input)?),
            4 => Self::Acknowledge(Acknowledge::decode(input)?),
            5 => Self::Refuse(Refuse::decode(input)?),
            6 => Self::Reveal(input.list(SECRETS, 32)?),
            7 => Self::Dispose(Dispose::decode(input)?),
            8 => Self::Records(input.list(RECORDS_PER_MESSAGE, NodeRecord::LEAST_BYTES)?),
            9 => Self::RequestWithdraw(RequestWithdraw::decode(input)?),
            10 => Self::AgreeWithdraw(AgreeWithdraw::decode(input)?),
            11 => Self::ProposeSettle(ProposeSettle::decode(input)?),
            12 => Self::AgreeSettle(AgreeSettle::decode(input)?),
            13 => Self::Decline(Decline::decode(input)?),
            got => return Err(DecodeError::Tag { what: "message", got }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{B256, LockNumber, SecretHash, Timestamp};

    fn update() -> Update {
        let lock = Lock {
            number: LockNumber(9),
            amount: Amount(20),
            expiration: Timestamp(1_000),
            secret_hash: SecretHash(B256::repeat_byte(5)),
        };
        Update {
            channel: ChannelId(B256::repeat_byte(1)),
            epoch: Epoch(1),
            nonce: Nonce(7),
            operations: [
                Operation::Pay { payment: PaymentId([2; 16]), amount: Amount(3), note: [4].into() },
                Operation::Lock { slot: Slot(4095), lock, onward: [6; 30].into() },
                Operation::Unlock { slot: Slot(1), secret: Secret([7; 32]) },
                Operation::Expire { slot: Slot(2) },
                Operation::Drop { slot: Slot(3) },
            ]
            .into(),
            transferred: Amount(100),
            locked: Amount(20),
            locksroot: Locksroot(B256::repeat_byte(8)),
            signature: Signature([9; 65]),
        }
    }

    #[test]
    fn every_cut_and_every_extension_of_an_update_is_refused() {
        let bytes = Message::Update(update()).to_bytes();
        assert_eq!(Message::from_bytes(&bytes), Ok(Message::Update(update())));
        for length in 0..bytes.len() {
            assert!(Message::from_bytes(&bytes[..length]).is_err(), "cut to {length} bytes");
        }
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(Message::from_bytes(&longer), Err(DecodeError::Trailing(1)));
    }

    #[test]
    fn a_size_covers_its_operation() {
        for operation in update().operations {
            assert!(operation.to_bytes().len() <= operation.size());
        }
    }

    #[test]
    fn an_unknown_operation_refuses_the_whole_update() {
        let mut bytes = Message::Update(update()).to_bytes();
        let first_operation = 1 + 32 + 4 + 8 + 2;
        bytes[first_operation] = 77;
        let expected = DecodeError::Tag { what: "operation", got: 77 };
        assert_eq!(Message::from_bytes(&bytes), Err(expected));
    }

    #[test]
    fn a_length_beyond_what_was_sent_allocates_nothing() {
        let bytes = [6, 0x04, 0x00];
        let expected = DecodeError::Short { needed: 1024 * 32, left: 0 };
        assert_eq!(Message::from_bytes(&bytes), Err(expected));
    }

    #[test]
    fn a_disposal_of_more_locks_than_punishing_can_bear_is_refused() {
        let failure = Failure { hop: Address::repeat_byte(3), reason: Reason::ALL[0] };
        let lock = DisposedLock { lock: crate::LockHash(B256::repeat_byte(3)), failure };
        let disposal = |count| Dispose {
            channel: ChannelId(B256::repeat_byte(1)),
            epoch: Epoch(1),
            locks: alloc::vec![lock; count],
            signature: Signature([9; 65]),
        };
        let most = disposal(DISPOSED_LOCKS);
        assert_eq!(Dispose::from_bytes(&most.to_bytes()), Ok(most));
        let junk_beside = disposal(DISPOSED_LOCKS + 1).to_bytes();
        assert!(Dispose::from_bytes(&junk_beside).is_err());
    }

    #[test]
    fn reasons_keep_their_codes_and_tags_apart() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_bytes(&reason.to_bytes()), Ok(*reason));
        }
    }
}
