use super::{Means, Permit, Way};
use crate::claim::{DepositAuthorization, OpenAuthorization};
use crate::codec::{Decode, DecodeError, Encode, Reader};
use crate::lock::Lock;
use crate::{
    Address, Amount, B256, ChannelKey, Epoch, LockHash, Locksroot, Nonce, Seconds, Secret,
    Signature, Slot, Timestamp, Token, fields_codec,
};
use alloc::vec::Vec;
use alloy_primitives::U256;

/// A partner's latest word, as the contract wants it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedBalance {
    /// Rises with each proof.
    pub nonce: Nonce,
    /// All that was paid.
    pub transferred: Amount,
    /// Commits to the pending locks.
    pub locksroot: Locksroot,
    /// The payer's, of the balance proof.
    pub signature: Signature,
}

/// The values behind a direction's stored commitment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    /// All that was paid.
    pub transferred: Amount,
    /// Commits to the locks.
    pub locksroot: Locksroot,
    /// What the payee declared, when he closed, to have transferred himself in the other
    /// direction; zero unless he did.
    pub declared: Amount,
}

/// One lock to be claimed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockClaim {
    /// The lock's slot.
    pub slot: Slot,
    /// The lock.
    pub lock: Lock,
    /// The index of the secret's leaf in its registration's tree.
    pub index: u8,
    /// From that leaf to the registered root.
    pub path: Vec<B256>,
}

/// A payee's consent that the sender of a transaction acts for him with one proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delegated {
    /// For whom the sender acts.
    pub payee: Address,
    /// The payee's, of the delegation that names proof and sender.
    pub signature: Signature,
}

/// A payee's signed word that he gave up locks, and which of them is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedDisposal {
    /// All that the signature covers.
    pub locks: Vec<LockHash>,
    /// The place of the one among them.
    pub index: u16,
    /// The payee's, of the disposal.
    pub signature: Signature,
}

/// One of many channels of a participant that are settled at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settlement {
    /// The other side.
    pub partner: Address,
    /// The stored balance of the participant's direction.
    pub of_participant: Balance,
    /// The stored balance of the partner's direction.
    pub of_partner: Balance,
}

/// What we tell the contract. `partner` is the other side of the sender's channel, or of the
/// channel of him for whom the sender acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    /// Opens a channel, with a first deposit that may be zero.
    Open {
        /// The token.
        token: Token,
        /// The other side.
        partner: Address,
        /// How long a dispute takes updates.
        settle_timeout: Seconds,
        /// The first deposit.
        amount: Amount,
        /// How the deposit gets there; none for the cheapest that the token offers.
        way: Option<Way>,
    },
    /// Adds to a participant's deposit, from the sender's tokens.
    Deposit {
        /// The channel.
        key: ChannelKey,
        /// Its life: a deposit never lands in another one.
        epoch: Epoch,
        /// Whose deposit grows.
        participant: Address,
        /// By how much.
        amount: Amount,
        /// How the deposit gets there; none for the cheapest that the token offers.
        way: Option<Way>,
    },
    /// Begins the dispute.
    Close {
        /// The token.
        token: Token,
        /// The other side.
        partner: Address,
        /// The partner's latest proof, if he ever signed one.
        proof: Option<SignedBalance>,
        /// What the sender says to have transferred himself; zero to say nothing. With it he gives
        /// up later updates of what he is paid.
        declared: Amount,
    },
    /// Submits the partner's latest proof after he closed.
    Update {
        /// The token.
        token: Token,
        /// The payer.
        partner: Address,
        /// The partner's latest proof.
        proof: SignedBalance,
        /// None where the sender is the payee himself.
        delegated: Option<Delegated>,
    },
    /// Claims locks of the partner's stored balance.
    Unlock {
        /// The token.
        token: Token,
        /// The payer.
        partner: Address,
        /// The partner's stored balance.
        balance: Balance,
        /// Sorted by slot.
        locks: Vec<LockClaim>,
        /// See [`crate::tree::LockTree::multiproof`].
        multiproof: Vec<B256>,
        /// None where the sender is the payee himself.
        delegated: Option<Delegated>,
    },
    /// Makes secrets public, in time.
    RegisterSecrets(Vec<Secret>),
    /// Pays both out after the dispute.
    Settle {
        /// The channel.
        key: ChannelKey,
        /// The stored balance of the lower address's direction.
        low: Balance,
        /// The stored balance of the other direction.
        high: Balance,
    },
    /// Pays a part of a participant's balance out of the open channel.
    Withdraw {
        /// The channel.
        key: ChannelKey,
        /// Its life, which the signatures bind.
        epoch: Epoch,
        /// Who is paid.
        participant: Address,
        /// His new total; the increase is paid.
        withdrawn: Amount,
        /// The last second at which the contract accepts it.
        valid_until: Timestamp,
        /// None where the sender is the participant.
        participant_signature: Option<Signature>,
        /// None where the sender is the partner.
        partner_signature: Option<Signature>,
    },
    /// Ends the open channel as both agree.
    CooperativeSettle {
        /// The channel.
        key: ChannelKey,
        /// Its life, which the signatures bind.
        epoch: Epoch,
        /// All that the lower address has transferred in this epoch.
        transferred_low: Amount,
        /// All that the other has.
        transferred_high: Amount,
        /// The last second at which the contract accepts it.
        valid_until: Timestamp,
        /// None where the sender is the lower address.
        low_signature: Option<Signature>,
        /// None where the sender is the higher address.
        high_signature: Option<Signature>,
    },
    /// Takes a claim of a disposed lock back, and as much again.
    Punish {
        /// The token.
        token: Token,
        /// Whose direction the lock is in.
        payer: Address,
        /// Who disposed it and claimed it all the same.
        payee: Address,
        /// The payer's stored balance.
        balance: Balance,
        /// The lock's slot.
        slot: Slot,
        /// The lock.
        lock: Lock,
        /// See [`crate::tree::LockTree::multiproof`], for this one slot.
        multiproof: Vec<B256>,
        /// The evidence.
        disposal: SignedDisposal,
    },
    /// Settles many channels of one participant in one token; those that cannot be settled now are
    /// left out.
    SettleMany {
        /// The token.
        token: Token,
        /// Whose channels; paid once for all.
        participant: Address,
        /// The channels.
        settlements: Vec<Settlement>,
    },
    /// Opens and funds a channel for its participant, who signed for it.
    OpenAuthorized {
        /// What he signed for.
        authorization: OpenAuthorization,
        /// How his tokens are pulled.
        means: Means,
        /// As the means want it.
        signature: Signature,
        /// His allowance, given in the same transaction.
        permit: Option<Permit>,
    },
    /// Deposits for a participant from his own tokens, who signed for it.
    DepositAuthorized {
        /// What he signed for.
        authorization: DepositAuthorization,
        /// How his tokens are pulled.
        means: Means,
        /// As the means want it.
        signature: Signature,
        /// His allowance, given in the same transaction.
        permit: Option<Permit>,
    },
    /// Makes an authorization of the sender's useless, where its means are an allowance.
    CancelAuthorization {
        /// The authorization's.
        nonce: U256,
    },
    /// Pays out what the contract keeps for the sender since the token refused it.
    ClaimCredit {
        /// The token.
        token: Token,
        /// Who is paid.
        recipient: Address,
    },
}

fields_codec!(SignedBalance { nonce, transferred, locksroot, signature });
fields_codec!(Balance { transferred, locksroot, declared });
fields_codec!(LockClaim { slot, lock, index, path });
fields_codec!(Delegated { payee, signature });
fields_codec!(SignedDisposal { locks, index, signature });
fields_codec!(Settlement { partner, of_participant, of_partner });
fields_codec!(OpenAuthorization {
    token,
    participant,
    partner,
    settle_timeout,
    amount,
    nonce,
    valid_until,
});
fields_codec!(DepositAuthorization { key, epoch, participant, amount, nonce, valid_until });

impl Encode for ChannelKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.token().encode(out);
        self.low().encode(out);
        self.high().encode(out);
    }
}

impl Decode for ChannelKey {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (token, low) = (Token::decode(input)?, Address::decode(input)?);
        let high = Address::decode(input)?;
        match Self::new(token, low, high) {
            Some(key) if key.low() == low => Ok(key),
            Some(_) | None => Err(DecodeError::Range("channel key")),
        }
    }
}

macro_rules! tagged {
    ($($tag:literal => $variant:ident { $($field:ident),* },)*) => {
        impl Encode for Call {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant { $($field),* } => {
                        out.push($tag);
                        $($field.encode(out);)*
                    })*
                    Self::RegisterSecrets(secrets) => {
                        out.push(0);
                        secrets.encode(out);
                    }
                }
            }
        }

        impl Decode for Call {
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match u8::decode(input)? {
                    $($tag => Ok(Self::$variant { $($field: Decode::decode(input)?),* }),)*
                    0 => Vec::decode(input).map(Self::RegisterSecrets),
                    tag => decode_older(tag, input),
                }
            }
        }
    };
}

// A call is a part of our own rows, which outlive a version: a variant that gains a field gets a
// new tag, and the old one goes to `decode_older`.
tagged!(
    6 => Settle { key, low, high },
    7 => Open { token, partner, settle_timeout, amount, way },
    8 => Deposit { key, epoch, participant, amount, way },
    9 => Close { token, partner, proof, declared },
    10 => Update { token, partner, proof, delegated },
    11 => Unlock { token, partner, balance, locks, multiproof, delegated },
    12 => Withdraw {
        key, epoch, participant, withdrawn, valid_until, participant_signature, partner_signature
    },
    13 => CooperativeSettle {
        key, epoch, transferred_low, transferred_high, valid_until, low_signature, high_signature
    },
    14 => Punish { token, payer, payee, balance, slot, lock, multiproof, disposal },
    15 => SettleMany { token, participant, settlements },
    16 => OpenAuthorized { authorization, means, signature, permit },
    17 => DepositAuthorized { authorization, means, signature, permit },
    18 => CancelAuthorization { nonce },
    19 => ClaimCredit { token, recipient },
);

/// Calls as rows of an earlier version hold them: without the fields that came later.
fn decode_older(tag: u8, input: &mut Reader<'_>) -> Result<Call, DecodeError> {
    match tag {
        1 => Ok(Call::Open {
            token: Decode::decode(input)?,
            partner: Decode::decode(input)?,
            settle_timeout: Decode::decode(input)?,
            amount: Decode::decode(input)?,
            way: None,
        }),
        2 => Ok(Call::Deposit {
            key: Decode::decode(input)?,
            epoch: Decode::decode(input)?,
            participant: Decode::decode(input)?,
            amount: Decode::decode(input)?,
            way: None,
        }),
        3 => Ok(Call::Close {
            token: Decode::decode(input)?,
            partner: Decode::decode(input)?,
            proof: Decode::decode(input)?,
            declared: Amount::ZERO,
        }),
        4 => Ok(Call::Update {
            token: Decode::decode(input)?,
            partner: Decode::decode(input)?,
            proof: Decode::decode(input)?,
            delegated: None,
        }),
        5 => Ok(Call::Unlock {
            token: Decode::decode(input)?,
            partner: Decode::decode(input)?,
            balance: Decode::decode(input)?,
            locks: Decode::decode(input)?,
            multiproof: Decode::decode(input)?,
            delegated: None,
        }),
        got => Err(DecodeError::Tag { what: "call", got }),
    }
}
