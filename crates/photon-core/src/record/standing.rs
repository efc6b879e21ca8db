//! The parts of a channel's row that are about the chain and about agreements of both.

use super::tagged;
use alloc::vec::Vec;
use photon_wire::codec::{Decode, DecodeError, Encode, Reader};
use photon_wire::contract::Balance;
use photon_wire::fields_codec;
use photon_wire::lock::Lock;
use photon_wire::message::Dispose;
use photon_wire::{Amount, BlockNumber, Epoch, Nonce, Signature, Slot, Timestamp};

/// What the chain told of a channel, and whether it still stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StandingRecord {
    /// One for each kind of fact that was ever told.
    pub facts: Vec<FactRecord>,
    /// The balances that the contract stored in the dispute, in the order of the blocks.
    pub balances: Vec<BalanceFact>,
    /// Locks of ours that the partner claimed on the chain.
    pub claims: ClaimsRecord,
}
fields_codec!(StandingRecord { facts, balances, claims });

/// One kind of fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FactRecord {
    /// Which.
    pub fact: Fact,
    /// The block that told it last.
    pub block: BlockNumber,
    /// The block left the chain and no other has told it since.
    pub doubted: bool,
}
fields_codec!(FactRecord { fact, block, doubted });

/// What the chain can tell of a channel and a reorganisation can take away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fact {
    /// It was opened.
    Opened,
    /// Our deposit.
    OurDeposit,
    /// The partner's deposit.
    TheirDeposit,
    /// Our withdrawals.
    OurWithdrawal,
    /// The partner's withdrawals.
    TheirWithdrawal,
    /// It was closed.
    Closed,
}
tagged!(Fact, "fact" {
    0 => Opened,
    1 => OurDeposit,
    2 => TheirDeposit,
    3 => OurWithdrawal,
    4 => TheirWithdrawal,
    5 => Closed,
});

/// A balance that the contract stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BalanceFact {
    /// In which block.
    pub block: BlockNumber,
    /// Whether it is of our direction.
    pub ours: bool,
    /// Of the proof; zero where the payer declared it.
    pub nonce: Nonce,
    /// What was stored.
    pub balance: Balance,
}
fields_codec!(BalanceFact { block, ours, nonce, balance });

/// Locks of our direction that were claimed under one stored proof.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClaimsRecord {
    /// Of the proof.
    pub nonce: Nonce,
    /// Their slots.
    pub slots: Vec<Slot>,
}
fields_codec!(ClaimsRecord { nonce, slots });

/// A change of our direction's locks: what the tree of an older proof is rebuilt from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockChange {
    /// Where.
    pub slot: Slot,
    /// Which.
    pub lock: Lock,
    /// Whether it came; else it went.
    pub added: bool,
}
fields_codec!(LockChange { slot, lock, added });

/// What the store knows of locks that were given back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recollection {
    /// What the partner has disposed in this life of the channel.
    pub disposals: Vec<Dispose>,
    /// How our locks changed, by nonce, ascending.
    pub history: Vec<(Nonce, Vec<LockChange>)>,
}

/// What both agree on, or try to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AgreementsRecord {
    /// Our withdrawal under way.
    pub ours: Option<WithdrawalRecord>,
    /// The partner's.
    pub theirs: Option<WithdrawalRecord>,
    /// Ending the channel together.
    pub settling: Option<SettlingRecord>,
    /// The first nonce whose lock changes are kept.
    pub history: Option<Nonce>,
    /// The partner has disposed locks of ours in this life.
    pub disposed: bool,
}
fields_codec!(AgreementsRecord { ours, theirs, settling, history, disposed });

/// A withdrawal under way: its tokens count as gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WithdrawalRecord {
    /// The new total.
    pub withdrawn: Amount,
    /// The last second at which the contract accepts it.
    pub valid_until: Timestamp,
    /// The partner's, once it has consented to ours.
    pub signature: Option<Signature>,
}
fields_codec!(WithdrawalRecord { withdrawn, valid_until, signature });

/// Where ending a channel together stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SettlingRecord {
    /// How far.
    pub stage: SettlingStage,
    /// Until when we try.
    pub until: Timestamp,
}
fields_codec!(SettlingRecord { stage, until });

/// How far both are. Whoever has signed, or may execute, neither signs nor accepts updates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SettlingStage {
    /// We want it: no new payments of ours, and locks run out.
    Draining,
    /// We have proposed this, and signed nothing.
    Proposed(Terms),
    /// The partner has our signature on this.
    Agreed(Terms),
    /// We have the partner's signature, and have the contract execute it.
    Executing(Terms, Signature),
}
tagged!(SettlingStage, "settling stage" {
    0 => Draining,
    1 => Proposed(terms),
    2 => Agreed(terms),
    3 => Executing(terms, signature),
});

/// How a channel ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// All that the lower address has transferred.
    pub transferred_low: Amount,
    /// All that the other has.
    pub transferred_high: Amount,
    /// The last second at which the contract accepts it.
    pub valid_until: Timestamp,
}
fields_codec!(Terms { transferred_low, transferred_high, valid_until });

/// The last life of a pair that is over: told of it again, it is not begun again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndedRecord {
    /// Which life.
    pub epoch: Epoch,
    /// The block in which it ended.
    pub block: BlockNumber,
}
fields_codec!(EndedRecord { epoch, block });
