//! What the contract must do, written a second time: in Rust, from its interface, with the claims,
//! trees and settlement that the nodes use.
//!
//! [`Model::apply`] foretells of every call whether it succeeds, the very error where it does not,
//! what is stored afterwards and who is paid.

mod disputes;
mod ending;
mod funding;
mod registry;

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol_types::{SolError, SolValue as _};
use photon_core::channel::settlement::Side;
use photon_wire::claim::{Claim, Domain};
use photon_wire::{Amount, ChannelId, ChannelKey, Epoch, Signature, Token, Verifier};

use crate::call::Call;
use crate::contract::{IPhotonNetwork, PhotonNetwork, Terms};

/// An error of the contract, as it encodes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal(pub Bytes);

/// The refusal with this error.
pub(crate) fn refusal<E: SolError>(error: &E) -> Refusal {
    Refusal(error.abi_encode().into())
}

/// A mistake that the model makes on purpose, to show that the comparison would find it in the
/// contract, or in the arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Flaw {
    /// Penalties are forgotten at the end.
    PenaltyIgnored,
    /// Nobody stops a side from going below nothing.
    ClampMissing,
    /// Claimed locks of an older proof still count after an update.
    UnlockedKeptOnUpdate,
    /// What was declared counts although there is a proof.
    DeclarationNotOverridden,
    /// Who closed with a declaration may be updated against.
    SealIgnored,
    /// A lock can be claimed twice.
    ClaimedTwice,
    /// A secret registered one second too late opens a lock.
    LateSecretAccepted,
    /// Updates count one second longer.
    UpdatesOneSecondLonger,
    /// A withdrawal pays the new total, not the increase.
    WithdrawalPaysTotal,
    /// A taken-back claim can be made again.
    PunishedClaimedAgain,
    /// The claims of an earlier life of the pair still count.
    EpochForgotten,
    /// What a fee-taking token kept is credited.
    FeeCredited,
    /// Who calls need not sign, even where he is nobody.
    AnyCallerAgrees,
}

/// How a token behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// As one expects.
    Plain,
    /// Keeps a tenth of what is pulled.
    Fee,
    /// Refuses to pay those on its list.
    Blocking,
}

/// One direction of a channel, in a dispute.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Direction {
    /// Of the stored proof.
    pub nonce: u64,
    /// No update any more.
    pub is_sealed: bool,
    /// What stands.
    pub balance: (u128, B256, u128),
    claimed: BTreeMap<u64, Claimed>,
    penalty: U256,
    punished: BTreeSet<B256>,
}

/// The claimed locks of one proof.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Claimed {
    slots: BTreeSet<u16>,
    sum: u128,
}

impl Direction {
    fn is_blank(&self) -> bool {
        self.nonce == 0 && !self.is_sealed && self.balance == (0, B256::ZERO, 0)
    }

    fn claimed(&self) -> Claimed {
        self.claimed.get(&self.nonce).cloned().unwrap_or_default()
    }

    /// Whether the lock in this slot of the stored proof is claimed.
    pub fn is_claimed(&self, slot: u16) -> bool {
        self.claimed.get(&self.nonce).is_some_and(|claimed| claimed.slots.contains(&slot))
    }

    /// As `direction()` tells it.
    fn view(&self) -> IPhotonNetwork::DirectionState {
        let hash = keccak256(self.balance.abi_encode());
        let commitment = if self.is_blank() || (self.nonce == 0 && !self.is_sealed) {
            U256::ZERO
        } else {
            U256::from_be_bytes(hash.0) >> 49
        };
        IPhotonNetwork::DirectionState {
            nonce: self.nonce,
            sealedByDeclaration: self.is_sealed,
            commitment,
            unlocked: self.claimed().sum,
            penalty: self.penalty.saturating_to(),
        }
    }
}

/// One pair's channel.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Channel {
    /// 0 none, 1 open, 2 closed.
    pub phase: u8,
    /// Lives so far.
    pub epoch: u64,
    /// Settle timeout while open, the last second of updates once closed.
    pub clock: u64,
    /// Of low and of high.
    pub deposit: [u128; 2],
    /// Of low and of high.
    pub withdrawn: [u128; 2],
    /// With low as payer, and with high.
    pub directions: [Direction; 2],
}

/// The pair and its token.
type Key = (Address, Address, Address);

/// The contract and one token, as they should be.
#[derive(Clone)]
pub struct Model {
    /// Where the contract is.
    pub network: Address,
    /// Where the token is.
    pub token: Address,
    terms: Terms,
    manner: Manner,
    domain: Domain,
    verifier: std::rc::Rc<Verifier>,
    flaw: Option<Flaw>,
    books: Books,
}

/// All that calls change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Books {
    channels: BTreeMap<Key, Channel>,
    registered: BTreeMap<B256, u64>,
    spent: BTreeSet<(Address, U256)>,
    purses: BTreeMap<Address, U256>,
    credits: BTreeMap<Address, U256>,
    blocked: BTreeSet<Address>,
}

/// What the model must know of the chain that it foretells.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Where the contract is.
    pub network: Address,
    /// Where the token is.
    pub token: Address,
    /// How the token behaves.
    pub manner: Manner,
    /// What the contract was made with.
    pub terms: Terms,
    /// What is signed in.
    pub domain: Domain,
}

impl Model {
    /// A contract that nobody has called yet.
    pub fn new(
        setting: Setting,
        purses: BTreeMap<Address, U256>,
        verifier: std::rc::Rc<Verifier>,
        flaw: Option<Flaw>,
    ) -> Self {
        let Setting { network, token, manner, terms, domain } = setting;
        let books = Books { purses, ..Books::default() };
        Self { network, token, terms, manner, domain, verifier, flaw, books }
    }

    /// Does what the call says, or says why not; then nothing has changed.
    ///
    /// # Errors
    /// The error that the contract answers.
    pub fn apply(&mut self, sender: Address, call: &Call, now: u64) -> Result<(), Refusal> {
        let before = self.books.clone();
        let done = self.run(sender, call, now);
        if done.is_err() {
            self.books = before;
        }
        done
    }

    fn run(&mut self, sender: Address, call: &Call, now: u64) -> Result<(), Refusal> {
        match call {
            Call::Open(call) => self.open(sender, call),
            Call::OpenAuthorized(call) => self.open_authorized(call, now),
            Call::Deposit(call) => self.deposit(sender, call),
            Call::DepositAuthorized(call) => self.deposit_authorized(call, now),
            Call::CancelAuthorization(call) => self.spend_nonce(sender, call.nonce),
            Call::Withdraw(call) => self.withdraw(sender, call, now),
            Call::CooperativeSettle(call) => self.cooperative_settle(sender, call, now),
            Call::Close(call) => self.close(sender, call, now),
            Call::Update(call) => self.update(sender, call, now),
            Call::Unlock(call) => self.unlock(sender, call, now),
            Call::RegisterSecrets(call) => self.register_secrets(call, now),
            Call::Punish(call) => self.punish(call, now),
            Call::Settle(call) => self.settle(call, now),
            Call::SettleMany(call) => self.settle_many(call, now),
            Call::ClaimCredit(call) => self.claim_credit(sender, call),
            Call::Multicall(calls) => calls.iter().try_for_each(|call| self.run(sender, call, now)),
        }
    }

    /// The token begins, or ends, to refuse paying somebody.
    pub fn set_blocked(&mut self, owner: Address, on: bool) {
        if on {
            self.books.blocked.insert(owner);
        } else {
            self.books.blocked.remove(&owner);
        }
    }

    /// The channel as `channel()` tells it.
    pub fn channel_state(&self, one: Address, other: Address) -> IPhotonNetwork::ChannelState {
        let (low, high) = if one < other { (one, other) } else { (other, one) };
        let channel = self.channel(self.token, low, high);
        IPhotonNetwork::ChannelState {
            channelId: id_of(self.token, low, high).0,
            phase: channel.phase,
            epoch: channel.epoch,
            settleTimeout: if channel.phase == 1 { channel.clock } else { 0 },
            updateUntil: if channel.phase == 2 { channel.clock } else { 0 },
            low,
            high,
            depositLow: channel.deposit[0],
            depositHigh: channel.deposit[1],
            withdrawnLow: channel.withdrawn[0],
            withdrawnHigh: channel.withdrawn[1],
        }
    }

    /// The direction as `direction()` tells it.
    pub fn direction_state(
        &self,
        payer: Address,
        payee: Address,
    ) -> IPhotonNetwork::DirectionState {
        let (low, high) = if payer < payee { (payer, payee) } else { (payee, payer) };
        let side = usize::from(payer > payee);
        self.channel(self.token, low, high).directions[side].view()
    }

    /// The stored channel.
    pub fn channel(&self, token: Address, low: Address, high: Address) -> Channel {
        self.books.channels.get(&(token, low, high)).cloned().unwrap_or_default()
    }

    /// What somebody has of the token.
    pub fn purse(&self, owner: Address) -> U256 {
        self.books.purses.get(&owner).copied().unwrap_or_default()
    }

    /// What the contract owes somebody whom the token refused to pay.
    pub fn credit(&self, owner: Address) -> U256 {
        self.books.credits.get(&owner).copied().unwrap_or_default()
    }

    /// What the contract must hold: all that is in channels, and the credits.
    pub fn owed(&self) -> U256 {
        let sum = |both: [u128; 2]| U256::from(both[0]) + U256::from(both[1]);
        let held = |channel: &Channel| sum(channel.deposit) - sum(channel.withdrawn);
        let channels: U256 = self.books.channels.values().map(held).sum();
        channels + self.books.credits.values().copied().sum::<U256>()
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// Refuses unless `signer` signed the claim.
    fn check_signed(
        &self,
        signer: Address,
        claim: &impl Claim,
        signature: &[u8],
    ) -> Result<(), Refusal> {
        let signed = <[u8; 65]>::try_from(signature).ok().and_then(|bytes| {
            self.verifier.signer(claim.digest(&self.domain), &Signature(bytes)).ok()
        });
        if signer != Address::ZERO && signed == Some(signer) {
            return Ok(());
        }
        Err(refusal(&PhotonNetwork::InvalidSignature { signer }))
    }

    /// Refuses unless `signer` signed the claim, or calls.
    fn check_agreed(
        &self,
        sender: Address,
        signer: Address,
        claim: &impl Claim,
        signature: &[u8],
    ) -> Result<(), Refusal> {
        let calls = sender == signer || self.has(Flaw::AnyCallerAgrees);
        if calls && signature.is_empty() {
            return Ok(());
        }
        self.check_signed(signer, claim, signature)
    }

    /// The stored channel of a pair, to be changed, which must be in this phase.
    fn channel_in(&mut self, expected: u8, key: Key) -> Result<&mut Channel, Refusal> {
        let channel = self.books.channels.entry(key).or_default();
        if channel.phase != expected {
            let got = channel.phase;
            return Err(refusal(&PhotonNetwork::WrongPhase { expected, got }));
        }
        Ok(channel)
    }

    /// Of claims: an epoch that the contract tells apart.
    fn epoch(&self, epoch: u64) -> Epoch {
        let epoch = if self.has(Flaw::EpochForgotten) { epoch.min(1) } else { epoch };
        Epoch(u32::try_from(epoch).unwrap_or(u32::MAX))
    }
}

/// What the contract knows of both sides.
fn sides(channel: &Channel) -> [Side; 2] {
    [0, 1].map(|side| Side {
        deposit: Amount(channel.deposit[side]),
        withdrawn: Amount(channel.withdrawn[side]),
        ..Side::default()
    })
}

/// Low first; refuses a pair of one.
fn ordered(token: Address, one: Address, other: Address) -> Result<Key, Refusal> {
    if one == other {
        let (participant, partner) = (one, other);
        return Err(refusal(&PhotonNetwork::InvalidParticipants { participant, partner }));
    }
    Ok(if one < other { (token, one, other) } else { (token, other, one) })
}

fn id_of(token: Address, low: Address, high: Address) -> ChannelId {
    ChannelKey::new(Token(token), low, high).map(|key| key.id()).unwrap_or_default()
}

fn standing(
    direction: &Direction,
    payer: Address,
    balance: &IPhotonNetwork::Balance,
) -> Result<(), Refusal> {
    // Of a hash the contract compares 207 bits: nobody finds two that agree in those.
    if direction.balance == (balance.transferred, balance.locksroot, balance.declared) {
        return Ok(());
    }
    Err(refusal(&PhotonNetwork::WrongBalance { payer }))
}

/// Refuses a claim that is past.
fn check_not_expired(valid_until: u64, now: u64) -> Result<(), Refusal> {
    if now > valid_until {
        let timestamp = U256::from(now);
        let error = PhotonNetwork::ClaimExpired { validUntil: valid_until, timestamp };
        return Err(refusal(&error));
    }
    Ok(())
}
