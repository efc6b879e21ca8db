//! What the contract says and what we tell it, as types. The chain client turns logs into
//! [`Event`]s and [`Call`]s into transactions.
//!
//! Source: `contracts/src/interfaces/IPhotonNetwork.sol`, which says what each one means.

mod call;
mod funding;

pub use call::{Balance, Call, Delegated, LockClaim, Settlement, SignedBalance, SignedDisposal};
pub use funding::{Means, Permit, UnknownName, Way};

use crate::{
    Address, Amount, B256, BlockNumber, ChannelId, ChannelKey, Epoch, Locksroot, Nonce, Seconds,
    Secret, Slot, Timestamp, Token,
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
    /// A token refused a payout: the contract keeps it for the owner, who can claim it.
    Credited {
        /// The token.
        token: Token,
        /// Who can claim it.
        owner: Address,
        /// How much was added.
        amount: Amount,
    },
    /// An owner claimed his credit.
    CreditClaimed {
        /// The token.
        token: Token,
        /// Whose credit it was.
        owner: Address,
        /// Who was paid.
        recipient: Address,
        /// How much; all of it.
        amount: Amount,
    },
}
