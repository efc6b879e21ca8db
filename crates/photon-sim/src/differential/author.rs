//! Who decides what happens next in a story: mostly what makes sense, often enough what does not.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256};
use photon_wire::claim::{BalanceProof, Claim, Disposal};
use photon_wire::lock::Lock;
use photon_wire::message::Operation;
use photon_wire::registry::RegistryTree;
use photon_wire::{
    Amount, ChannelId, ChannelKey, Epoch, LockNumber, Locksroot, Nonce, PaymentId, Secret,
    SecretHash, Slot, Timestamp, Token,
};

use super::ledger::{GivenUp, Ledger, Payer, Signed};
use super::stage::{Person, Stage};
use crate::call::Call;
use crate::dice::Dice;
use crate::model::{Channel, Manner, Model};

/// One thing that happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Time passes, in seconds.
    Wait(u64),
    /// The token begins, or ends, to refuse paying somebody.
    Block(Address, bool),
    /// Somebody calls the contract.
    Call {
        /// Who.
        sender: Address,
        /// What.
        call: Box<Call>,
        /// Whether it must succeed: an honest side relies on it.
        must: bool,
    },
}

/// Secrets that were registered together.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub tree: RegistryTree,
    pub hashes: Vec<B256>,
    pub time: u64,
}

/// The author of one story.
pub struct Author {
    pub(super) dice: Dice,
    pub(super) people: [Person; 3],
    pub(super) domain: photon_wire::claim::Domain,
    /// Alice does only what is right, and must not lose by it.
    pub(super) honest: bool,
    /// The two take and give more than there is.
    reckless: bool,
    pub(super) scale: u128,
    pub(super) manner: Manner,
    pub(super) ledgers: [Ledger; 2],
    pub(super) secrets: BTreeMap<B256, Secret>,
    pub(super) batches: Vec<Batch>,
    /// What could be said again.
    pub(super) papers: Vec<(Address, Call)>,
    pub(super) nonces: u64,
    two_pairs: bool,
}

/// The two of a pair, by their places among the people.
pub(super) const PAIRS: [[usize; 2]; 2] = [[0, 1], [0, 2]];

impl Author {
    /// The author of the story with this seed.
    pub fn new(stage: &Stage, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let manner = match dice.below(6) {
            0 => Manner::Fee,
            1 => Manner::Blocking,
            _ => Manner::Plain,
        };
        let honest = !dice.once_in(3);
        let scales = [10, 1_000, 1_000_000_000_000_000_000, Amount::MAX_DEPOSIT.0];
        Self {
            people: stage.people.clone(),
            domain: stage.domain,
            honest,
            reckless: !honest && dice.once_in(2),
            scale: dice.pick(&scales).copied().unwrap_or(1_000),
            manner,
            ledgers: Default::default(),
            secrets: BTreeMap::new(),
            batches: Vec::new(),
            papers: Vec::new(),
            nonces: 0,
            two_pairs: dice.once_in(3),
            dice,
        }
    }

    /// How the story's token behaves.
    pub const fn manner(&self) -> Manner {
        self.manner
    }

    /// How many steps the story has, before its end.
    pub fn length(&mut self) -> usize {
        8 + self.dice.index(30)
    }

    pub(super) fn account(&self, person: usize) -> Address {
        self.people[person].account
    }

    pub(super) fn anybody(&mut self) -> Address {
        let person = self.dice.index(3);
        self.account(person)
    }

    /// Signs; the bytes as a call carries them.
    pub(super) fn sign(&self, person: usize, claim: &impl Claim) -> Bytes {
        self.people[person].key.sign(claim.digest(&self.domain)).0.into()
    }

    pub(super) fn key(&self, model: &Model, pair: usize) -> ChannelKey {
        let [one, other] = PAIRS[pair].map(|person| self.account(person));
        ChannelKey::new(Token(model.token), one, other).expect("people differ")
    }

    pub(super) fn channel(&self, model: &Model, pair: usize) -> Channel {
        let key = self.key(model, pair);
        model.channel(model.token, key.low(), key.high())
    }

    /// Where the contract keeps what this one of the pair has.
    pub(super) fn place(&self, model: &Model, pair: usize, side: usize) -> usize {
        usize::from(self.account(PAIRS[pair][side]) == self.key(model, pair).high())
    }

    /// An amount of the story's size.
    pub(super) fn amount(&mut self) -> u128 {
        let most = self.scale / (1 + u128::from(self.dice.below(20)));
        self.dice.up_to(most.max(1))
    }

    /// Takes note of what the last step did.
    pub(super) fn notice(&mut self, model: &Model, call: &Call, now: u64) {
        if let Call::RegisterSecrets(call) = call {
            let hashes: Vec<B256> =
                call.secrets.iter().map(|secret| Secret(secret.0).hash().0).collect();
            let tree = RegistryTree::new(hashes.iter().map(|hash| SecretHash(*hash)));
            if let Some(tree) = tree
                && !self.batches.iter().any(|batch| batch.tree.root() == tree.root())
            {
                self.batches.push(Batch { tree, hashes, time: now });
            }
        }
        for pair in 0..2 {
            let epoch = self.channel(model, pair).epoch;
            if epoch != self.ledgers[pair].epoch {
                self.ledgers[pair] = Ledger { epoch, ..Ledger::default() };
            }
        }
    }

    /// The next step.
    pub(super) fn step(&mut self, model: &Model, now: u64) -> Step {
        let pair = usize::from(self.two_pairs && self.dice.once_in(3));
        let channel = self.channel(model, pair);
        if channel.phase == 1 && now > self.ledgers[pair].frozen_until {
            for _ in 0..self.dice.below(5) {
                self.live(model, pair, now);
            }
        }
        if self.manner == Manner::Blocking && self.dice.once_in(6) {
            let owner = self.anybody();
            return Step::Block(owner, self.dice.once_in(2));
        }
        match self.dice.below(100) {
            0..10 if !self.papers.is_empty() => self.replay(model, pair, now),
            10..20 => self.wait(model, pair, now),
            _ => {
                let Some((sender, mut call)) = self.sensible(model, pair, now) else {
                    return self.wait(model, pair, now);
                };
                if self.dice.once_in(3) {
                    self.papers.push((sender, call.clone()));
                }
                let harms_itself = self.honest
                    && sender == self.account(0)
                    && matches!(call, Call::Close(_) | Call::Multicall(_));
                if self.dice.once_in(4) && !harms_itself {
                    self.spoil(&mut call);
                }
                Step::Call { sender, call: Box::new(call), must: false }
            }
        }
    }

    fn replay(&mut self, model: &Model, pair: usize, now: u64) -> Step {
        let (sender, call) = self.dice.pick(&self.papers).cloned().expect("there are papers");
        let other = self.dice.once_in(3);
        let sender = if other { self.anybody() } else { sender };
        // What she said of herself was right then, not for ever.
        let alice = self.honest && sender == self.account(0);
        if alice && matches!(call, Call::Close(_) | Call::Multicall(_)) {
            return self.wait(model, pair, now);
        }
        Step::Call { sender, call: Box::new(call), must: false }
    }

    /// What is left to the payer of what both have put in, by both directions.
    pub(super) fn spendable(&self, model: &Model, pair: usize, side: usize) -> u128 {
        let channel = self.channel(model, pair);
        let deposit = channel.deposit[self.place(model, pair, side)];
        let [ours, theirs] =
            [&self.ledgers[pair].payers[side], &self.ledgers[pair].payers[1 - side]];
        let withdrawn = ours.reserved.max(channel.withdrawn[self.place(model, pair, side)]);
        let has = deposit.saturating_add(theirs.transferred());
        let gone = withdrawn + ours.transferred() + ours.direction.locked().0;
        has.saturating_sub(gone)
    }

    /// Some update off the chain, or a disposal.
    fn live(&mut self, model: &Model, pair: usize, now: u64) {
        let side = self.dice.index(2);
        if self.dice.once_in(4) {
            self.dispose(model, pair, side);
        }
        for _ in 0..=self.dice.below(3) {
            if let Some(operation) = self.operation(model, pair, side, now) {
                self.ledgers[pair].payers[side].apply(&operation);
            }
        }
        if self.ledgers[pair].payers[side].unsigned {
            self.sign_balance(model, pair, side);
        }
        if self.reckless && self.dice.once_in(8) {
            self.sign_anything(model, pair, side, now);
        }
    }

    fn operation(
        &mut self,
        model: &Model,
        pair: usize,
        side: usize,
        now: u64,
    ) -> Option<Operation> {
        let most = self.spendable(model, pair, side);
        let limit =
            if self.reckless { self.scale } else { most } / (1 + u128::from(self.dice.below(8)));
        let payer = self.ledgers[pair].payers[side].clone();
        match self.dice.below(10) {
            0..2 => {
                let amount = Amount(self.dice.up_to(limit));
                let payment = PaymentId([0; 16]);
                Some(Operation::Pay { payment, amount, note: [].into() })
            }
            2..7 => {
                let amount = self.dice.up_to(limit);
                self.add_lock(pair, side, amount, now)
            }
            7..9 => {
                let known = |(slot, lock): &(Slot, Lock)| {
                    let secret = self.secrets.get(&lock.secret_hash.0)?;
                    let claimable = !payer.gave_up(lock);
                    claimable.then(|| Operation::Unlock { slot: *slot, secret: secret.clone() })
                };
                let ready: Vec<_> = payer.pending().iter().filter_map(known).collect();
                self.dice.pick(&ready).cloned()
            }
            _ => {
                let gone: Vec<_> = payer
                    .pending()
                    .into_iter()
                    .filter(|(_, lock)| payer.gave_up(lock) || self.is_over(lock, now))
                    .map(|(slot, _)| Operation::Drop { slot })
                    .collect();
                self.dice.pick(&gone).cloned()
            }
        }
    }

    fn add_lock(&mut self, pair: usize, side: usize, amount: u128, now: u64) -> Option<Operation> {
        let known: Vec<B256> = self.secrets.keys().copied().collect();
        let secret_hash = if self.dice.once_in(4) && !known.is_empty() {
            self.dice.pick(&known).copied()?
        } else {
            let secret = Secret(self.dice.bytes());
            let hash = secret.hash().0;
            self.secrets.insert(hash, secret);
            hash
        };
        let expiration = Timestamp(now + self.dice.below(600));
        let far = self.dice.once_in(10);
        let wanted = if far { self.dice.below(4096) } else { self.dice.below(6) };
        let payer = &mut self.ledgers[pair].payers[side];
        payer.numbers += 1;
        let lock = Lock {
            number: LockNumber(payer.numbers),
            amount: Amount(amount),
            expiration,
            secret_hash: SecretHash(secret_hash),
        };
        let slot = payer.free_slot(u16::try_from(wanted).unwrap_or(0));
        Some(Operation::Lock { slot, lock, onward: [].into() })
    }

    fn dispose(&mut self, model: &Model, pair: usize, side: usize) {
        let payee = PAIRS[pair][1 - side];
        let pending = self.ledgers[pair].payers[side].pending();
        let some: Vec<_> = pending.iter().filter(|_| self.dice.once_in(2)).collect();
        if some.is_empty() {
            return;
        }
        let locks: Vec<_> = some.iter().map(|(_, lock)| lock.hash()).collect();
        let claim = Disposal {
            channel: self.key(model, pair).id(),
            epoch: self.epoch(pair),
            payer: self.account(PAIRS[pair][side]),
            locks: locks.clone(),
        };
        let signature = self.sign(payee, &claim);
        self.ledgers[pair].payers[side].disposals.push(GivenUp { locks, signature });
    }

    pub(super) fn epoch(&self, pair: usize) -> Epoch {
        Epoch(u32::try_from(self.ledgers[pair].epoch).unwrap_or(0))
    }

    /// Past, and no secret was registered in time.
    fn is_over(&self, lock: &Lock, now: u64) -> bool {
        now > lock.expiration.0 && self.registered_at(lock).is_none()
    }

    /// When the lock's secret was first registered, if that was in time.
    pub(super) fn registered_at(&self, lock: &Lock) -> Option<u64> {
        let with = |batch: &&Batch| batch.hashes.contains(&lock.secret_hash.0);
        let times = self.batches.iter().filter(with).map(|batch| batch.time);
        times.filter(|time| *time <= lock.expiration.0).min()
    }

    fn sign_balance(&mut self, model: &Model, pair: usize, side: usize) {
        let payer: &mut Payer = &mut self.ledgers[pair].payers[side];
        payer.unsigned = false;
        let nonce = payer.nonce() + 1;
        let transferred = payer.transferred();
        let locksroot = payer.direction.locksroot().0;
        let locks = payer.pending();
        self.sign_proof(model, pair, side, (nonce, transferred, locksroot, locks));
    }

    /// A proof that no honest payee would ever have accepted.
    fn sign_anything(&mut self, model: &Model, pair: usize, side: usize, now: u64) {
        let nonce = self.ledgers[pair].payers[side].nonce() + 1 + self.dice.below(3);
        let nonce = if self.dice.once_in(8) { nonce.max(1 << 48) } else { nonce };
        let transferred = self.dice.up_to(u128::MAX);
        let count = self.dice.below(3);
        let mut locks = Vec::new();
        for number in 0..count {
            let secret = Secret(self.dice.bytes());
            let secret_hash = secret.hash();
            self.secrets.insert(secret_hash.0, secret);
            let number = LockNumber(u64::MAX - (nonce << 4) - number);
            let amount = Amount(self.dice.up_to(u128::MAX));
            let expiration = Timestamp(now + 1_000);
            let slot = Slot(u16::try_from(locks.len()).unwrap_or(0));
            locks.push((slot, Lock { number, amount, expiration, secret_hash }));
        }
        let root = super::ledger::tree_of(&locks).root().0;
        self.sign_proof(model, pair, side, (nonce, transferred, root, locks));
    }

    fn sign_proof(
        &mut self,
        model: &Model,
        pair: usize,
        side: usize,
        (nonce, transferred, locksroot, locks): (u64, u128, B256, Vec<(Slot, Lock)>),
    ) {
        let proof = self.proof(model, pair, side, (nonce, transferred, locksroot));
        let signature = self.sign(PAIRS[pair][side], &proof);
        let signed = Signed { nonce, transferred, locksroot, locks, signature };
        self.ledgers[pair].payers[side].signed.push(signed);
    }

    pub(super) fn proof(
        &self,
        model: &Model,
        pair: usize,
        side: usize,
        (nonce, transferred, locksroot): (u64, u128, B256),
    ) -> BalanceProof {
        let channel: ChannelId = self.key(model, pair).id();
        BalanceProof {
            channel,
            epoch: self.epoch(pair),
            payer: self.account(PAIRS[pair][side]),
            nonce: Nonce(nonce),
            transferred: Amount(transferred),
            locksroot: Locksroot(locksroot),
        }
    }

    /// What Alice must get at least, by all that was signed and registered: of an open channel what
    /// is hers, of a closed one as well what she can claim.
    pub(super) fn entitlement(&self, model: &Model, pair: usize) -> Option<U256> {
        let channel = self.channel(model, pair);
        if !self.honest || channel.phase == 0 {
            return None;
        }
        let place = self.place(model, pair, 0);
        let [ours, theirs] = &self.ledgers[pair].payers;
        let until = if channel.phase == 2 { channel.clock } else { u64::MAX };
        let claimable = |payer: &Payer| -> u128 {
            let counts = |lock: &Lock| {
                !payer.gave_up(lock) && self.registered_at(lock).is_some_and(|time| time <= until)
            };
            payer
                .pending()
                .iter()
                .map(|(_, lock)| if counts(lock) { lock.amount.0 } else { 0 })
                .sum()
        };
        let has = channel.deposit[place] + theirs.transferred() + claimable(theirs);
        let gone = channel.withdrawn[place] + ours.transferred() + claimable(ours);
        Some(U256::from(has.saturating_sub(gone)))
    }
}
