//! What both sign together: taking tokens out of an open channel, and ending it.
//!
//! Who asks signs nothing. The answer is the other's signature, which only the one who asked can
//! bring onto the chain; so whoever asked may always let it be.

use crate::claim::{CooperativeSettle, Withdraw};
use crate::codec::{Decode, DecodeError, Encode, Reader};
use crate::{Address, Amount, ChannelId, Epoch, Nonce, Signature, Timestamp};
use alloc::vec::Vec;

/// The sender wants to take tokens out of an open channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestWithdraw {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// All that the sender will ever have withdrawn in this epoch.
    pub withdrawn: Amount,
    /// The last second at which the contract shall accept it.
    pub valid_until: Timestamp,
}

/// The partner of who requested it consents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgreeWithdraw {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// As requested.
    pub withdrawn: Amount,
    /// As requested.
    pub valid_until: Timestamp,
    /// Of the [`Withdraw`].
    pub signature: Signature,
}

impl AgreeWithdraw {
    /// The claim that the signature signs, if `participant` is who requested it.
    pub const fn claim(&self, participant: Address) -> Withdraw {
        Withdraw {
            channel: self.channel,
            epoch: self.epoch,
            participant,
            withdrawn: self.withdrawn,
            valid_until: self.valid_until,
        }
    }
}

/// The sender wants to end the channel as both directions stand: no locks, nothing on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProposeSettle {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// The last nonce that the sender has signed.
    pub sent: Nonce,
    /// The last nonce that the sender has stored.
    pub received: Nonce,
    /// All that the participant with the lower address has transferred.
    pub transferred_low: Amount,
    /// All that the other has.
    pub transferred_high: Amount,
    /// The last second at which the contract shall accept it.
    pub valid_until: Timestamp,
}

/// The partner of who proposed it consents, and from then on neither signs nor accepts updates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgreeSettle {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// As proposed.
    pub transferred_low: Amount,
    /// As proposed.
    pub transferred_high: Amount,
    /// As proposed.
    pub valid_until: Timestamp,
    /// Of the [`CooperativeSettle`].
    pub signature: Signature,
}

impl AgreeSettle {
    /// The claim that the signature signs.
    pub const fn claim(&self) -> CooperativeSettle {
        CooperativeSettle {
            channel: self.channel,
            epoch: self.epoch,
            transferred_low: self.transferred_low,
            transferred_high: self.transferred_high,
            valid_until: self.valid_until,
        }
    }
}

/// What can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Agreement {
    /// A [`RequestWithdraw`].
    Withdraw,
    /// A [`ProposeSettle`].
    Settle,
}

/// The sender does not consent, and has signed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decline {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// To what.
    pub agreement: Agreement,
    /// Of what was asked for: names it.
    pub valid_until: Timestamp,
    /// The number of the rule, for the log of the receiver.
    pub rule: u16,
}

crate::fields_codec!(RequestWithdraw { channel, epoch, withdrawn, valid_until });
crate::fields_codec!(AgreeWithdraw { channel, epoch, withdrawn, valid_until, signature });
crate::fields_codec!(ProposeSettle {
    channel,
    epoch,
    sent,
    received,
    transferred_low,
    transferred_high,
    valid_until,
});
crate::fields_codec!(AgreeSettle {
    channel,
    epoch,
    transferred_low,
    transferred_high,
    valid_until,
    signature,
});
crate::fields_codec!(Decline { channel, epoch, agreement, valid_until, rule });

impl Encode for Agreement {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Withdraw => 1,
            Self::Settle => 2,
        });
    }
}

impl Decode for Agreement {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            1 => Ok(Self::Withdraw),
            2 => Ok(Self::Settle),
            got => Err(DecodeError::Tag { what: "agreement", got }),
        }
    }
}
