//! What the contract says and what we tell it, as types. The chain client turns logs into
//! [`Event`]s and [`Call`]s into transactions.
//!
//! Source: `contracts/src/interfaces/IPhotonNetwork.sol`, which says what each one means.

use crate::codec::{Decode, DecodeError, Encode, Reader};
use crate::fields_codec;
use crate::lock::Lock;
use crate::{
    Address, Amount, B256, BlockNumber, ChannelId, ChannelKey, Epoch, Locksroot, Nonce, Seconds,
    Secret, Signature, Slot, Timestamp, Token,
};
use alloc::vec::Vec;

/// What a deployed contract was made with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// The shortest settle timeout of a channel.
    pub least_settle_timeout: Seconds,
    /// The longest.
    pub greatest_settle_timeout: Seconds,
    /// How long after the last update a punishment counts; then the channel can be settled.
    pub challenge: Seconds,
}

/// Where in the chain something happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    /// The block.
    pub block: BlockNumber,
    /// The block's time.
    pub time: Timestamp,
    /// The index of the log in the block.
    pub index: u32,
}

/// Something that happened in the contract.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A channel began a life.
    ChannelOpened {
        /// The pair and their token.
        key: ChannelKey,
        /// Which life.
        epoch: Epoch,
        /// How long a dispute takes updates.
        settle_timeout: Seconds,
    },
    /// A participant has now deposited this much in all in this epoch.
    Deposited {
        /// The channel.
        channel: ChannelId,
        /// Its life.
        epoch: Epoch,
        /// Whose deposit.
        participant: Address,
        /// The new total.
        deposit: Amount,
    },
    /// A participant has now withdrawn this much in all in this epoch.
    Withdrawn {
        /// The channel.
        channel: ChannelId,
        /// Its life.
        epoch: Epoch,
        /// Who withdrew.
        participant: Address,
        /// The new total.
        withdrawn: Amount,
    },
    /// A dispute began.
    ChannelClosed {
        /// The channel.
        channel: ChannelId,
        /// Its life.
        epoch: Epoch,
        /// Who closed.
        closer: Address,
        /// The last second at which updates and unlocks count.
        update_until: Timestamp,
    },
    /// A direction's stored balance is now this.
    BalanceUpdated {
        /// The channel.
        channel: ChannelId,
        /// Its life.
        epoch: Epoch,
        /// Whose direction.
        payer: Address,
        /// Zero where the payer declared it.
        nonce: Nonce,
        /// All that was paid.
        transferred: Amount,
        /// Commits to the locks that can be unlocked.
        locksroot: Locksroot,
    },
    /// Locks of a direction's stored balance were claimed.
    Unlocked {
        /// The channel.
        channel: ChannelId,
        /// Its life.
        epoch: Epoch,
        /// Whose direction the locks are in.
        payer: Address,
        /// Of the stored balance.
        nonce: Nonce,
        /// The locks' slots.
        slots: Vec<Slot>,
        /// The sum of their amounts.
        amount: Amount,
    },
    /// A claim of a disposed lock was taken back, and as much again.
    Punished {
        /// The channel.
        channel: ChannelId,
        /// Its life.
        epoch: Epoch,
        /// Whose direction the lock is in.
        payer: Address,
        /// The lock's slot.
        slot: Slot,
        /// The lock's amount.
        amount: Amount,
    },
    /// Both were paid out and the channel is gone.
    ChannelSettled {
        /// The channel.
        channel: ChannelId,
        /// Its life.
        epoch: Epoch,
        /// Paid to the participant with the lower address.
        paid_low: Amount,
        /// Paid to the other.
        paid_high: Amount,
    },
    /// Secrets are public now; every lock of theirs that has not expired is safe.
    SecretsRegistered {
        /// Of the registration's tree.
        root: B256,
        /// In the order of the tree's leaves.
        secrets: Vec<Secret>,
    },
}

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

/// What we tell the contract. `partner` is the other side of the sender's channel.
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
    },
    /// Begins the dispute.
    Close {
        /// The token.
        token: Token,
        /// The other side.
        partner: Address,
        /// The partner's latest proof, if he ever signed one.
        proof: Option<SignedBalance>,
    },
    /// Submits the partner's latest proof after he closed.
    Update {
        /// The token.
        token: Token,
        /// The other side.
        partner: Address,
        /// The partner's latest proof.
        proof: SignedBalance,
    },
    /// Claims locks of the partner's stored balance.
    Unlock {
        /// The token.
        token: Token,
        /// The other side.
        partner: Address,
        /// The partner's stored balance.
        balance: Balance,
        /// Sorted by slot.
        locks: Vec<LockClaim>,
        /// See [`crate::tree::LockTree::multiproof`].
        multiproof: Vec<B256>,
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
}

fields_codec!(SignedBalance { nonce, transferred, locksroot, signature });
fields_codec!(Balance { transferred, locksroot, declared });
fields_codec!(LockClaim { slot, lock, index, path });

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
    ($name:ident, $what:literal { $($tag:literal => $variant:ident { $($field:ident),* },)* }) => {
        impl Encode for $name {
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

        impl Decode for $name {
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match u8::decode(input)? {
                    $($tag => Ok(Self::$variant { $($field: Decode::decode(input)?),* }),)*
                    0 => Vec::decode(input).map(Self::RegisterSecrets),
                    got => Err(DecodeError::Tag { what: $what, got }),
                }
            }
        }
    };
}

tagged!(Call, "call" {
    1 => Open { token, partner, settle_timeout, amount },
    2 => Deposit { key, epoch, participant, amount },
    3 => Close { token, partner, proof },
    4 => Update { token, partner, proof },
    5 => Unlock { token, partner, balance, locks, multiproof },
    6 => Settle { key, low, high },
});
