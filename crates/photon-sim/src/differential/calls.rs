//! Calls that make sense now.

use alloy::primitives::{Address, B256, Bytes, U256};
use photon_wire::claim::{
    CooperativeSettle, Delegation, DepositAuthorization, OpenAuthorization, Withdraw,
};
use photon_wire::contract::LockClaim;
use photon_wire::lock::Lock;
use photon_wire::registry::registrations;
use photon_wire::{Amount, LockHash, Seconds, Slot, Timestamp, Token};

use super::author::{Author, PAIRS};
use super::ledger::Signed;
use crate::call::Call;
use crate::contract::{IPhotonNetwork, PhotonNetwork};
use crate::model::{Channel, Direction, Model};

type Said = Option<(Address, Call)>;

/// What stands of Bob's direction, and which of its locks Alice can claim.
type Unclaimed = (Direction, Signed, Vec<(Slot, Lock)>);

impl Author {
    /// A call that should succeed, mostly.
    pub(super) fn sensible(&mut self, model: &Model, pair: usize, now: u64) -> Said {
        let channel = self.channel(model, pair);
        let chance = self.dice.below(100);
        let owed = self.people.iter().any(|person| !model.credit(person.account).is_zero());
        if chance < 3 || (owed && self.dice.once_in(4)) {
            return Some(self.claim_credit(model));
        }
        if chance < 6 {
            let nonce = U256::from(self.dice.below(4));
            return Some((
                self.anybody(),
                Call::CancelAuthorization(PhotonNetwork::cancelAuthorizationCall { nonce }),
            ));
        }
        match channel.phase {
            0 => match self.dice.below(12) {
                0..6 => Some(self.open(model, pair)),
                6..10 => Some(self.open_authorized(model, pair, now)),
                10 => Some(self.settle_many(model)),
                _ => Some(self.register_secrets()),
            },
            1 => self.while_open(model, pair, now),
            _ => self.while_closed(model, pair, &channel, now),
        }
    }

    fn while_open(&mut self, model: &Model, pair: usize, now: u64) -> Said {
        match self.dice.below(100) {
            0..16 => Some(self.deposit(model, pair)),
            16..26 => Some(self.deposit_authorized(model, pair, now)),
            26..50 => self.withdraw(model, pair, now),
            50..60 => self.cooperative_settle(model, pair, now),
            60..82 => Some(self.register_secrets()),
            82..85 => {
                let (_, deposit) = self.deposit(model, pair);
                let (sender, close) = self.close(model, pair)?;
                Some((sender, Call::Multicall(vec![deposit, close])))
            }
            85 => Some(self.open(model, pair)),
            86 => Some(self.settle(model, pair)),
            _ => self.close(model, pair),
        }
    }

    fn while_closed(&mut self, model: &Model, pair: usize, channel: &Channel, now: u64) -> Said {
        if now > channel.clock + super::stage::TERMS.challenge && !self.dice.once_in(4) {
            return Some(match self.dice.below(5) {
                0 => self.settle_many(model),
                1 => {
                    let (_, settle) = self.settle(model, pair);
                    let (sender, open) = self.open(model, pair);
                    (sender, Call::Multicall(vec![settle, open]))
                }
                _ => self.settle(model, pair),
            });
        }
        let side = self.dice.index(2);
        match self.dice.below(100) {
            0..25 => self.update(model, pair, side, false),
            25..62 => self.unlock(model, pair, side),
            62..80 => Some(self.register_secrets()),
            80..94 => self.punish(model, pair, side).or_else(|| self.unlock(model, pair, side)),
            94..96 => {
                let (sender, update) = self.update(model, pair, side, true)?;
                let (_, register) = self.register_secrets();
                Some((sender, Call::Multicall(vec![register, update])))
            }
            96 => Some(self.deposit(model, pair)),
            97 => self.withdraw(model, pair, now),
            98 => self.close(model, pair),
            _ => Some(self.settle(model, pair)),
        }
    }

    pub(super) fn open(&mut self, model: &Model, pair: usize) -> (Address, Call) {
        let side = self.dice.index(2);
        let [sender, partner] = [side, 1 - side].map(|side| self.account(PAIRS[pair][side]));
        let amount = if self.dice.once_in(6) { 0 } else { self.amount() };
        let timeout = 100 + self.dice.below(200);
        let token = model.token;
        let call = PhotonNetwork::openCall { token, partner, settleTimeout: timeout, amount };
        (sender, Call::Open(call))
    }

    fn open_authorized(&mut self, model: &Model, pair: usize, now: u64) -> (Address, Call) {
        let side = self.dice.index(2);
        let [person, other] = [side, 1 - side].map(|side| PAIRS[pair][side]);
        let claim = OpenAuthorization {
            token: Token(model.token),
            participant: self.account(person),
            partner: self.account(other),
            settle_timeout: Seconds(100 + self.dice.below(200)),
            amount: Amount(self.amount()),
            nonce: self.nonce(),
            valid_until: Timestamp(now + self.dice.below(200)),
        };
        let signature = self.sign(person, &claim);
        let authorization = IPhotonNetwork::OpenAuthorization {
            token: model.token,
            participant: claim.participant,
            partner: claim.partner,
            settleTimeout: claim.settle_timeout.0,
            amount: claim.amount.0,
            nonce: claim.nonce,
            validUntil: claim.valid_until.0,
        };
        let call = PhotonNetwork::openAuthorizedCall { authorization, means: 0, signature };
        (self.anybody(), Call::OpenAuthorized(call))
    }

    fn deposit(&mut self, model: &Model, pair: usize) -> (Address, Call) {
        let side = self.dice.index(2);
        let [participant, partner] = [side, 1 - side].map(|side| self.account(PAIRS[pair][side]));
        let amount = self.amount();
        let epoch = self.channel(model, pair).epoch;
        let token = model.token;
        let call = PhotonNetwork::depositCall { token, participant, partner, epoch, amount };
        (self.anybody(), Call::Deposit(call))
    }

    fn deposit_authorized(&mut self, model: &Model, pair: usize, now: u64) -> (Address, Call) {
        let side = self.dice.index(2);
        let [person, other] = [side, 1 - side].map(|side| PAIRS[pair][side]);
        let claim = DepositAuthorization {
            key: self.key(model, pair),
            epoch: self.epoch(pair),
            participant: self.account(person),
            amount: Amount(self.amount()),
            nonce: self.nonce(),
            valid_until: Timestamp(now + self.dice.below(200)),
        };
        let signature = self.sign(person, &claim);
        let authorization = IPhotonNetwork::DepositAuthorization {
            token: model.token,
            participant: claim.participant,
            partner: self.account(other),
            epoch: claim.epoch.0.into(),
            amount: claim.amount.0,
            nonce: claim.nonce,
            validUntil: claim.valid_until.0,
        };
        let call = PhotonNetwork::depositAuthorizedCall { authorization, means: 0, signature };
        (self.anybody(), Call::DepositAuthorized(call))
    }

    fn nonce(&mut self) -> U256 {
        self.nonces += 1 + self.dice.below(100);
        U256::from(self.nonces)
    }

    fn withdraw(&mut self, model: &Model, pair: usize, now: u64) -> Said {
        let side = self.dice.index(2);
        let [person, other] = [side, 1 - side].map(|side| PAIRS[pair][side]);
        let channel = self.channel(model, pair);
        let most = self.spendable(model, pair, side);
        let held = channel.deposit.iter().sum::<u128>() - channel.withdrawn.iter().sum::<u128>();
        let reserved = self.ledgers[pair].payers[side].reserved;
        let more = self.dice.up_to(most.min(held));
        if more == 0 && self.honest {
            return None;
        }
        let withdrawn = Amount(reserved + more);
        self.ledgers[pair].payers[side].reserved = withdrawn.0;
        let valid_until = Timestamp(now + self.dice.below(100));
        let claim = Withdraw {
            channel: self.key(model, pair).id(),
            epoch: self.epoch(pair),
            participant: self.account(person),
            withdrawn,
            valid_until,
        };
        let (sender, signatures) =
            self.both([person, other], |author, who| author.sign(who, &claim));
        let [participant_signature, partner_signature] = signatures;
        let call = Call::Withdraw(PhotonNetwork::withdrawCall {
            token: model.token,
            participant: claim.participant,
            partner: self.account(other),
            withdrawn: withdrawn.0,
            validUntil: valid_until.0,
            participantSignature: participant_signature,
            partnerSignature: partner_signature,
        });
        if self.dice.once_in(4) {
            // Signed now, brought later, when something else has happened: they cross.
            self.papers.push((sender, call));
            return None;
        }
        Some((sender, call))
    }

    fn cooperative_settle(&mut self, model: &Model, pair: usize, now: u64) -> Said {
        let ledger = &self.ledgers[pair];
        let free = ledger.payers.iter().all(|payer| payer.pending().is_empty());
        if self.honest && (!free || now <= ledger.frozen_until) {
            return None;
        }
        let valid_until = Timestamp(now + self.dice.below(100));
        self.ledgers[pair].frozen_until = valid_until.0;
        let key = self.key(model, pair);
        let low = self.place(model, pair, 0);
        let [one, other] = [low, 1 - low].map(|side| (side, PAIRS[pair][side]));
        let mut given = [one, other].map(|(side, _)| self.ledgers[pair].payers[side].transferred());
        if !self.honest && self.dice.once_in(3) {
            given = given.map(|_| self.amount());
        }
        let claim = CooperativeSettle {
            channel: key.id(),
            epoch: self.epoch(pair),
            transferred_low: Amount(given[0]),
            transferred_high: Amount(given[1]),
            valid_until,
        };
        let (sender, signatures) =
            self.both([one.1, other.1], |author, who| author.sign(who, &claim));
        let [signature_low, signature_high] = signatures;
        let call = PhotonNetwork::cooperativeSettleCall {
            token: model.token,
            low: key.low(),
            high: key.high(),
            transferredLow: claim.transferred_low.0,
            transferredHigh: claim.transferred_high.0,
            validUntil: valid_until.0,
            signatureLow: signature_low,
            signatureHigh: signature_high,
        };
        Some((sender, Call::CooperativeSettle(call)))
    }

    /// Both signatures; a caller who is one of the two may leave his own out.
    fn both(
        &mut self,
        people: [usize; 2],
        sign: impl Fn(&Self, usize) -> Bytes,
    ) -> (Address, [Bytes; 2]) {
        let mut signatures = people.map(|person| sign(self, person));
        let who = self.dice.index(3);
        if let Some(place) = people.iter().position(|person| *person == who)
            && self.dice.once_in(2)
        {
            signatures[place] = Bytes::new();
        }
        (self.account(who), signatures)
    }

    pub(super) fn close(&mut self, model: &Model, pair: usize) -> Said {
        let side = self.dice.index(2);
        let careful = self.honest && side == 0;
        let [sender, partner] = [side, 1 - side].map(|side| self.account(PAIRS[pair][side]));
        let payers = &self.ledgers[pair].payers;
        let latest = payers[1 - side].latest();
        let given = payers[side].transferred();
        let some = self.dice.pick(&payers[1 - side].signed);
        let (proof, declared) = match self.dice.below(if careful { 3 } else { 6 }) {
            0 => (None, 0),
            1 => (latest, 0),
            2 => (latest, given),
            3 => (some, 0),
            4 => (None, given),
            _ => (some, self.dice.up_to(self.scale)),
        };
        let call = PhotonNetwork::closeCall {
            token: model.token,
            partner,
            proof: proof_of(proof),
            declared,
        };
        Some((sender, Call::Close(call)))
    }

    /// A proof of the payer on this side for his payee: the latest, or any.
    pub(super) fn update(&mut self, model: &Model, pair: usize, side: usize, latest: bool) -> Said {
        let [payer, payee] = [side, 1 - side].map(|side| PAIRS[pair][side]);
        let signed = &self.ledgers[pair].payers[side].signed;
        let last = latest || self.dice.once_in(2);
        let signed = if last { signed.last() } else { self.dice.pick(signed) }?.clone();
        let balance = (signed.nonce, signed.transferred, signed.locksroot);
        let (sender, delegation) = self.delegated(model, pair, side, balance, latest);
        let [payer, payee] = [payer, payee].map(|person| self.account(person));
        let (token, proof) = (model.token, proof_of(Some(&signed)));
        let call = PhotonNetwork::updateCall { token, payer, payee, proof, delegation };
        Some((sender, Call::Update(call)))
    }

    /// The payee himself, or somebody whom he names.
    fn delegated(
        &mut self,
        model: &Model,
        pair: usize,
        side: usize,
        balance: (u64, u128, B256),
        himself: bool,
    ) -> (Address, Bytes) {
        let payee = PAIRS[pair][1 - side];
        if himself || !self.dice.once_in(3) {
            return (self.account(payee), Bytes::new());
        }
        let delegate = self.anybody();
        let proof = self.proof(model, pair, side, balance);
        let signature = self.sign(payee, &Delegation { proof, delegate });
        (delegate, signature)
    }

    fn direction(&self, model: &Model, pair: usize, side: usize) -> Direction {
        let place = self.place(model, pair, side);
        self.channel(model, pair).directions[place].clone()
    }

    /// The stored proof of the payer on this side.
    fn stored(&self, model: &Model, pair: usize, side: usize) -> Option<(Direction, Signed)> {
        let direction = self.direction(model, pair, side);
        let signed = self.ledgers[pair].payers[side].with_nonce(direction.nonce)?.clone();
        let balance = (signed.transferred, signed.locksroot, direction.balance.2);
        (balance == direction.balance).then_some((direction, signed))
    }

    fn unlock(&mut self, model: &Model, pair: usize, side: usize) -> Said {
        let (direction, signed) = self.stored(model, pair, side)?;
        let careful = self.honest && side == 1;
        let payer = &self.ledgers[pair].payers[side];
        let late = self.dice.once_in(6);
        let mut ready: Vec<_> = signed
            .locks
            .iter()
            .filter(|(_, lock)| self.registered_at(lock).is_some() || late)
            .filter(|(_, lock)| !(careful && payer.gave_up(lock)))
            .copied()
            .collect();
        if self.dice.once_in(2) {
            ready.retain(|_| self.dice.once_in(2));
        }
        let himself = careful && self.dice.once_in(2);
        self.unlock_these(model, pair, side, (&direction, &signed), &ready, himself)
    }

    fn unlock_these(
        &mut self,
        model: &Model,
        pair: usize,
        side: usize,
        (direction, signed): (&Direction, &Signed),
        ready: &[(Slot, Lock)],
        himself: bool,
    ) -> Said {
        let claims: Vec<LockClaim> =
            ready.iter().filter_map(|(slot, lock)| self.evidence(*slot, lock)).collect();
        let slots: Vec<Slot> = claims.iter().map(|claim| claim.slot).collect();
        if slots.is_empty() {
            return None;
        }
        let balance = (signed.nonce, signed.transferred, signed.locksroot);
        let (sender, delegation) = self.delegated(model, pair, side, balance, himself);
        let call = PhotonNetwork::unlockCall {
            token: model.token,
            payer: self.account(PAIRS[pair][side]),
            payee: self.account(PAIRS[pair][1 - side]),
            balance: standing(direction),
            locks: claims.iter().map(|claim| lock_of(claim.slot, &claim.lock)).collect(),
            siblings: signed.multiproof(&slots),
            registrations: registrations(&claims)
                .iter()
                .map(|shown| IPhotonNetwork::Registration {
                    depth: shown.depth,
                    members: shown.member_bytes().into(),
                    siblings: shown.siblings.clone(),
                })
                .collect(),
            delegation,
        };
        Some((sender, Call::Unlock(call)))
    }

    /// The lock with a registration of its secret in time.
    fn evidence(&self, slot: Slot, lock: &Lock) -> Option<LockClaim> {
        let time = self.registered_at(lock);
        self.batches.iter().filter(|batch| time.is_none_or(|time| time == batch.time)).find_map(
            |batch| {
                let place = batch.hashes.iter().position(|hash| *hash == lock.secret_hash.0)?;
                let index = u8::try_from(place).ok()?;
                let path = batch.tree.path(index)?;
                Some(LockClaim { slot, lock: *lock, index, path })
            },
        )
    }

    fn register_secrets(&mut self) -> (Address, Call) {
        let most = if self.dice.once_in(200) { 256 } else { 1 + self.dice.index(6) };
        let known: Vec<B256> = self.secrets.values().map(|secret| B256::new(secret.0)).collect();
        let mut secrets: Vec<B256> =
            known.into_iter().filter(|_| !self.dice.once_in(3)).take(most).collect();
        if secrets.is_empty() || self.dice.once_in(10) {
            secrets.push(B256::new(self.dice.bytes()));
        }
        let call = PhotonNetwork::registerSecretsCall { secrets };
        (self.anybody(), Call::RegisterSecrets(call))
    }

    fn punish(&mut self, model: &Model, pair: usize, side: usize) -> Said {
        let (direction, signed) = self.stored(model, pair, side)?;
        let early = self.dice.once_in(6);
        let payer = &self.ledgers[pair].payers[side];
        let claimed = |(slot, lock): &&(Slot, Lock)| {
            (direction.is_claimed(slot.0) || early) && payer.gave_up(lock)
        };
        let cheated: Vec<_> = signed.locks.iter().filter(claimed).copied().collect();
        let (slot, lock) = self.dice.pick(&cheated).copied()?;
        let call = self.punish_this(model, pair, side, (&direction, &signed), slot, &lock)?;
        Some((self.anybody(), call))
    }

    fn punish_this(
        &self,
        model: &Model,
        pair: usize,
        side: usize,
        (direction, signed): (&Direction, &Signed),
        slot: Slot,
        lock: &Lock,
    ) -> Option<Call> {
        let hash = lock.hash();
        let payer = &self.ledgers[pair].payers[side];
        let given_up = payer.disposals.iter().find(|disposal| disposal.locks.contains(&hash))?;
        let index = given_up.locks.iter().position(|known| *known == hash)?;
        Some(Call::Punish(PhotonNetwork::punishCall {
            token: model.token,
            payer: self.account(PAIRS[pair][side]),
            payee: self.account(PAIRS[pair][1 - side]),
            balance: standing(direction),
            lock: lock_of(slot, lock),
            siblings: signed.multiproof(&[slot]),
            disposal: IPhotonNetwork::Disposal {
                locks: given_up.locks.iter().map(|LockHash(lock)| *lock).collect(),
                index: U256::from(index),
                signature: given_up.signature.clone(),
            },
        }))
    }

    pub(super) fn settle(&mut self, model: &Model, pair: usize) -> (Address, Call) {
        let key = self.key(model, pair);
        let [of_low, of_high] = self.channel(model, pair).directions.map(|it| standing(&it));
        let (token, low, high) = (model.token, key.low(), key.high());
        let call = PhotonNetwork::settleCall { token, low, high, ofLow: of_low, ofHigh: of_high };
        (self.anybody(), Call::Settle(call))
    }

    fn settle_many(&mut self, model: &Model) -> (Address, Call) {
        let settlements = (0..2)
            .map(|pair| {
                let side = |side| standing(&self.direction(model, pair, side));
                let partner = self.account(PAIRS[pair][1]);
                IPhotonNetwork::Settlement { partner, ofParticipant: side(0), ofPartner: side(1) }
            })
            .collect();
        let (token, participant) = (model.token, self.account(0));
        let call = PhotonNetwork::settleManyCall { token, participant, settlements };
        (self.anybody(), Call::SettleMany(call))
    }

    fn claim_credit(&mut self, model: &Model) -> (Address, Call) {
        let owed = self.people.iter().map(|person| person.account);
        let owner = owed.into_iter().find(|owner| !model.credit(*owner).is_zero());
        let sender = owner.unwrap_or_else(|| self.anybody());
        let (token, recipient) = (model.token, self.anybody());
        (sender, Call::ClaimCredit(PhotonNetwork::claimCreditCall { token, recipient }))
    }

    /// What Alice must still say in the dispute of this pair: while updates count, and else while
    /// punishing does.
    pub(super) fn defence(&mut self, model: &Model, pair: usize, now: u64) -> Said {
        let channel = self.channel(model, pair);
        if !self.honest || channel.phase != 2 {
            return None;
        }
        if now <= channel.clock {
            let stored = self.direction(model, pair, 1);
            if self.ledgers[pair].payers[1].nonce() > stored.nonce && !stored.is_sealed {
                return self.update(model, pair, 1, true);
            }
            let open = self.unclaimed(model, pair);
            if let Some((direction, signed, ready)) = open {
                return self.unlock_these(model, pair, 1, (&direction, &signed), &ready, true);
            }
        }
        let (direction, signed) = self.stored(model, pair, 0)?;
        let payer = &self.ledgers[pair].payers[0];
        let claimed =
            |(slot, lock): &&(Slot, Lock)| direction.is_claimed(slot.0) && payer.gave_up(lock);
        let (slot, lock) = signed.locks.iter().find(claimed).copied()?;
        let call = self.punish_this(model, pair, 0, (&direction, &signed), slot, &lock)?;
        Some((self.account(0), call))
    }

    fn unclaimed(&self, model: &Model, pair: usize) -> Option<Unclaimed> {
        let (direction, signed) = self.stored(model, pair, 1)?;
        let payer = &self.ledgers[pair].payers[1];
        let ready: Vec<_> = signed
            .locks
            .iter()
            .filter(|(slot, lock)| {
                let mine = !payer.gave_up(lock) && !direction.is_claimed(slot.0);
                mine && self.registered_at(lock).is_some()
            })
            .copied()
            .collect();
        (!ready.is_empty()).then_some((direction, signed, ready))
    }
}

fn standing(direction: &Direction) -> IPhotonNetwork::Balance {
    let (transferred, locksroot, declared) = direction.balance;
    IPhotonNetwork::Balance { transferred, locksroot, declared }
}

fn proof_of(signed: Option<&Signed>) -> IPhotonNetwork::BalanceProof {
    IPhotonNetwork::BalanceProof {
        nonce: signed.map_or(0, |signed| signed.nonce),
        transferred: signed.map_or(0, |signed| signed.transferred),
        locksroot: signed.map_or(B256::ZERO, |signed| signed.locksroot),
        signature: signed.map_or_else(Bytes::new, |signed| signed.signature.clone()),
    }
}

fn lock_of(slot: Slot, lock: &Lock) -> IPhotonNetwork::Lock {
    IPhotonNetwork::Lock {
        slot: slot.0,
        number: lock.number.0,
        amount: lock.amount.0,
        expiration: lock.expiration.0,
        secretHash: lock.secret_hash.0,
    }
}
